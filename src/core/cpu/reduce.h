// Reductions: sums, products, extrema, all, any; positions of extrema; softmax and log-sum-exp of rows; running totals.
//
// Row law: element i of the reduced axes (in row-major order) goes to lane i % 16, lanes are combined in a fixed tree.
//          So the bits depend on the row's values alone, not on strides, on rows beside it, on threads or on the
//          instruction set. float16 and bfloat16 accumulate in float32, integers in 64 bits.
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {

enum class ReduceOp : uint8_t { kSum, kProduct, kMax, kMin, kAll, kAny };

// Reduces the last `reduced` of `rank` dimensions: permute the strides to bring the wanted axes last. out is dense over
// the others. An empty reduction gives 0, 1, -inf (or the lowest integer), inf (the highest), true, false.
struct ReduceArgs {
  ReduceOp op;
  Dtype type;      // of x
  Dtype out_type;  // converted to at the end; bool for all and any
  Operand x;
  void* out;
  const int32_t* shape;
  int rank, reduced;
};

enum class ArgReduceOp : uint8_t { kArgMax, kArgMin };

// Index along the last dimension of the extreme element; the lowest where several are equal; the first NaN if there is
// one. Requires a last dimension of at least 1.
struct ArgReduceArgs {
  ArgReduceOp op;
  Dtype type;
  Operand x;
  uint32_t* out;  // dense over the first rank - 1 dimensions
  const int32_t* shape;
  int rank;
};

// out = exp(x - max) / sum, each row for itself; float32 inside.
struct SoftmaxArgs {
  Dtype type;     // of x and out: float32, float16, bfloat16 or float64
  const void* x;  // [rows, columns], columns contiguous
  void* out;      // likewise; may be x
  int64_t rows, columns;
  int64_t x_stride, out_stride;  // elements from row to row
};

// out = log(sum(exp(x))) of each row, in one pass over it.
struct LogSumExpArgs {
  Dtype type;     // of x and out, as above
  const void* x;  // [rows, columns], columns contiguous
  void* out;      // [rows]
  int64_t rows, columns;
  int64_t x_stride;
};

enum class ScanOp : uint8_t { kSum, kProduct, kMax, kMin };

// Running totals along the middle of [outer, length, inner], all dense.
struct ScanArgs {
  ScanOp op;
  Dtype type;  // of x and out
  const void* x;
  void* out;  // may be x
  int64_t outer, length, inner;
  bool reverse;    // from the end
  bool inclusive;  // out[i] includes x[i]; otherwise it starts with the operation's neutral element
};

void reduce_scalar(const ReduceArgs& args);
void reduce_avx2(const ReduceArgs& args);
void reduce_avx512(const ReduceArgs& args);

void arg_reduce_scalar(const ArgReduceArgs& args);
void arg_reduce_avx2(const ArgReduceArgs& args);
void arg_reduce_avx512(const ArgReduceArgs& args);

void softmax_scalar(const SoftmaxArgs& args);
void softmax_avx2(const SoftmaxArgs& args);
void softmax_avx512(const SoftmaxArgs& args);

void log_sum_exp_scalar(const LogSumExpArgs& args);
void log_sum_exp_avx2(const LogSumExpArgs& args);
void log_sum_exp_avx512(const LogSumExpArgs& args);

// One version serves every instruction set.
void scan(const ScanArgs& args);

}  // namespace hearth::cpu
