// Characters as Python's str sees them: classes, case mappings, and UTF-8 in and out.
//
// Source: Python 3.11 (Unicode 14.0), through tools/make_unicode_tables.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hearth {

// What str.isalpha() and its siblings say of one character.
enum CharacterClass : uint16_t {
  kAlpha = 1 << 0,
  kDecimal = 1 << 1,
  kDigit = 1 << 2,
  kNumeric = 1 << 3,
  kSpace = 1 << 4,
  kLower = 1 << 5,
  kUpper = 1 << 6,
  kTitle = 1 << 7,
  kPrintable = 1 << 8,
  kIdentifierStart = 1 << 9,
  kIdentifierPart = 1 << 10,
  kCaseIgnorable = 1 << 11,
};

// The classes of a code point, or-ed together. 0 for surrogates and beyond U+10FFFF.
uint16_t character_classes(char32_t code);

inline bool has_class(char32_t code, uint16_t classes) { return (character_classes(code) & classes) != 0; }

// str.isspace() of one character; ASCII without a table.
inline bool is_space(char32_t code) {
  if (code < 0x80) return code == ' ' || (code >= 9 && code <= 13) || (code >= 0x1c && code <= 0x1f);
  return has_class(code, kSpace);
}

// The value of a character that str.isdecimal() accepts, else -1.
int decimal_value(char32_t code);

enum class CaseMapping { kUpper, kLower, kTitle, kFold };

// Up to three code points that `code` maps to, out[0..n); returns n. Knows no context: a final sigma is the caller's.
int map_case(char32_t code, CaseMapping mapping, char32_t out[3]);

// Reads the character at text[at] and moves `at` behind it. Requires at < text.size() and valid UTF-8; of invalid bytes
// one at a time is read as U+FFFD.
char32_t next_character(std::string_view text, size_t& at);

// Appends `code` as UTF-8.
void append_utf8(std::string& out, char32_t code);

// Characters in valid UTF-8. About 10 bytes a cycle.
size_t count_characters(std::string_view text);

bool is_valid_utf8(std::string_view text);

}  // namespace hearth
