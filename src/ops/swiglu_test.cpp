#include "ops/swiglu.h"

#include <gtest/gtest.h>

#include "ops/testing.h"

namespace hearth::ops {
namespace {

using testing::random_array;
using testing::relative_difference;

TEST(SwiGLU, EqualsThePlainVersionInEveryType) {
  testing::for_each_way_to_run([] {
    for (const auto& [type, tolerance] : {std::pair{mx::float32, 2e-6f}, {mx::float16, 1e-3f}, {mx::bfloat16, 8e-3f}}) {
      const mx::array gate = mx::multiply(random_array({3, 77}, 1), mx::array(4.0f));
      const mx::array g = mx::astype(gate, type), u = random_array({3, 77}, 2, type);
      EXPECT_LE(relative_difference(swiglu(g, u), plain::swiglu(g, u)), tolerance);
    }
  });
}

TEST(SwiGLU, ReadsTransposedInputs) {
  const mx::array gate = random_array({5, 8}, 1), up = random_array({5, 8}, 2);
  const mx::array expected = mx::transpose(swiglu(gate, up));
  EXPECT_TRUE(testing::same_bits(swiglu(mx::transpose(gate), mx::transpose(up)), expected));
}

TEST(SwiGLU, RefusesShapesAndTypesThatDiffer) {
  const mx::array x = random_array({2, 8}, 1);
  EXPECT_THROW(swiglu(x, random_array({2, 7}, 1)), std::invalid_argument);
  EXPECT_THROW(swiglu(x, random_array({2, 8}, 1, mx::float16)), std::invalid_argument);
  EXPECT_THROW(swiglu(mx::astype(x, mx::int32), mx::astype(x, mx::int32)), std::invalid_argument);
}

}  // namespace
}  // namespace hearth::ops
