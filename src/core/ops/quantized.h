// Matrices of a few bits a weight.
//
// Shapes: w [..., N, K * bits / 32] uint32, K consecutive values of `bits` each, lowest bits first; scales and biases
//         [..., N, K / group_size]; a weight is scale * q + bias (mode "affine", the one this engine computes on).
// group_size 32, 64 or 128 (64 unless given); bits 2, 3, 4, 5, 6 or 8 (4 unless given).
// Source: mlx/ops.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/array.h"
#include "core/stream.h"

namespace hearth::core {

// x [..., K] by wᵀ (transpose) -> [..., N], or x [..., N] by w -> [..., K]. The result has the type of x, promoted with
// the scales'. With transpose and one matrix, on a CPU with BF16, equals matmul(x, dequantize(w)), bit for bit when x
// and the scales have one 16-bit type; on others weights are not rounded, but x is: to 16-bit integers, which the
// largest of its group of group_size fills (core/cpu/integer_product.h).
array quantized_matmul(const array& x, const array& w, const array& scales,
                       const std::optional<array>& biases = std::nullopt, bool transpose = true,
                       std::optional<int> group_size = std::nullopt, std::optional<int> bits = std::nullopt,
                       const std::string& mode = "affine", StreamOrDevice s = {});

// {w, scales, biases} of a float matrix; the last axis must be a multiple of group_size.
std::vector<array> quantize(const array& w, std::optional<int> group_size = std::nullopt,
                            std::optional<int> bits = std::nullopt, const std::string& mode = "affine",
                            const std::optional<array>& global_scale = std::nullopt, StreamOrDevice s = {});

// The weights [..., N, K], in the scales' type unless dtype is given.
array dequantize(const array& w, const array& scales, const std::optional<array>& biases = std::nullopt,
                 std::optional<int> group_size = std::nullopt, std::optional<int> bits = std::nullopt,
                 const std::string& mode = "affine", const std::optional<array>& global_scale = std::nullopt,
                 std::optional<Dtype> dtype = std::nullopt, StreamOrDevice s = {});

namespace detail {

struct PackedMatrix {
  array w, scales, biases;
};

// quantized_matmul(x, matrix, transpose) for each of several matrices of one format, which share the rounding of x. For
// ops/, which gives it its public name. Scales are promoted to one type. Requires at least one matrix, of rank 2.
std::vector<array> quantized_matmuls(const array& x, const std::vector<PackedMatrix>& matrices, int group_size,
                                     int bits, StreamOrDevice s = {});

// take(dequantize(w, scales, biases), indices, 0) without expanding the rest: w as above with rank 2, indices of any
// shape and integer type -> [..., K]. For ops/, which gives it its public name. An index out of [-N, N) gives zeros.
array take_dequantized(const array& w, const array& scales, const array& biases, const array& indices, int group_size,
                       int bits, StreamOrDevice s = {});

}  // namespace detail

}  // namespace hearth::core
