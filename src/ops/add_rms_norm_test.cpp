#include "ops/add_rms_norm.h"

#include <gtest/gtest.h>

#include "ops/testing.h"

namespace hearth::ops {
namespace {

using testing::random_array;

TEST(AddRMSNorm, HasTheBitsOfTheTwoOperations) {
  testing::for_each_way_to_run([] {
    for (const mx::Dtype type : {mx::float32, mx::float16, mx::bfloat16}) {
      for (const int width : {8, 36, 576}) {
        const mx::array x = random_array({5, width}, 1, type), r = random_array({5, width}, 2, type);
        const mx::array weight = random_array({width}, 3, type);
        const auto [sum, normed] = add_rms_norm(x, r, weight, 1e-5f);
        const auto [plain_sum, plain_normed] = plain::add_rms_norm(x, r, weight, 1e-5f);
        EXPECT_TRUE(testing::same_bits(sum, plain_sum));
        EXPECT_TRUE(testing::same_bits(normed, plain_normed));
      }
    }
  });
}

TEST(AddRMSNorm, PromotesWhenTypesDiffer) {
  const mx::array x = random_array({2, 16}, 1, mx::bfloat16), weight = random_array({16}, 2);
  const auto [sum, normed] = add_rms_norm(x, x, weight, 1e-5f);
  const auto [plain_sum, plain_normed] = plain::add_rms_norm(x, x, weight, 1e-5f);
  EXPECT_EQ(sum.dtype(), mx::bfloat16);
  EXPECT_EQ(normed.dtype(), plain_normed.dtype());
  EXPECT_TRUE(testing::same_bits(normed, plain_normed));
}

TEST(AddRMSNorm, RefusesAWeightOfAnotherWidth) {
  const mx::array x = random_array({2, 16}, 1);
  EXPECT_THROW(add_rms_norm(x, x, random_array({15}, 2), 1e-5f), std::invalid_argument);
  EXPECT_THROW(add_rms_norm(x, random_array({3, 16}, 2), random_array({16}, 2), 1e-5f), std::invalid_argument);
}

}  // namespace
}  // namespace hearth::ops
