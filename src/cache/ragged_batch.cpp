#include "cache/ragged_batch.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace hearth::cache {

void RaggedBatch::add(SequenceCache& sequence, int tokens) {
  if (tokens < 1) throw std::invalid_argument("[RaggedBatch::add] a run has at least one token");
  if (positions_) throw std::invalid_argument("[RaggedBatch::add] the step has begun");
  if (std::find(caches_.begin(), caches_.end(), &sequence) != caches_.end()) {
    throw std::invalid_argument("[RaggedBatch::add] the sequence is in the batch already");
  }
  caches_.push_back(&sequence);
  runs_.push_back({.row = tokens_, .tokens = tokens, .position = sequence.offset()});
  tokens_ += tokens;
}

int RaggedBatch::last_row(int i) const {
  const ops::Run& run = runs_.at(static_cast<size_t>(i));
  return run.row + run.tokens - 1;
}

const mx::array& RaggedBatch::positions() {
  if (!positions_) {
    std::vector<int32_t> positions(static_cast<size_t>(tokens_));
    for (const ops::Run& run : runs_) {
      std::iota(positions.begin() + run.row, positions.begin() + run.row + run.tokens, run.position);
    }
    positions_ = mx::array(positions.begin(), {tokens_}, mx::int32);
  }
  return *positions_;
}

const mx::array& RaggedBatch::packed_runs(const std::vector<ops::Run>& runs) {
  if (!packed_ || runs != packed_from_) {
    packed_ = ops::pack_runs(runs);
    packed_from_ = runs;
  }
  return *packed_;
}

mx::array RaggedBatch::attend(int layer, const mx::array& q, const mx::array& k, const mx::array& v,
                              const AttendOptions& options) {
  if (runs_.empty()) throw std::invalid_argument("[RaggedBatch::attend] no sequence was added");
  std::vector<ops::Run> runs = runs_;
  std::vector<mx::array> arrays;
  arrays.reserve(2 * runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    KVRows lent = caches_[i]->layer(layer).lend(runs[i].tokens, k, v);
    runs[i].keep = lent.keep;
    runs[i].window = options.window > 0 && lent.window > 0 ? std::min(options.window, lent.window)
                                                           : std::max(options.window, lent.window);
    arrays.push_back(std::move(lent.keys));
    arrays.push_back(std::move(lent.values));
  }
  auto results = ops::ragged_attention(q, k, v, std::move(arrays), packed_runs(runs),
                                       {.scale = options.scale, .softcap = options.softcap}, options.sinks);
  for (size_t i = 0; i < runs.size(); ++i) {
    caches_[i]->layer(layer).give_back(std::move(results[2 * i + 1]), std::move(results[2 * i + 2]), runs[i].tokens);
  }
  return std::move(results[0]);
}

}  // namespace hearth::cache
