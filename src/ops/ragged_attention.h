// Causal attention for new tokens of many sequences at once, each over its own key/value cache, which it extends in
// place. Nothing of size T x S exists in memory.
//
// Shapes:  T new tokens of the step laid end to end, H query heads, Hkv key/value heads (H a multiple), D head size,
//          C rows of a cache (any number for each sequence), B runs.
// Layout:  a cache is two arrays [Hkv, C, D]. The token at position p lies in row p if p < keep, else in row
//          keep + (p - keep) % (C - keep): a plain table while p < C, a ring behind `keep` fixed rows after that.
// Row law: a token's result has the same bits whatever else the call does, and whichever way its history came in.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/mx.h"

namespace hearth::ops {

// One sequence's share of a step: rows [row, row + tokens) of q, k and v are its tokens at positions
// [position, position + tokens). A token at p sees positions <= p that are < keep or > p - window; window 0: all.
struct Run {
  int row = 0;
  int tokens = 0;
  int position = 0;
  int keep = 0;
  int window = 0;

  bool operator==(const Run&) const = default;
};

// The runs as data, so that a step's graph does not depend on where its sequences stand. int32 [B, 5].
mx::array pack_runs(std::span<const Run> runs);

struct AttentionOptions {
  float scale = 1.0f;    // on q·k, usually D^-1/2
  float softcap = 0.0f;  // c > 0: scores become c * tanh(score / c)

  bool operator==(const AttentionOptions&) const = default;
};

// q [T, H, D], k and v [T, Hkv, D] (D a multiple of 8, at most 256), caches {K0, V0, K1, V1, ...} of the B runs
// -> {out [T, H, D], K0', V0', K1', ...}.
// Writes each run's keys and values to its caches, then attends. A cache array that nobody else holds (pass the vector
// by move) is written in place; one that is shared is copied first. sinks, if given: float [H], a logit for each head
// that takes part in the softmax and adds nothing.
// A ring must hold the window and the new tokens: a run that is too long for it is taken in pieces, with the same bits.
// Throws std::invalid_argument on wrong shapes or dtypes; evaluation throws it when runs do not fit q or the caches.
std::vector<mx::array> ragged_attention(const mx::array& q, const mx::array& k, const mx::array& v,
                                        std::vector<mx::array> caches, const mx::array& runs,
                                        const AttentionOptions& options,
                                        const std::optional<mx::array>& sinks = std::nullopt);

namespace plain {
// The same numbers to within rounding from mx:: operations; it holds all scores of a run, and evaluates `runs`.
std::vector<mx::array> ragged_attention(const mx::array& q, const mx::array& k, const mx::array& v,
                                        std::vector<mx::array> caches, const mx::array& runs,
                                        const AttentionOptions& options,
                                        const std::optional<mx::array>& sinks = std::nullopt);
}  // namespace plain

}  // namespace hearth::ops
