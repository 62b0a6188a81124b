// What the `tokenizers` library knows of each code point. Not one Unicode version: the library draws on several tables
// of different ages, and unicode_data.inc records its answers (tools/make_unicode_tables.py).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace hearth::text {

enum class CharacterFlag : uint16_t {
  kSpace = 1 << 0,         // Rust's char::is_whitespace
  kNumeric = 1 << 1,       // Rust's char::is_numeric
  kPunctuation = 1 << 2,   // ASCII punctuation or category P
  kWord = 1 << 3,          // \w of the regex crate
  kOnigWord = 1 << 4,      // \w of oniguruma
  kNonspacing = 1 << 5,    // category Mn, for BertNormalizer
  kCombining = 1 << 6,     // for StripAccents
  kOther = 1 << 7,         // category C, for BertNormalizer
  kPictographic = 1 << 8,  // Extended_Pictographic
  kUnstableNfc = 1 << 9,   // NFC may change the text around it; likewise below
  kUnstableNfkc = 1 << 10,
  kUnstableNfd = 1 << 11,
  kUnstableNfkd = 1 << 12,
  kHasLower = 1 << 13,
  kCategorySince14 = 1 << 14,  // had its category in Unicode 14, which PCRE2 10.42 knows
};

enum class GraphemeBreak : uint8_t {
  kOther,
  kCr,
  kLf,
  kControl,
  kExtend,
  kZwj,
  kRegionalIndicator,
  kPrepend,
  kSpacingMark,
  kL,
  kV,
  kT,
  kLv,
  kLvt
};

struct CharacterProperties {
  uint8_t category;      // index into category names: Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc ...
  uint8_t script;        // index into script names, 255 for a script regular expressions here do not know
  uint8_t script_group;  // of the UnicodeScripts pre-tokenizer; 0 goes with any
  uint8_t combining_class;
  uint8_t grapheme_break;  // a GraphemeBreak
  uint16_t flags;          // CharacterFlags

  bool has(CharacterFlag flag) const { return (flags & static_cast<uint16_t>(flag)) != 0; }
};

// Calls visit(first, last, properties) for runs of equal properties, in order, all code points covered.
template <typename Visit>
void for_each_run(Visit&& visit);

// Requires c < 0x110000.
const CharacterProperties& properties(char32_t c);

inline bool has_flag(char32_t c, CharacterFlag flag) { return properties(c).has(flag); }
inline bool is_space(char32_t c) {
  return c < 0x80 ? c == ' ' || (c >= 9 && c <= 13) : has_flag(c, CharacterFlag::kSpace);
}

// The full decomposition; empty when c does not decompose. Hangul syllables are the caller's.
std::u32string_view canonical_decomposition(char32_t c);
std::u32string_view compatible_decomposition(char32_t c);
// The composite of two characters, or 0. Without Hangul.
char32_t composition(char32_t first, char32_t second);

// Lower case of c: one or two characters, the second 0 if there is none.
struct Lowered {
  char32_t first, second;
};
Lowered lowercase(char32_t c);

// Index of a general category by its short name ("Lu"), or of a script by its name or four letters, in lower case and
// without underscores ("oldturkic", "orkh"); -1 if unknown.
int category_index(std::string_view name);
int script_index(std::string_view name);

// Code points of run `index` begin here; the last run ends before 0x110000.
size_t run_count();
std::pair<char32_t, const CharacterProperties*> run(size_t index);

// Pairs of first and last code point of a named property of regular expressions, spelled as scripts are
// ("alphabetic"); empty: unknown. [:punct:] is another set than the property Punct.
std::span<const uint32_t> property_ranges(std::string_view name);
std::span<const uint32_t> posix_punctuation_ranges();

template <typename Visit>
void for_each_run(Visit&& visit) {
  for (size_t i = 0; i < run_count(); ++i) {
    const auto [first, record] = run(i);
    visit(first, i + 1 < run_count() ? run(i + 1).first - 1 : char32_t{0x10FFFF}, *record);
  }
}

}  // namespace hearth::text
