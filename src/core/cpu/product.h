// Matrix products with K contiguous on both sides, dense and with quantized weights: y = x . W^T.
//
// Shapes:  x [M, K], W [N, K], y [M, N]. Any M, N, K >= 0; K = 0 gives zeros.
// Row law: the bits of y[m, n] depend on row m of x and row n of W alone: not on M, N, alignment or threads.
//          All kernels of one instruction set and type share one order of summation along K (the product_lanes headers
//          state it), so quantized_matmul(x, W) equals matmul(x, dequantize(W)) bit for bit, one row at a time or 512
//          at once.
// Types:   float32, float16 or bfloat16; products accumulate in float32 and round once.
// Threads: split by parallel_for over rows of W and blocks of x.
#pragma once

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

struct QuantizedMatmulArgs {
  Dtype type = Dtype::kFloat32;  // of x, w.scales, w.biases and y
  const void* x = nullptr;
  QuantizedMatrix w;  // [N, K] gives n and k
  void* y = nullptr;  // overlaps nothing else
  int64_t m = 0;
  int64_t x_stride = 0, y_stride = 0;  // elements from row to row
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
