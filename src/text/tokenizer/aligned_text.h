// A text being normalized that remembers which part of the original each of its bytes came from.
//
// The alignments follow huggingface/tokenizers' NormalizedString in every particular, its odd corners included, since
// they decide the offsets a user sees. Without `tracked` only the text is kept.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/regex.h"

namespace hearth::text {

// Bytes [begin, end) of the original text.
struct Alignment {
  uint32_t begin, end;
};

// One character of a transformed text: change 0 stands for the next character of the old one, 1 is inserted behind it,
// -n stands for the next character and swallows the n behind that.
struct Change {
  char32_t character;
  int32_t change;
};

// What a text of so many bytes may grow to under normalizers: the largest of real ones make 11 bytes of one, and a
// byte-level spelling doubles that. Below 4 GiB, since places are 32 bits.
constexpr size_t growth_limit(size_t bytes) {
  constexpr size_t kTimes = 64, kMore = 4096, kMost = ~uint32_t{0};
  return bytes > (kMost - kMore) / kTimes ? kMost : bytes * kTimes + kMore;
}

struct AlignedText {
  std::string text;
  std::vector<Alignment> alignments;  // one for each byte of text, if tracked
  bool tracked = false;
  uint32_t original_begin = 0, original_end = 0;
  size_t most_bytes = growth_limit(~size_t{0});  // that it may grow to

  // Puts the characters of `changes` in the place of the text; `removed` characters at its start stand for nothing.
  void transform(std::span<const Change> changes, size_t removed = 0);
  // Keeps characters for which keep(c).
  template <typename Keep>
  void filter(Keep&& keep);
  // Replaces every character c by map(c).
  template <typename Map>
  void map(Map&& map);
  void replace(const Regex& pattern, std::string_view content);
  // Does nothing to an empty text.
  void prepend(std::string_view prefix);
  void strip(bool left, bool right);

  std::vector<Change> changes;  // kept to save allocations

  // Throws RequestError beyond most_bytes. Every change ends with it; those that may grow without end ask on the way.
  void check_growth(size_t bytes) const {
    if (bytes > most_bytes) fail_growth();
  }

 private:
  [[noreturn]] static void fail_growth();
  bool transformed_range(size_t& begin, size_t& end) const;
  std::string next_text_;
  std::vector<Alignment> next_alignments_;
};

}  // namespace hearth::text

#include "text/tokenizer/aligned_text_inl.h"
