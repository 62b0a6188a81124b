// Scaled dot-product attention of runs of new tokens over their key and value caches: prefill and decode in one.
//
//   out[t, h] = sum over seen keys j of softmax_j(cap(scale * q[t, h] . k[j, h / (H / Hkv)])) v[j, h / (H / Hkv)]
//
// Shapes:  T rows (tokens) of a run, H query heads, Hkv key/value heads (H a multiple), D head size, Dv value size.
// Row law: keys are taken in spans of kAttentionSpan, aligned to absolute positions. Within a span scores, maximum, sum
//          and weighted values are computed in one fixed order; spans are merged in ascending order. Keys a row does
//          not see are skipped, not multiplied by zero. So a row's bits depend on its q, on the keys and values it sees
//          and on their positions; not on T, on other rows, on runs beside it, on the ring's layout, on threads or on
//          the instruction set.
// Cost:    every key and value is read once for all H / Hkv heads and all rows of a tile of rows; scratch per thread
//          is about kAttentionSpan * (D + Dv) * 4 + 100 kB, and never grows with the number of keys times rows.
// Source:  Dao et al. 2022 (FlashAttention), section 3.1; sinks as in gpt-oss.
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {

inline constexpr int kAttentionSpan = 128;
inline constexpr int kAttentionMaxHeadSize = 256;

// One sequence's new tokens and its cache. Row t stands at position first_position + t.
struct AttentionRun {
  const void* q = nullptr;                        // [T, H, D]; D contiguous
  void* out = nullptr;                            // [T, H, Dv]; Dv contiguous
  int64_t q_token_stride = 0, q_head_stride = 0;  // elements, as all strides here
  int64_t out_token_stride = 0, out_head_stride = 0;

  const void* k = nullptr;  // [Hkv, slots, D]; D contiguous
  const void* v = nullptr;  // [Hkv, slots, Dv]; Dv contiguous
  int64_t k_head_stride = 0, k_slot_stride = 0;
  int64_t v_head_stride = 0, v_slot_stride = 0;

  int tokens = 0;              // T
  int64_t first_position = 0;  // of row 0
  int64_t keys = 0;            // positions 0 .. keys - 1 have been written; causal runs have keys == first_position + T
  // A ring of `ring` slots whose first `keep` never move: position p lies in slot p for p < keep, else in
  // keep + (p - keep) % (ring - keep). 0: linear, position p in slot p. The caller makes sure that no key which a row
  // of this run sees has been overwritten: with a window, ring >= keep + window + T - 1.
  int ring = 0;
  int keep = 0;
};

struct AttentionArgs {
  Dtype type = Dtype::kFloat32;  // of q, k, v and out: float32, float16 or bfloat16; arithmetic is float32
  int heads = 0, kv_heads = 0;   // H, Hkv
  int head_size = 0;             // D, a multiple of 8, at most kAttentionMaxHeadSize
  int value_size = 0;            // Dv, likewise; often D
  float scale = 1.0f;
  float softcap = 0.0f;          // c: scores become c * tanh(score / c); 0: off
  bool causal = true;            // row at position p sees keys 0..p; otherwise all keys of the run
  int window = 0;                // of those only p - window + 1 .. p, and the run's first `keep`; 0: all
  const float* sinks = nullptr;  // [H] a logit per head that takes part in the softmax and has no value; or null

  const AttentionRun* runs = nullptr;
  int run_count = 0;
};

// A row that sees no key at all gives zeros.
void attention_scalar(const AttentionArgs& args);
void attention_avx2(const AttentionArgs& args);
void attention_avx512(const AttentionArgs& args);

}  // namespace hearth::cpu
