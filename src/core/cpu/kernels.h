// The kernels of one instruction set as a table of functions, and the table in use.
//
// Kernels that have one version for every instruction set (sort, select, quantize, ...) are called by name instead.
// A new family is one line in HEARTH_KERNELS: it needs name_scalar, name_avx2 and name_avx512.
#pragma once

#include "core/cpu/attention.h"
#include "core/cpu/elementwise.h"
#include "core/cpu/isa.h"
#include "core/cpu/norm.h"
#include "core/cpu/product.h"
#include "core/cpu/quantize.h"
#include "core/cpu/reduce.h"
#include "core/cpu/rope.h"

namespace hearth::cpu {

//  X(name, arguments)
#define HEARTH_KERNELS(X)                         \
  X(matmul, MatmulArgs)                           \
  X(quantized_matmul, QuantizedMatmulArgs)        \
  X(dequantize, DequantizeArgs)                   \
  X(gather_rows_dequantize, GatherDequantizeArgs) \
  X(attention, AttentionArgs)                     \
  X(rms_norm, RmsNormArgs)                        \
  X(layer_norm, LayerNormArgs)                    \
  X(rope, RopeArgs)                               \
  X(unary, UnaryArgs)                             \
  X(binary, BinaryArgs)                           \
  X(copy, CopyArgs)                               \
  X(reduce, ReduceArgs)                           \
  X(arg_reduce, ArgReduceArgs)                    \
  X(softmax, SoftmaxArgs)                         \
  X(log_sum_exp, LogSumExpArgs)

struct Kernels {
  Isa isa;
#define HEARTH_MEMBER(name, Args) void (*name)(const Args&);
  HEARTH_KERNELS(HEARTH_MEMBER)
#undef HEARTH_MEMBER
};

// The table of active_isa(). Throws as that does.
const Kernels& kernels();

// For tests: any available instruction set's table. Throws std::invalid_argument when it is not available.
const Kernels& kernels_for(Isa isa);

}  // namespace hearth::cpu
