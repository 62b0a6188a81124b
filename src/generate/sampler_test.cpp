#include "generate/sampler.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "generate/sampler_fixture.h"

namespace hearth::generate {
namespace {

using ::testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

SamplerOptions read_sampler_options(const Json& json) {
  SamplerOptions options{.temperature = 1};
  options.top_p = json.value("top_p", 0.0f);
  options.min_p = json.value("min_p", 0.0f);
  options.min_tokens_to_keep = json.value("min_tokens_to_keep", 1);
  options.top_k = json.value("top_k", 0);
  options.xtc_probability = json.value("xtc_probability", 0.0f);
  options.xtc_threshold = json.value("xtc_threshold", 0.1f);
  options.xtc_special_tokens = json.value("xtc_special_tokens", std::vector<int32_t>{});
  return options;
}

std::vector<int32_t> survivors(const SamplerOptions& options, const std::vector<float>& logits) {
  std::vector<int32_t> result;
  for (const auto& candidate : Sampler(options, 1).filter(logits)) result.push_back(candidate.token);
  std::sort(result.begin(), result.end());
  return result;
}

std::string refusal(const SamplerOptions& options) {
  try {
    validate(options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(Sampler, FiltersKeepTheTokensThatMlxLmKeeps) {
  for (const Json& test : sampler_fixture().at("samplers")) {
    EXPECT_EQ(survivors(read_sampler_options(test.at("options")), fixture_row(test.at("row").get<size_t>())),
              test.at("survivors").get<std::vector<int32_t>>())
        << test.at("options") << " on row " << test.at("row");
  }
}

TEST(Sampler, TakesTheFirstOfTheLargestAtTemperatureZero) {
  std::vector<float> logits(5000, -1);
  logits[4321] = logits[4999] = 3;
  EXPECT_EQ(Sampler({}, 0).sample(logits), 4321);
  logits[7] = std::nanf("");
  EXPECT_EQ(Sampler({}, 0).sample(logits), 4321);
}

TEST(Sampler, DrawsEachTokenAsOftenAsItsProbabilitySays) {
  const std::vector<float> logits = {0, 1, 2, -kInfinity, 0.5f};
  constexpr int kDraws = 200'000;
  constexpr float kTemperature = 0.7f;
  Sampler sampler({.temperature = kTemperature}, 42);
  std::map<int32_t, int> drawn;
  for (int i = 0; i < kDraws; ++i) ++drawn[sampler.sample(logits)];
  double total = 0;
  for (const float logit : logits) total += std::exp(logit / kTemperature);
  for (size_t i = 0; i < logits.size(); ++i) {
    const double p = std::exp(logits[i] / kTemperature) / total;
    // Five standard deviations.
    EXPECT_NEAR(drawn[static_cast<int32_t>(i)], kDraws * p, 5 * std::sqrt(kDraws * p * (1 - p))) << i;
  }
}

TEST(Sampler, RunsXtcAsOftenAsAsked) {
  const std::vector<float> logits = {2, 1.5f, 0};
  Sampler sampler({.temperature = 1, .xtc_probability = 0.25f, .xtc_threshold = 0.1f}, 3);
  int ran = 0;
  for (int i = 0; i < 10'000; ++i) ran += sampler.filter(logits).size() < 3;
  EXPECT_NEAR(ran, 2500, 220);
}

TEST(Sampler, GivesTheSameDrawsForTheSameSeed) {
  const std::vector<float> logits = fixture_row(1);
  const auto draws = [&](uint64_t seed) {
    Sampler sampler({.temperature = 1}, seed);
    std::vector<int32_t> result;
    for (int i = 0; i < 50; ++i) result.push_back(sampler.sample(logits));
    return result;
  };
  EXPECT_EQ(draws(5), draws(5));
  EXPECT_NE(draws(5), draws(6));
}

TEST(Sampler, BecomesGreedyAsTheTemperatureGoesToZero) {
  const std::vector<float> logits = fixture_row(2);
  for (const float temperature : {1e-3f, 1e-20f, std::numeric_limits<float>::denorm_min()})
    EXPECT_EQ(Sampler({.temperature = temperature}, 9).sample(logits), Sampler({}, 0).sample(logits));
}

TEST(Sampler, TakesATopKBeyondTheVocabularyAsNoLimit) {
  EXPECT_EQ(survivors({.temperature = 1, .top_k = 1'000'000}, fixture_row(0)).size(), 200u);
}

TEST(Sampler, OfEqualLogitsKeepsTheFirst) {
  const std::vector<float> logits(100, 0.5f);
  EXPECT_EQ(survivors({.temperature = 1, .top_k = 3}, logits), (std::vector<int32_t>{0, 1, 2}));
}

TEST(Sampler, EndsTheNucleusAtTheTokenThatReachesTheMass) {
  // In proportion 16 : 8 : 4 : 2 : 1 : 1.
  const float step = std::log(2.0f);
  const std::vector<float> logits = {-2 * step, 0, -4 * step, -step, -4 * step, -3 * step};
  EXPECT_EQ(survivors({.temperature = 1, .top_p = 0.4f}, logits), (std::vector<int32_t>{1}));
  EXPECT_EQ(survivors({.temperature = 1, .top_p = 0.6f}, logits), (std::vector<int32_t>{1, 3}));
  EXPECT_EQ(survivors({.temperature = 1, .top_p = 0.9f}, logits), (std::vector<int32_t>{0, 1, 3, 5}));
}

TEST(Sampler, RefusesLogitsOfWhichNoneIsFinite) {
  const std::vector<float> logits(20, std::nanf(""));
  EXPECT_THROW(Sampler({}, 0).sample(logits), std::runtime_error);
  EXPECT_THROW(Sampler({.temperature = 1}, 0).sample(logits), std::runtime_error);
}

TEST(Sampler, NamesTheOptionThatIsOutOfRange) {
  EXPECT_THAT(refusal({.temperature = -1}), HasSubstr("temperature"));
  EXPECT_THAT(refusal({.temperature = std::nanf("")}), HasSubstr("temperature"));
  EXPECT_THAT(refusal({.top_p = 1.5f}), HasSubstr("top_p"));
  EXPECT_THAT(refusal({.min_p = -0.1f}), HasSubstr("min_p"));
  EXPECT_THAT(refusal({.min_tokens_to_keep = 0}), HasSubstr("min_tokens_to_keep"));
  EXPECT_THAT(refusal({.top_k = -1}), HasSubstr("top_k"));
  EXPECT_THAT(refusal({.xtc_probability = 2}), HasSubstr("xtc_probability"));
  EXPECT_THAT(refusal({.xtc_threshold = 0.6f}), HasSubstr("xtc_threshold"));
  EXPECT_EQ(refusal({.temperature = 1, .top_p = 1, .min_p = 1, .xtc_probability = 1, .xtc_threshold = 0.5f}), "");
}

}  // namespace
}  // namespace hearth::generate
