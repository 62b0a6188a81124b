#include "text/tokenizer/aligned_text.h"

#include <algorithm>

#include "base/error.h"
#include "text/tokenizer/unicode.h"

namespace hearth::text {

// The bytes that stand for the whole original. Leading bytes that stand for nothing (a pattern that matched emptiness
// at the very start put them there) are left out, which is how the reference finds its range; false: it gives up.
bool AlignedText::transformed_range(size_t& begin, size_t& end) const {
  begin = end = 0;
  if (original_begin == original_end) return true;
  bool started = false;
  size_t i = 0;
  for (; i < alignments.size() && alignments[i].end <= original_end; ++i) {
    if (!started && alignments[i].begin != alignments[i].end) {
      started = true;
      begin = i;
    }
  }
  end = i;
  if (!started) begin = end;
  return i > 0;
}

void AlignedText::fail_growth() {
  throw RequestError(400, "the tokenizer's normalizer makes this text more than 64 times as long");
}

void AlignedText::transform(std::span<const Change> with, size_t removed) {
  check_growth(with.size());
  if (!tracked) {
    next_text_.clear();
    for (const Change& change : with) append_character(next_text_, change.character);
    text.swap(next_text_);
    check_growth(text.size());
    return;
  }
  size_t begin, end;
  if (!transformed_range(begin, end)) return;
  next_text_.assign(text, 0, begin);
  next_alignments_.assign(alignments.begin(), alignments.begin() + static_cast<ptrdiff_t>(begin));

  size_t at = begin;  // in the old text: behind what has been stood for
  const auto skip = [&](size_t characters) {
    for (; characters > 0 && at < end; --characters) at += utf8_length(text[at]);
  };
  skip(removed);
  for (const Change& change : with) {
    Alignment alignment{original_begin, original_begin};
    if (change.change > 0) {
      if (at > 0) alignment = alignments[at - 1];
    } else if (!alignments.empty()) {
      alignment = alignments[std::min(at, alignments.size() - 1)];
    }
    if (change.change <= 0) skip(1 + static_cast<size_t>(-change.change));
    append_character(next_text_, change.character);
    next_alignments_.resize(next_text_.size(), alignment);
  }
  next_text_.append(text, end);
  next_alignments_.insert(next_alignments_.end(), alignments.begin() + static_cast<ptrdiff_t>(end), alignments.end());
  text.swap(next_text_);
  alignments.swap(next_alignments_);
  check_growth(text.size());
}

void AlignedText::replace(const Regex& pattern, std::string_view content) {
  next_text_.clear();
  next_alignments_.clear();
  size_t copied = 0;
  const auto copy_until = [&](size_t end) {
    next_text_.append(text, copied, end - copied);
    if (tracked)
      next_alignments_.insert(next_alignments_.end(), alignments.begin() + static_cast<ptrdiff_t>(copied),
                              alignments.begin() + static_cast<ptrdiff_t>(end));
  };
  bool found = false;
  if (!text.empty()) {
    pattern.find(text, [&](size_t begin, size_t end) {
      found = true;
      copy_until(begin);
      check_growth(next_text_.size() + content.size());
      next_text_ += content;
      if (tracked)
        next_alignments_.resize(next_text_.size(),
                                end > 0 ? alignments[end - 1] : Alignment{original_begin, original_begin});
      copied = end;
    });
  }
  if (!found) return;
  copy_until(text.size());
  text.swap(next_text_);
  alignments.swap(next_alignments_);
}

void AlignedText::prepend(std::string_view prefix) {
  if (text.empty()) return;
  check_growth(text.size() + prefix.size());
  text.insert(0, prefix);
  if (tracked) alignments.insert(alignments.begin(), prefix.size(), Alignment(alignments.front()));
}

void AlignedText::strip(bool left, bool right) {
  size_t count = 0, leading = 0, trailing = 0;
  bool only_space = true;
  for (size_t at = 0; at < text.size(); ++count) {
    if (is_space(next_character(text, at))) {
      leading += only_space;
      ++trailing;
    } else {
      only_space = false;
      trailing = 0;
    }
  }
  if (!left) leading = 0;
  if (!right) trailing = 0;
  if (leading == 0 && trailing == 0) return;
  changes.clear();
  size_t i = 0;
  for (size_t at = 0; at < text.size(); ++i) {
    const char32_t c = next_character(text, at);
    if (i < leading || i + trailing >= count) continue;
    // The reference compares a count of characters with a count of bytes here.
    const bool last = i == text.size() - trailing - 1;
    changes.push_back({c, last ? -static_cast<int32_t>(trailing) : 0});
  }
  transform(changes, leading);
}

}  // namespace hearth::text
