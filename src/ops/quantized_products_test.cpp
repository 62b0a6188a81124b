#include "ops/quantized_products.h"

#include <gtest/gtest.h>

#include "ops/testing.h"

namespace hearth::ops {
namespace {

std::vector<QuantizedMatrix> matrices(mx::Dtype type) {
  std::vector<QuantizedMatrix> all;
  for (const int n : {40, 8, 13}) {
    const auto parts = mx::quantize(testing::random_array({n, 128}, 7, type), 64, 4);
    all.push_back({parts[0], parts[1], parts[2]});
  }
  return all;
}

TEST(QuantizedProducts, HaveTheBitsOfOneProductAfterTheOther) {
  testing::for_each_way_to_run([] {
    for (const mx::Dtype type : {mx::float32, mx::float16, mx::bfloat16}) {
      const mx::array x = testing::random_array({11, 128}, 1, mx::float16);  // meets scales of other types, too
      const auto together = quantized_products(x, matrices(type), 64, 4);
      const auto apart = plain::quantized_products(x, matrices(type), 64, 4);
      ASSERT_EQ(together.size(), 3u);
      for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(testing::same_bits(together[i], apart[i])) << i;
    }
  });
}

TEST(QuantizedProducts, RefuseMatricesThatDoNotFit) {
  const mx::array x = testing::random_array({2, 64}, 1);
  EXPECT_THROW(quantized_products(x, matrices(mx::float32), 64, 4), std::invalid_argument);
  EXPECT_THROW(quantized_products(x, {}, 64, 4), std::invalid_argument);
}

}  // namespace
}  // namespace hearth::ops
