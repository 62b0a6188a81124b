// The new tokens of one step, of one or of many sequences, laid end to end; and their attention.
//
// Prefill, decode, several sequences at once, draft verification: all are runs of tokens with a batch behind them.
// There is no padding and no mask. What a token gets depends on its own sequence only, bit for bit (the row law).
//
// Shapes:   T tokens of the step, H heads, Hkv key/value heads, D head size.
// Lifetime: for one forward pass: build it, add() every run, pass it to Model::forward, let it go. A step that throws
//           leaves its sequences unusable: drop them.
#pragma once

#include <optional>
#include <vector>

#include "cache/sequence_cache.h"
#include "ops/ragged_attention.h"

namespace hearth::cache {

struct AttendOptions {
  float scale = 1.0f;                             // on q·k, usually D^-1/2
  int window = 0;                                 // latest tokens that are seen, itself included; 0: all
  float softcap = 0.0f;                           // c > 0: scores become c * tanh(score / c)
  std::optional<mx::array> sinks = std::nullopt;  // [H] logits that take part in the softmax and add nothing
};

class RaggedBatch {
 public:
  // Appends the next `tokens` (>= 1) tokens of `sequence`. Each sequence at most once, and before positions(), else
  // throws std::invalid_argument.
  void add(SequenceCache& sequence, int tokens);

  // T.
  int tokens() const { return tokens_; }
  int sequences() const { return static_cast<int>(runs_.size()); }

  // The row of the step at which sequence i (in the order of add) has its last token: its logits' row in hidden [T, E].
  int last_row(int i) const;

  // Absolute position of every token, int32 [T].
  const mx::array& positions();

  // Causal attention of one layer. q [T, H, D], k and v [T, Hkv, D] -> [T, H, D]; each sequence's k and v are appended
  // to its cache for `layer`. Each layer once a step.
  mx::array attend(int layer, const mx::array& q, const mx::array& k, const mx::array& v, const AttendOptions& options);

 private:
  const mx::array& packed_runs(const std::vector<ops::Run>& runs);

  std::vector<SequenceCache*> caches_;
  std::vector<ops::Run> runs_;  // as they stood when added; keep and window unset
  int tokens_ = 0;
  std::optional<mx::array> positions_;
  std::vector<ops::Run> packed_from_;  // layers of one kind share one array of runs
  std::optional<mx::array> packed_;
};

}  // namespace hearth::cache
