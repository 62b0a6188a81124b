#include "ops/grow_rows.h"

#include <gtest/gtest.h>

#include "ops/testing.h"

namespace hearth::ops {
namespace {

TEST(GrowRows, KeepsTheRowsThatWereThere) {
  const mx::array x = testing::random_array({3, 5, 8}, 1);
  const mx::array grown = grow_rows(x, 9);
  EXPECT_EQ(grown.shape(), (mx::Shape{3, 9, 8}));
  EXPECT_EQ(plain::grow_rows(x, 9).shape(), grown.shape());
  EXPECT_TRUE(testing::same_bits(mx::slice(grown, {0, 0, 0}, {3, 5, 8}), x));
}

TEST(GrowRows, MakesATableOutOfNothing) { EXPECT_EQ(grow_rows(mx::zeros({2, 0, 8}), 4).nbytes(), 2u * 4 * 8 * 4); }

TEST(GrowRows, RefusesToShrink) {
  EXPECT_THROW(grow_rows(testing::random_array({3, 5, 8}, 1), 4), std::invalid_argument);
  EXPECT_THROW(grow_rows(testing::random_array({3, 5}, 1), 9), std::invalid_argument);
}

}  // namespace
}  // namespace hearth::ops
