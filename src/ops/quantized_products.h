// Products of one x with several quantized matrices: queries, keys and values; gate and up.
#pragma once

#include <vector>

#include "core/mx.h"

namespace hearth::ops {

// A matrix [N, K] as mx::quantize gives it.
struct QuantizedMatrix {
  mx::array w, scales, biases;
};

// quantized_matmul(x, matrix) for each of the matrices, with its bits. What a product does with x alone is done once
// for all, and one fork of the threads serves them. x [..., K] -> [..., N] each, in the type of x promoted with that of
// all scales. Requires at least one matrix.
std::vector<mx::array> quantized_products(const mx::array& x, const std::vector<QuantizedMatrix>& matrices,
                                          int group_size, int bits);

namespace plain {
// One after the other.
std::vector<mx::array> quantized_products(const mx::array& x, const std::vector<QuantizedMatrix>& matrices,
                                          int group_size, int bits);
}  // namespace plain

}  // namespace hearth::ops
