#include "nn/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "ops/testing.h"

namespace hearth::nn {
namespace {

// transformers' numbers (tools/make_transformers_fixtures.py).
const Json& fixture() {
  static const Json json = load_json(HEARTH_SOURCE_DIR "/src/nn/testdata/activations.json");
  return json;
}

TEST(Activation, HasTransformersValuesOfEveryFunctionWithoutLearnedNumbers) {
  const auto x = fixture()["x"].get<std::vector<float>>();
  const mx::array gate(x.begin(), mx::Shape{static_cast<int>(x.size())}, mx::float32);
  ASSERT_GT(fixture()["functions"].size(), 20u);
  for (const auto& [name, expected] : fixture()["functions"].items()) {
    const auto activation = Activation::by_name(name);
    ASSERT_TRUE(activation) << name;
    const std::vector<float> values = testing::to_floats(activation->gated(gate, mx::full_like(gate, mx::array(1.0f))));
    for (size_t i = 0; i < x.size(); ++i) {
      const double right = expected[i];
      EXPECT_NEAR(values[i], right, 4e-6 * std::max(1.0, std::abs(right))) << name << " of " << x[i];
    }
  }
}

TEST(Activation, RoundsOnceInEveryType) {
  testing::for_each_way_to_run([] {
    const mx::array gate = mx::multiply(testing::random_array({3, 77}, 1), mx::array(4.0f));
    for (const mx::Dtype type : {mx::float16, mx::bfloat16}) {
      const mx::array g = mx::astype(gate, type), u = testing::random_array({3, 77}, 2, type);
      for (const char* name : {"relu", "gelu", "gelu_new", "relu2"}) {
        const Activation activation = *Activation::by_name(name);
        const mx::array wide = activation.gated(mx::astype(g, mx::float32), mx::astype(u, mx::float32));
        EXPECT_TRUE(testing::same_bits(activation.gated(g, u), mx::astype(wide, type))) << name;
      }
    }
  });
}

TEST(Activation, KnowsNoOtherNames) {
  for (const char* name : {"prelu", "xielu", "SiLU", "", "relu "}) EXPECT_FALSE(Activation::by_name(name)) << name;
  EXPECT_TRUE(Activation().is_silu());
  EXPECT_TRUE(Activation::by_name("swish")->is_silu());
  EXPECT_FALSE(Activation::by_name("relu")->is_silu());
}

}  // namespace
}  // namespace hearth::nn
