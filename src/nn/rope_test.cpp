#include "nn/rope.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "ops/testing.h"

namespace hearth::nn {
namespace {

Rope make_rope(const Json& config, int dims) {
  const weights::ConfigReader reader(config, "config.json");
  return Rope::from_config(reader,
                           {.dims = dims, .max_position_embeddings = config.value("max_position_embeddings", 0)});
}

Rope make_rope(const char* config) { return make_rope(Json::parse(config), 8); }

TEST(Rope, HasTheFrequenciesOfMlxLm) {
  for (const Json& test : load_json(HEARTH_SOURCE_DIR "/src/nn/testdata/rope.json")) {
    const Rope rope = make_rope(test["config"], test["dims"]);
    const mx::array position({test["position"].get<int>()}, mx::int32);
    const std::vector<float> freqs = testing::to_floats(rope.at(position).freqs);
    const auto expected = test["freqs"].get<std::vector<float>>();
    ASSERT_EQ(freqs.size(), expected.size()) << test["config"];
    for (size_t i = 0; i < freqs.size(); ++i) {
      EXPECT_NEAR(freqs[i] / expected[i], 1.0f, 2e-6f) << test["config"] << " pair " << i;
    }
  }
}

TEST(Rope, ScalesByTheMscaleOfMlxLm) {
  for (const Json& test : load_json(HEARTH_SOURCE_DIR "/src/nn/testdata/rope.json")) {
    const Rope rope = make_rope(test["config"], test["dims"]);
    const mx::array start({0}, mx::int32);  // where nothing turns
    const mx::array ones = mx::ones({1, 1, test["dims"].get<int>()});
    EXPECT_NEAR(testing::to_floats(rope(ones, rope.at(start)))[0], test["mscale"].get<float>(), 1e-6f)
        << test["config"];
  }
}

// Configs that mlx-lm reads otherwise, or not at all (tools/make_transformers_fixtures.py).
TEST(Rope, ReadsConfigsAsTransformersDoes) {
  const Json cases = load_json(HEARTH_SOURCE_DIR "/src/nn/testdata/rope_transformers.json");
  ASSERT_GT(cases.size(), 30u);
  for (const Json& test : cases) {
    const Json& config = test["config"];
    const weights::ConfigReader reader(config, "config.json");
    const Rope rope =
        Rope::from_config(reader,
                          {.dims = config["hidden_size"].get<int>() / config["num_attention_heads"].get<int>(),
                           .max_position_embeddings = config["max_position_embeddings"]},
                          test.value("layer_type", "full_attention"));
    const mx::array start({0}, mx::int32);
    const std::vector<float> freqs = testing::to_floats(rope.at(start).freqs);
    const auto inverse = test["inverse"].get<std::vector<double>>();
    ASSERT_EQ(freqs.size(), inverse.size()) << config;
    for (size_t i = 0; i < freqs.size(); ++i)
      EXPECT_NEAR(1.0 / freqs[i], inverse[i], 2e-6 * inverse[i]) << config << " pair " << i;
    const mx::array ones = mx::ones({1, 1, 2 * static_cast<int>(freqs.size())});
    EXPECT_NEAR(testing::to_floats(rope(ones, rope.at(start)))[0], test["mscale"].get<float>(), 1e-6f) << config;
  }
}

TEST(Rope, LeavesPairsThatDoNotTurnAsTheyAre) {
  const Rope rope = make_rope(R"({"rope_parameters": {"rope_type": "proportional", "partial_rotary_factor": 0.5}})");
  const mx::array x = testing::random_array({3, 2, 8}, 1);
  const mx::array turned = rope(x, rope.at(mx::arange(5, 8)));
  for (const int still : {2, 3, 6, 7}) {
    const auto column = [&](const mx::array& a) { return mx::slice(a, {0, 0, still}, {3, 2, still + 1}); };
    EXPECT_TRUE(testing::same_bits(column(x), column(turned))) << still;
  }
}

TEST(Rope, StretchesTheContextByTheFactor) {
  const auto length = [](const std::string& scaling) {
    return make_rope((R"({"max_position_embeddings": 64, "rope_scaling": )" + scaling + "}").c_str()).context_length();
  };
  EXPECT_EQ(make_rope("{}").context_length(), 0);
  EXPECT_EQ(length("null"), 64);
  EXPECT_EQ(length(R"({"rope_type": "linear", "factor": 2.0})"), 128);
  EXPECT_EQ(length(R"({"rope_type": "dynamic", "factor": 2.5})"), 160);
  EXPECT_EQ(length(R"({"rope_type": "yarn", "factor": 4.0})"), 256);
  EXPECT_EQ(length(R"({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32})"), 128);
  EXPECT_EQ(length(R"({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16})"), 64);
  EXPECT_EQ(length(R"({"rope_type": "yarn", "factor": 1e6, "original_max_position_embeddings": 100000})"), 1 << 30);
  EXPECT_EQ(length(R"({"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 16})"), 64);
}

TEST(Rope, TurnsATokenTheSameWhateverComesAfterIt) {
  const Rope rope = make_rope(R"({"max_position_embeddings": 4, "rope_scaling": {"type": "dynamic", "factor": 2.0}})");
  const mx::array x = testing::random_array({9, 2, 8}, 1);
  const mx::array all = rope(x, rope.at(mx::arange(9)));
  for (int t = 0; t < 9; ++t) {
    const mx::array alone = rope(mx::slice(x, {t, 0, 0}, {t + 1, 2, 8}), rope.at(mx::arange(t, t + 1)));
    EXPECT_TRUE(testing::same_bits(alone, mx::slice(all, {t, 0, 0}, {t + 1, 2, 8}))) << t;
  }
}

TEST(Rope, NamesTheKeyThatIsWrong) {
  const auto key_of_error = [](const char* config) -> std::string {
    try {
      make_rope(config);
    } catch (const LoadError& error) {
      return error.key();
    }
    return "no error";
  };
  EXPECT_EQ(key_of_error(R"({"rope_scaling": {"rope_type": "spiral"}})"), "rope_scaling.rope_type");
  EXPECT_EQ(key_of_error(R"({"rope_scaling": {"type": "linear"}})"), "rope_scaling.factor");
  EXPECT_EQ(key_of_error(R"({"rope_scaling": {"type": "linear", "factor": 0}})"), "rope_scaling.factor");
  EXPECT_EQ(key_of_error(R"({"rope_scaling": {"type": "llama3", "factor": 8, "high_freq_factor": 0.5}})"),
            "rope_scaling.high_freq_factor");
  EXPECT_EQ(key_of_error(R"({"max_position_embeddings": 64, "original_max_position_embeddings": 16,
                             "rope_scaling": {"type": "longrope", "long_factor": [1, 2]}})"),
            "rope_scaling.long_factor");
  EXPECT_EQ(key_of_error(R"({"rope_scaling": {"type": "dynamic", "factor": 2}})"), "max_position_embeddings");
  EXPECT_EQ(key_of_error(R"({"rope_scaling": {"type": "yarn", "factor": 2}})"), "max_position_embeddings");
  EXPECT_EQ(key_of_error(R"({"rope_scaling": {"rope_type": "yarn", "factor": 2, "truncate": 1},
                             "max_position_embeddings": 64})"),
            "rope_scaling.truncate");
  EXPECT_EQ(key_of_error(R"({"rope_scaling": {"rope_type": "linear", "factor": 2, "partial_rotary_factor": 0.5}})"),
            "rope_scaling.partial_rotary_factor");
  EXPECT_EQ(key_of_error(R"({"rope_parameters": {"sliding_attention": {}}})"), "rope_parameters.full_attention");
  EXPECT_EQ(key_of_error(R"({"rope_parameters": {"full_attention": {"rope_theta": "big"}}})"),
            "rope_parameters.full_attention.rope_theta");
  EXPECT_EQ(key_of_error(R"({"rope_theta": -1})"), "rope_theta");
  EXPECT_EQ(key_of_error(R"({"rope_scaling": 3})"), "rope_scaling");
}

}  // namespace
}  // namespace hearth::nn
