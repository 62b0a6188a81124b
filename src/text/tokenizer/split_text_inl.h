// Private to split_text.h: the templates' bodies.
#pragma once

namespace hearth::text {

template <typename Cut>
void SplitText::cut_each(Cut&& cut) {
  next_.clear();
  for (const Split& split : splits) {
    if (split.token >= 0) {
      next_.push_back(split);
    } else {
      cut(view(split), [&](size_t begin, size_t end) { keep(split, begin, end); });
    }
  }
  splits.swap(next_);
}

template <typename Find>
void SplitText::split_each(SplitBehavior behavior, bool invert, Find&& find) {
  next_.clear();
  for (const Split& split : splits) {
    if (split.token >= 0) {
      next_.push_back(split);
      continue;
    }
    const std::string_view piece = view(split);
    if (behavior == SplitBehavior::kIsolated) {
      size_t done = 0;
      find(piece, [&](size_t begin, size_t end) {
        keep(split, done, begin);
        keep(split, begin, end);
        done = end;
      });
      keep(split, done, piece.size());
      continue;
    }
    parts_.clear();
    size_t done = 0;
    find(piece, [&](size_t begin, size_t end) {
      if (begin > done) parts_.push_back({done, begin, invert});
      parts_.push_back({begin, end, !invert});
      done = end;
    });
    if (done < piece.size()) parts_.push_back({done, piece.size(), invert});
    keep_parts(split, behavior);
  }
  splits.swap(next_);
}

template <typename Rewrite>
void SplitText::rewrite_each(Rewrite&& rewrite) {
  next_text_.clear();
  next_alignments_.clear();
  for (Split& split : splits) {
    const auto first = static_cast<uint32_t>(next_text_.size());
    if (split.token >= 0) {
      next_text_ += view(split);
      if (tracked)
        next_alignments_.insert(next_alignments_.end(), alignments.begin() + split.begin,
                                alignments.begin() + split.end);
    } else {
      piece_.tracked = tracked;
      piece_.text = view(split);
      piece_.original_begin = split.original_begin;
      piece_.original_end = split.original_end;
      piece_.most_bytes = growth_limit(piece_.text.size());
      if (tracked) piece_.alignments.assign(alignments.begin() + split.begin, alignments.begin() + split.end);
      rewrite(piece_);
      check_growth(next_text_.size() + piece_.text.size());
      next_text_ += piece_.text;
      if (tracked) next_alignments_.insert(next_alignments_.end(), piece_.alignments.begin(), piece_.alignments.end());
    }
    split.begin = first;
    split.end = static_cast<uint32_t>(next_text_.size());
  }
  text.swap(next_text_);
  alignments.swap(next_alignments_);
}

}  // namespace hearth::text
