#include "text/tokenizer/split_text.h"

#include <algorithm>

#include "base/error.h"

namespace hearth::text {

void SplitText::clear() {
  text.clear();
  alignments.clear();
  splits.clear();
}

void SplitText::check_growth(size_t bytes) const {
  if (bytes > most_bytes) throw RequestError(400, "the tokenizer makes this text more than 64 times as long");
}

void SplitText::append(const AlignedText& from, size_t begin, size_t end, int32_t token) {
  if (begin == end) return;
  check_growth(text.size() + (end - begin));
  const auto first = static_cast<uint32_t>(text.size());
  text.append(from.text, begin, end - begin);
  Split split{first, static_cast<uint32_t>(text.size()), begin == 0 ? from.original_begin : 1, from.original_end,
              token};
  if (tracked) {
    alignments.insert(alignments.end(), from.alignments.begin() + static_cast<ptrdiff_t>(begin),
                      from.alignments.begin() + static_cast<ptrdiff_t>(end));
    split.original_begin = from.alignments[begin].begin;
    split.original_end = from.alignments[end - 1].end;
  }
  splits.push_back(split);
}

void SplitText::keep(const Split& parent, size_t begin, size_t end) {
  if (begin == end) return;
  Split part{parent.begin + static_cast<uint32_t>(begin), parent.begin + static_cast<uint32_t>(end),
             begin == 0 ? parent.original_begin : 1, parent.original_end, -1};
  if (tracked) {
    part.original_begin = alignments[part.begin].begin;
    part.original_end = alignments[part.end - 1].end;
  }
  next_.push_back(part);
}

void SplitText::keep_parts(const Split& parent, SplitBehavior behavior) {
  merged_.clear();
  bool previous_matched = false;
  const auto add = [&](const Part& part, bool join, bool forward) {
    if (join && !merged_.empty()) {
      (forward ? merged_.back().end : merged_.back().begin) = forward ? part.end : part.begin;
    } else {
      merged_.push_back(part);
    }
    previous_matched = part.matched;
  };
  switch (behavior) {
    case SplitBehavior::kRemoved:
      for (const Part& part : parts_)
        if (!part.matched) merged_.push_back(part);
      break;
    case SplitBehavior::kIsolated: merged_ = parts_; break;
    case SplitBehavior::kContiguous:
      for (const Part& part : parts_) add(part, part.matched == previous_matched, true);
      break;
    case SplitBehavior::kMergedWithPrevious:
      for (const Part& part : parts_) add(part, part.matched && !previous_matched, true);
      break;
    case SplitBehavior::kMergedWithNext:
      for (auto part = parts_.rbegin(); part != parts_.rend(); ++part)
        add(*part, part->matched && !previous_matched, false);
      std::reverse(merged_.begin(), merged_.end());
      break;
  }
  for (const Part& part : merged_) keep(parent, part.begin, part.end);
}

}  // namespace hearth::text
