#include "ops/quantized_embedding.h"

#include <gtest/gtest.h>

#include "ops/testing.h"

namespace hearth::ops {
namespace {

TEST(QuantizedEmbedding, HasTheBitsOfTheDequantizedTable) {
  testing::for_each_way_to_run([] {
    for (const mx::Dtype type : {mx::float32, mx::float16, mx::bfloat16}) {
      for (const int bits : {2, 3, 4, 5, 6, 8}) {
        const auto parts = mx::quantize(testing::random_array({40, 64}, 7, type), 32, bits);
        const mx::array ids({3, 0, 39, 3}, mx::int32);
        const mx::array rows = quantized_embedding(ids, parts[0], parts[1], parts[2], 32, bits);
        const mx::array expected = plain::quantized_embedding(ids, parts[0], parts[1], parts[2], 32, bits);
        EXPECT_TRUE(testing::same_bits(rows, expected)) << bits << " bits";
      }
    }
  });
}

}  // namespace
}  // namespace hearth::ops
