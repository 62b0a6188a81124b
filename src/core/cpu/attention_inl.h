// Private to the attention kernels: what every version agrees on. Which keys a row sees, where they lie, how the states
// of two spans become one.
#pragma once

#include <cmath>
#include <limits>

#include "core/cpu/attention.h"
#include "core/cpu/extrema.h"

namespace hearth::cpu {

// Positions [begin, end).
struct KeyRange {
  int64_t begin = 0, end = 0;
  bool empty() const { return end <= begin; }
};

// What a row sees: the sequence's first tokens, then its window. Ascending and disjoint; either may be empty.
struct SeenKeys {
  KeyRange kept, window;
};

inline SeenKeys seen_keys(const AttentionArgs& args, const AttentionRun& run, int row) {
  const int64_t position = run.first_position + row;
  const int64_t end = args.causal ? min_of(position + 1, run.keys) : run.keys;
  if (args.window == 0) return {{}, {0, end}};
  const int64_t begin = clamp_to<int64_t>(position + 1 - args.window, 0, end);
  return {{0, min_of<int64_t>(run.keep, begin)}, {begin, end}};
}

// Length of the stretch from `position` on, at most up to `end`, whose slots follow one another; *slot is its first.
inline int64_t contiguous_slots(const AttentionRun& run, int64_t position, int64_t end, int64_t* slot) {
  if (run.ring == 0 || position < run.keep) {
    *slot = position;
    return run.ring == 0 ? end - position : min_of<int64_t>(run.keep, end) - position;
  }
  const int64_t turn = run.ring - run.keep;
  *slot = run.keep + (position - run.keep) % turn;
  return min_of(end - position, run.ring - *slot);
}

// The columns of a span (positions less the span's base) that one row sees: [0, kept) and [begin, end), kept <= begin.
struct SeenColumns {
  int kept = 0, begin = 0, end = 0;
  bool empty() const { return kept == 0 && begin == end; }
  int first() const { return kept > 0 ? 0 : begin; }
  int last() const { return max_of(kept, begin < end ? end : 0); }
};

inline SeenColumns columns_of(const SeenKeys& seen, int64_t base) {
  const auto column = [base](int64_t position) {
    return static_cast<int>(clamp_to<int64_t>(position - base, 0, kAttentionSpan));
  };
  SeenColumns c{column(seen.kept.end), column(seen.window.begin), column(seen.window.end)};
  if (c.begin >= c.end) c.begin = c.end = c.kept;
  return c;
}

}  // namespace hearth::cpu
