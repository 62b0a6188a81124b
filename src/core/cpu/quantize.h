// MLX's affine quantization: packing, unpacking, and gathering rows of a packed table.
//
// Format:  a row of K weights is K / G groups with a scale s and a bias b each; weight k is code q of `bits` bits,
//          w = s * q + b. Codes of a row lie in one little-endian stream of bits: code k in bits [k * bits,
//          (k + 1) * bits) of the row's K * bits / 8 bytes. This is how MLX packs 2, 3, 4, 5, 6 and 8 bits into uint32.
// Value:   dequantized weights are fma(s, q, b) in float32, rounded to the type of the scales.
// Source:  mlx/ops.h: quantize, dequantize.
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {

// A packed matrix [N, K] as it lies in a file: rows follow each other without gaps. Codes need no alignment.
struct QuantizedMatrix {
  const uint32_t* packed = nullptr;  // [N, K * bits / 32]
  const void* scales = nullptr;      // [N, K / group_size]
  const void* biases = nullptr;      // [N, K / group_size]
  int64_t n = 0, k = 0;              // k a multiple of group_size
  int bits = 4;                      // 2, 3, 4, 5, 6 or 8
  int group_size = 64;               // 32, 64 or 128
};

struct DequantizeArgs {
  Dtype type = Dtype::kFloat32;  // of scales, biases and out: float32, float16 or bfloat16
  QuantizedMatrix w;
  void* out = nullptr;     // [N, K]
  int64_t out_stride = 0;  // elements from row to row
};

// Rows of a packed table, e.g. embeddings. Requires 0 <= rows[i] < w.n.
struct GatherDequantizeArgs {
  Dtype type = Dtype::kFloat32;
  QuantizedMatrix w;
  const int32_t* rows = nullptr;  // [count]
  int64_t count = 0;
  void* out = nullptr;     // [count, K]
  int64_t out_stride = 0;  // elements from row to row
};

// MLX's own arithmetic, so that codes, scales and biases equal mlx::quantize's bit for bit.
struct QuantizeArgs {
  Dtype type = Dtype::kFloat32;  // of w, scales and biases
  const void* w = nullptr;       // [N, K]
  int64_t n = 0, k = 0;          // k a multiple of group_size
  int64_t w_stride = 0;          // elements from row to row
  int bits = 4;
  int group_size = 64;
  uint32_t* packed = nullptr;  // [N, K * bits / 32]
  void* scales = nullptr;      // [N, K / group_size]
  void* biases = nullptr;      // [N, K / group_size]
};

void dequantize_scalar(const DequantizeArgs& args);
void dequantize_avx2(const DequantizeArgs& args);
void dequantize_avx512(const DequantizeArgs& args);

void gather_rows_dequantize_scalar(const GatherDequantizeArgs& args);
void gather_rows_dequantize_avx2(const GatherDequantizeArgs& args);
void gather_rows_dequantize_avx512(const GatherDequantizeArgs& args);

// One version serves every instruction set.
void quantize(const QuantizeArgs& args);

}  // namespace hearth::cpu
