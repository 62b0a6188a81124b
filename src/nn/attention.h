// Self-attention with rotary positions and grouped key/value heads: the block that most families share.
//
// Shapes:  T tokens, E model width, H query heads, Hkv key/value heads, D head size.
#pragma once

#include <optional>

#include "cache/ragged_batch.h"
#include "nn/linear.h"
#include "nn/rms_norm.h"
#include "nn/rope.h"

namespace hearth::nn {

struct Attention {
  Linear q_proj, k_proj, v_proj, o_proj;
  std::optional<RMSNorm> q_norm, k_norm;  // over each head, before the rotation
  int heads, kv_heads, head_dim;
  int window = 0;  // latest tokens that a token sees, itself included; 0: all

  // Numbers of a head as caches and kernels hold it: D, or zeros behind it up to the next multiple of 8.
  static int kept_size(int head_dim) { return (head_dim + 7) / 8 * 8; }

  // x [T, E] -> [T, E]; appends the tokens' keys and values to the batch's caches of `layer`.
  mx::array operator()(const mx::array& x, const Rope& rope, const Rope::Step& step, cache::RaggedBatch& batch,
                       int layer) const;
};

}  // namespace hearth::nn
