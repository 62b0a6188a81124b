// Matrix products with K contiguous on both sides, dense and with quantized weights: y = x . W^T.
//
// Shapes:  x [M, K], W [N, K], y [M, N]. Any M, N, K >= 0; K = 0 gives zeros.
// Row law: the bits of y[m, n] depend on row m of x and row n of W alone: not on M, N, alignment or threads.
// Dense:   products accumulate in float32, in one order of summation along K on scalar, AVX2 and AVX-512 (the
//          product_lanes headers state it; bfloat16 has its own on AVX-512 with BF16), and round once.
// Quantized, on scalar, AVX2 and AVX-512: in integers, with the same bits on all three (integer_product.h).
// Quantized, on AVX-512 with BF16: W is expanded to floats rounded to the type of its scales, so that
//          quantized_matmul(x, W) equals matmul(x, dequantize(W)) bit for bit. Where x and the scales have different
//          types, in integers as elsewhere.
// Types:   float32, float16 or bfloat16.
// Threads: split by parallel_for over rows of W and blocks of x.
#pragma once

#include <span>

#include "core/cpu/dtype.h"
#include "core/cpu/quantize.h"

namespace hearth::cpu {

struct MatmulArgs {
  Dtype type = Dtype::kFloat32;  // of x, w and y
  const void* x = nullptr;
  const void* w = nullptr;
  void* y = nullptr;  // overlaps nothing else
  int64_t m = 0, n = 0, k = 0;
  int64_t x_stride = 0, w_stride = 0, y_stride = 0;  // elements from row to row
};

// y[i] = x[rows[i]] . W^T for i < m.
struct QuantizedProduct {
  QuantizedMatrix w;  // [N, K] gives n and k
  void* y = nullptr;  // overlaps nothing else
  int64_t y_stride = 0;
  int64_t m = 0;
  const int32_t* rows = nullptr;  // null: row i
};

// Products of one x: neighbours with the same bits, group size and no list of rows share its rounding and one region of
// threads.
struct QuantizedMatmulArgs {
  Dtype x_type = Dtype::kFloat32, scale_type = Dtype::kFloat32, y_type = Dtype::kFloat32;
  const void* x = nullptr;
  int64_t x_stride = 0;  // elements from row to row
  std::span<const QuantizedProduct> products;
};

void matmul_scalar(const MatmulArgs& args);
void matmul_avx2(const MatmulArgs& args);
void matmul_avx512(const MatmulArgs& args);
void matmul_avx512bf16(const MatmulArgs& args);

void quantized_matmul_scalar(const QuantizedMatmulArgs& args);
void quantized_matmul_avx2(const QuantizedMatmulArgs& args);
void quantized_matmul_avx512(const QuantizedMatmulArgs& args);
void quantized_matmul_avx512bf16(const QuantizedMatmulArgs& args);

}  // namespace hearth::cpu
