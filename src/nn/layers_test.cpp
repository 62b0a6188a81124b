#include <gtest/gtest.h>

#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/rms_norm.h"
#include "ops/testing.h"

namespace hearth::nn {
namespace {

using mx::array;
using testing::random_array;
using testing::same_bits;

Matrix quantized(const array& weight) {
  const auto parts = mx::quantize(weight, 32, 4);
  return {.weight = parts[0], .scales = parts[1], .biases = parts[2], .quantization = {.group_size = 32, .bits = 4}};
}

TEST(Linear, MultipliesByTheTransposedWeightAndAddsTheBias) {
  const array x = random_array({3, 64}, 1), weight = random_array({10, 64}, 2), bias = random_array({10}, 3);
  const array product = mx::matmul(x, mx::transpose(weight));
  EXPECT_TRUE(same_bits(Linear({.weight = weight})(x), product));
  EXPECT_TRUE(same_bits(Linear({.weight = weight}, bias)(x), mx::add(product, bias)));
}

// With BF16 weights are rounded to their type, as dequantized ones are; elsewhere they are exact.
TEST(Linear, EqualsItsDequantizedSelf) {
  testing::for_each_way_to_run([] {
    for (const mx::Dtype type : {mx::float16, mx::bfloat16}) {
      const array x = random_array({3, 64}, 1, type);
      const Matrix matrix = quantized(random_array({10, 64}, 2, type));
      const array dense = mx::dequantize(matrix.weight, *matrix.scales, *matrix.biases, 32, 4);
      const array y = Linear(matrix)(x), expected = Linear({.weight = dense})(x);
      if (cpu::active_isa() == cpu::Isa::kAvx512Bf16) {
        EXPECT_TRUE(same_bits(y, expected));
      } else {
        EXPECT_LE(testing::relative_difference(y, expected), type == mx::float16 ? 0x1p-10f : 0x1p-7f);
      }
    }
  });
}

// Alike, of other bits, dense: together they are what each is alone.
TEST(Linear, AppliesSeveralLayersToOneInput) {
  const array x = random_array({3, 64}, 1, mx::float16), bias = random_array({10}, 3, mx::float16);
  const array weight = random_array({10, 64}, 2, mx::float16);
  const Linear first(quantized(weight)), second(quantized(random_array({7, 64}, 4, mx::float16))),
      third({.weight = weight});
  const Linear biased(quantized(weight), bias);
  const auto check = [&](std::initializer_list<const Linear*> layers) {
    const std::vector<array> together = Linear::apply_all(layers, x);
    ASSERT_EQ(together.size(), layers.size());
    for (size_t i = 0; i < layers.size(); ++i) EXPECT_TRUE(same_bits(together[i], (*layers.begin()[i])(x)));
  };
  testing::for_each_way_to_run([&] {
    check({&first, &second, &biased});
    check({&first, &third});
  });
}

TEST(Embedding, LooksUpRowsAndServesAsHead) {
  const array table = random_array({20, 64}, 1, mx::float16), ids({4, 0, 19}, mx::int32);
  const array hidden = random_array({2, 64}, 2, mx::float16);
  const Embedding dense({.weight = table});
  EXPECT_TRUE(same_bits(dense(ids), mx::take(table, ids, 0)));
  EXPECT_TRUE(same_bits(dense.as_linear(hidden), mx::matmul(hidden, mx::transpose(table))));

  const Matrix packed = quantized(table);
  const Embedding small(packed);
  EXPECT_TRUE(
      same_bits(small(ids), mx::take(mx::dequantize(packed.weight, *packed.scales, *packed.biases, 32, 4), ids, 0)));
  EXPECT_TRUE(same_bits(small.as_linear(hidden), Linear(packed)(hidden)));
}

TEST(ResidualStream, NormsTheSumOfAllThatWasAdded) {
  const array x = random_array({3, 16}, 1), y = random_array({3, 16}, 2), z = random_array({3, 16}, 3);
  const RMSNorm norm{random_array({16}, 4), 1e-5f};
  ResidualStream h(x);
  EXPECT_TRUE(same_bits(h.normed(norm), norm(x)));
  h += y;
  EXPECT_TRUE(same_bits(h.normed(norm), norm(mx::add(x, y))));
  h += z;
  h += y;
  EXPECT_TRUE(same_bits(h.normed(norm), norm(mx::add(mx::add(mx::add(x, y), z), y))));
}

}  // namespace
}  // namespace hearth::nn
