// A text cut into pieces on its way to the model: what pre-tokenizers work on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/aligned_text.h"

namespace hearth::text {

// What happens to the parts of a piece that a pattern matched.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// Bytes [begin, end) of SplitText::text, from bytes [original_begin, original_end) of the input. Where alignments are
// not tracked, original_begin says only whether it is 0.
struct Split {
  uint32_t begin, end;
  uint32_t original_begin, original_end;
  int32_t token = -1;  // an added token's id: such a piece is never looked into
};

struct SplitText {
  std::string text;
  std::vector<Alignment> alignments;
  bool tracked = false;
  size_t most_bytes = growth_limit(~size_t{0});  // that it may grow to
  std::vector<Split> splits;

  std::string_view view(const Split& split) const {
    return std::string_view(text).substr(split.begin, split.end - split.begin);
  }

  void clear();
  // Appends `part` of an aligned text as a piece; an empty one is dropped.
  void append(const AlignedText& from, size_t begin, size_t end, int32_t token);

  // Replaces each open piece by parts of it: cut(view, part) calls part(begin, end) for each to keep, in order.
  template <typename Cut>
  void cut_each(Cut&& cut);
  // Cuts where a pattern matches: find(view, match) calls match(begin, end) from left to right.
  template <typename Find>
  void split_each(SplitBehavior behavior, bool invert, Find&& find);
  // Changes each open piece: change(aligned text).
  template <typename Rewrite>
  void rewrite_each(Rewrite&& rewrite);

 private:
  struct Part {
    size_t begin, end;
    bool matched;
  };
  void check_growth(size_t bytes) const;  // throws RequestError
  void keep(const Split& parent, size_t begin, size_t end);
  void keep_parts(const Split& parent, SplitBehavior behavior);

  std::vector<Split> next_;
  std::vector<Part> parts_, merged_;
  AlignedText piece_;
  std::string next_text_;
  std::vector<Alignment> next_alignments_;
};

}  // namespace hearth::text

#include "text/tokenizer/split_text_inl.h"
