#include "weights/quantization.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "weights/scratch_folder_test.h"

namespace hearth::weights {
namespace {

QuantizationRecipe recipe(const char* text) {
  const Json json = parse_json(text, "c");
  return QuantizationRecipe(ConfigReader(json, "c"));
}

TEST(QuantizationRecipe, GivesLayersWithoutAnEntryTheGlobalValues) {
  const auto r = recipe(R"({"quantization": {"group_size": 32, "bits": 4}})");
  EXPECT_EQ(r.of_layer("model.norm"), (Quantization{.group_size = 32, .bits = 4}));
  EXPECT_FALSE(r.names("model.norm"));
  EXPECT_EQ(QuantizationRecipe().of_layer("x"), std::nullopt);
  EXPECT_EQ(recipe("{}").of_layer("x"), std::nullopt);
}

TEST(QuantizationRecipe, LetsLayersDifferOrOptOut) {
  const auto r = recipe(R"({"quantization": {"group_size": 64, "bits": 3, "mode": "affine",
      "a": {"group_size": 32, "bits": 8}, "b": false, "c": true, "d": {"bits": 6}}})");
  EXPECT_EQ(r.of_layer("a"), (Quantization{.group_size = 32, .bits = 8}));
  EXPECT_EQ(r.of_layer("b"), std::nullopt);
  EXPECT_TRUE(r.names("b"));
  EXPECT_EQ(r.of_layer("c"), (Quantization{.group_size = 64, .bits = 3}));
  EXPECT_EQ(r.of_layer("d"), (Quantization{.group_size = 64, .bits = 6}));
}

TEST(QuantizationRecipe, FallsBackToQuantizationConfig) {
  EXPECT_EQ(recipe(R"({"quantization_config": {"group_size": 64, "bits": 4}})").of_layer("x")->bits, 4);
  EXPECT_EQ(recipe(R"({"quantization_config": {}})").of_layer("x"), std::nullopt);
  EXPECT_EQ(recipe(R"({"quantization": {"group_size": 64, "bits": 8},
                       "quantization_config": {"quant_method": "awq"}})")
                .of_layer("x")
                ->bits,
            8);
}

TEST(QuantizationRecipe, RefusesWhatNoKernelCanRead) {
  EXPECT_EQ(refusal([] { recipe(R"({"quantization": {"group_size": 48, "bits": 4}})"); }),
            "c: quantization.group_size: 48 is none of 32, 64, 128");
  EXPECT_EQ(refusal([] { recipe(R"({"quantization": {"group_size": 64, "bits": 7}})"); }),
            "c: quantization.bits: 7 is none of 2, 3, 4, 5, 6, 8");
  EXPECT_EQ(refusal([] { recipe(R"({"quantization": {"group_size": 64, "bits": 4, "lm_head": {"bits": 1}}})"); }),
            "c: quantization.lm_head.bits: 1 is none of 2, 3, 4, 5, 6, 8");
  EXPECT_EQ(refusal([] { recipe(R"({"quantization": {"group_size": 32, "bits": 4, "mode": "mxfp4"}})"); }),
            "c: quantization.mode: quantization mode 'mxfp4' is not supported, only affine");
  EXPECT_EQ(refusal([] { recipe(R"({"quantization_config": {"quant_method": "gptq", "bits": 4}})"); }),
            "c: quantization_config.quant_method: 'gptq' is not MLX's format; convert the model first");
  EXPECT_EQ(refusal([] { recipe(R"({"quantization": {"bits": 4}})"); }), "c: quantization.group_size: missing");
  EXPECT_EQ(refusal([] { recipe(R"({"quantization": 4})"); }), "c: quantization: 4 is not an object");
  EXPECT_EQ(refusal([] { recipe(R"({"quantization": {"group_size": 64, "bits": 4, "model.norm": 1}})"); }),
            "c: quantization.model.norm: neither an object nor false");
}

}  // namespace
}  // namespace hearth::weights
