// SentencePiece's compiled character map, as `tokenizers` applies it.
//
// The reference looks a whole grapheme up (if shorter than six bytes) and takes the FIRST, that is the shortest, entry
// that is a prefix of it, so "ﬁ" with a mark loses the mark. That is kept.
// Source: huggingface/tokenizers normalizers/precompiled.rs, huggingface/spm_precompiled.
#include <algorithm>
#include <array>
#include <optional>

#include "text/tokenizer/base64.h"
#include "text/tokenizer/character_map.h"
#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

constexpr size_t kMaxGrapheme = 6;  // bytes; longer ones are looked up character by character

GraphemeBreak break_of(char32_t c) { return static_cast<GraphemeBreak>(properties(c).grapheme_break); }

// Rules GB3 to GB9b of UAX #29. Emoji sequences, flags and conjuncts are longer than kMaxGrapheme in any case, and cut
// into characters they are looked up the same, so GB9c to GB13 need not be told apart.
bool joins(GraphemeBreak a, GraphemeBreak b) {
  using enum GraphemeBreak;
  if (a == kCr && b == kLf) return true;
  if (a == kCr || a == kLf || a == kControl || b == kCr || b == kLf || b == kControl) return false;
  if (a == kL && (b == kL || b == kV || b == kLv || b == kLvt)) return true;
  if ((a == kLv || a == kV) && (b == kV || b == kT)) return true;
  if ((a == kLvt || a == kT) && b == kT) return true;
  return b == kExtend || b == kZwj || b == kSpacingMark || a == kPrepend;
}

size_t grapheme_end(std::string_view text, size_t begin) {
  size_t end = begin;
  GraphemeBreak last = break_of(next_character(text, end));
  while (end < text.size()) {
    size_t next = end;
    const GraphemeBreak b = break_of(next_character(text, next));
    if (!joins(last, b)) break;
    last = b;
    end = next;
  }
  return end;
}

class Precompiled : public Normalizer {
 public:
  explicit Precompiled(CharacterMap map) : map_(std::move(map)) {
    for (unsigned c = 0; c < 128; ++c) {
      const char byte = static_cast<char>(c);
      plain_ascii_[c] = !find({&byte, 1});
    }
  }

  void apply(AlignedText& text) const override {
    std::vector<Change>& out = text.changes;
    out.clear();
    bool modified = false;
    const std::string_view in = text.text;
    for (size_t at = 0; at < in.size();) {
      if (is_plain(in, at)) {
        out.push_back({static_cast<char32_t>(in[at++]), 0});
        continue;
      }
      const size_t end = grapheme_end(in, at);
      const std::string_view grapheme = in.substr(at, end - at);
      if (const auto found = grapheme.size() < kMaxGrapheme ? find(grapheme) : std::nullopt) {
        add(grapheme, *found, out);
        modified = true;
      } else {
        modified |= add_characters(grapheme, out);
      }
      text.check_growth(out.size());
      at = end;
    }
    if (modified) text.transform(out);
  }

 private:
  // An ASCII character that maps to itself with an ASCII character behind it, or none.
  bool is_plain(std::string_view in, size_t at) const {
    const auto c = static_cast<uint8_t>(in[at]);
    return c < 0x80 && plain_ascii_[c] && c != '\r' && (at + 1 == in.size() || static_cast<uint8_t>(in[at + 1]) < 0x80);
  }

  bool add_characters(std::string_view grapheme, std::vector<Change>& out) const {
    bool modified = false;
    for (size_t at = 0; at < grapheme.size();) {
      const size_t begin = at;
      const char32_t c = next_character(grapheme, at);
      const std::string_view part = grapheme.substr(begin, at - begin);
      if (const auto found = find(part)) {
        add(part, *found, out);
        modified = true;
      } else {
        out.push_back({c, 0});
      }
    }
    return modified;
  }

  static void add(std::string_view from, std::string_view to, std::vector<Change>& out) {
    const size_t first = out.size();
    for (size_t at = 0; at < to.size();) out.push_back({next_character(to, at), 0});
    const auto count = [](std::string_view s) {
      return std::count_if(s.begin(), s.end(), [](char b) { return !is_utf8_continuation(b); });
    };
    const auto more = count(to) - count(from);
    if (more > 0) {
      for (size_t i = out.size(); i > first && i > out.size() - static_cast<size_t>(more); --i) out[i - 1].change = 1;
    } else if (more < 0 && !out.empty()) {
      out.back().change += static_cast<int32_t>(more);
    }
  }

  std::optional<std::string_view> find(std::string_view key) const {
    const auto match = map_.shortest(key);
    return match ? std::optional(match->replacement) : std::nullopt;
  }

  CharacterMap map_;
  std::array<bool, 128> plain_ascii_;
};

}  // namespace

std::unique_ptr<Normalizer> make_precompiled(std::string_view charsmap, const Component& component) {
  std::string blob;
  if (!append_from_base64(blob, charsmap)) component.fail("precompiled_charsmap is not base64");
  return std::make_unique<Precompiled>(CharacterMap(blob, component));
}

}  // namespace hearth::text
