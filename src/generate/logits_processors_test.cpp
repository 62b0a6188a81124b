#include "generate/logits_processors.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "generate/sampler_fixture.h"

namespace hearth::generate {
namespace {

using ::testing::HasSubstr;

ProcessorOptions read_processor_options(const Json& json) {
  ProcessorOptions options;
  if (json.contains("logit_bias"))
    options.logit_bias = json.at("logit_bias").get<std::vector<std::pair<int32_t, float>>>();
  options.repetition_penalty = json.value("repetition_penalty", 0.0f);
  options.repetition_context = json.value("repetition_context_size", 20);
  options.presence_penalty = json.value("presence_penalty", 0.0f);
  options.presence_context = json.value("presence_context_size", 20);
  options.frequency_penalty = json.value("frequency_penalty", 0.0f);
  options.frequency_context = json.value("frequency_context_size", 20);
  return options;
}

std::string refusal(const ProcessorOptions& options) {
  try {
    validate(options, 100);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(LogitsProcessors, ChangeLogitsAsMlxLmDoes) {
  const auto history = sampler_fixture().at("history").get<std::vector<int32_t>>();
  for (const Json& test : sampler_fixture().at("processors")) {
    std::vector<float> logits = fixture_row(test.at("row").get<size_t>());
    process(read_processor_options(test.at("options")), history, logits);
    const auto expected = test.at("logits").get<std::vector<float>>();
    for (size_t i = 0; i < logits.size(); ++i)
      ASSERT_NEAR(logits[i], expected[i], 1e-6 * std::fabs(expected[i]) + 1e-6) << test.at("options") << " token " << i;
  }
}

TEST(LogitsProcessors, IgnoreTokensBeyondTheRow) {
  std::vector<float> logits = {1, 2};
  process({.presence_penalty = 1}, std::vector<int32_t>{-1, 0, 7}, logits);
  EXPECT_THAT(logits, ::testing::ElementsAre(0, 2));
}

TEST(LogitsProcessors, NameTheOptionThatIsOutOfRange) {
  EXPECT_THAT(refusal({.logit_bias = {{100, 1.0f}}}), HasSubstr("logit_bias token 100"));
  EXPECT_THAT(refusal({.repetition_penalty = -1}), HasSubstr("repetition_penalty"));
  EXPECT_THAT(refusal({.presence_penalty = INFINITY}), HasSubstr("presence_penalty"));
  EXPECT_THAT(refusal({.frequency_context = -2}), HasSubstr("frequency_context"));
}

}  // namespace
}  // namespace hearth::generate
