// Rotary position embedding: pairs of a head's first D_rot elements turn by an angle that grows with the position.
//
//   angle_i = position * position_scale * (1 / freqs[i]);  (a, b) -> mscale * (a cos - b sin, a sin + b cos)
//
// Shapes:  T tokens, H heads, D head size, D_rot <= D rotated elements; the rest is copied.
// Row law: a token's angles depend on its position alone; cos and sin are computed once a token for all heads, and have
//          the same bits on every instruction set.
// Source:  Su et al. 2021 (RoFormer); freqs as in mx::fast::rope.
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {

struct RopeArgs {
  Dtype type = Dtype::kFloat32;                   // of x and out: float32, float16 or bfloat16
  const void* x = nullptr;                        // [T, H, D]; D contiguous
  void* out = nullptr;                            // [T, H, D]; may be x when the strides agree
  int64_t x_token_stride = 0, x_head_stride = 0;  // elements
  int64_t out_token_stride = 0, out_head_stride = 0;
  int tokens = 0, heads = 0, head_size = 0;
  int rotated = 0;                     // D_rot, even
  const int32_t* positions = nullptr;  // [T] absolute positions; null: offset, offset + 1, ...
  int64_t offset = 0;                  // used when positions is null
  const float* freqs = nullptr;        // [D_rot / 2]
  bool traditional = false;            // pairs are (2i, 2i + 1); otherwise (i, i + D_rot / 2)
  float mscale = 1.0f;                 // multiplies the rotated elements (yarn, longrope)
  float position_scale = 1.0f;         // multiplies the position ("scale" of mx::fast::rope)
};

void rope_scalar(const RopeArgs& args);
void rope_avx2(const RopeArgs& args);
void rope_avx512(const RopeArgs& args);

}  // namespace hearth::cpu
