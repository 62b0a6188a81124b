// RMS and layer normalisation of rows.
//
//   rms_norm:   out = x / sqrt(mean(x^2) + eps) * weight
//   layer_norm: out = (x - mean) / sqrt(var + eps) * weight + bias
//
// Shapes:  R rows of E elements, rows `..._stride` elements apart, E contiguous.
// Row law: sums run in 64 lanes on every instruction set, in float32; each output is rounded once.
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {

struct RmsNormArgs {
  Dtype type = Dtype::kFloat32;    // of x, residual, weight, sum, out: float32, float16 or bfloat16
  const void* x = nullptr;         // [R, E]
  const void* residual = nullptr;  // [R, E] or null: normalises x + residual, rounded to `type` first
  const void* weight = nullptr;    // [E] or null
  void* sum = nullptr;             // [R, E] receives x + residual; required with residual. May be x or residual
  void* out = nullptr;             // [R, E]; may be x or residual
  int64_t rows = 0, columns = 0;   // R, E
  int64_t x_stride = 0, residual_stride = 0, sum_stride = 0, out_stride = 0;
  float eps = 1e-5f;
};

struct LayerNormArgs {
  Dtype type = Dtype::kFloat32;
  const void* x = nullptr;       // [R, E]
  const void* weight = nullptr;  // [E] or null
  const void* bias = nullptr;    // [E] or null
  void* out = nullptr;           // [R, E]; may be x
  int64_t rows = 0, columns = 0;
  int64_t x_stride = 0, out_stride = 0;
  float eps = 1e-5f;
};

void rms_norm_scalar(const RmsNormArgs& args);
void rms_norm_avx2(const RmsNormArgs& args);
void rms_norm_avx512(const RmsNormArgs& args);

void layer_norm_scalar(const LayerNormArgs& args);
void layer_norm_avx2(const LayerNormArgs& args);
void layer_norm_avx512(const LayerNormArgs& args);

}  // namespace hearth::cpu
