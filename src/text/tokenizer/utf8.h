// UTF-8 to code points and back, and what to do with bytes that are not UTF-8.
//
// Source: Unicode 15, section 3.9, table 3-7 (well-formed byte sequences) and "substitution of maximal subparts".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::text {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// Bytes of the character that starts with `lead`. Requires a lead byte of well-formed UTF-8.
inline size_t utf8_length(char lead) {
  const auto byte = static_cast<uint8_t>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

inline bool is_utf8_continuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

// The character at `position`, which moves behind it. Requires well-formed UTF-8 there.
inline char32_t next_character(std::string_view text, size_t& position) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data()) + position;
  if (p[0] < 0x80) return position += 1, p[0];
  if (p[0] < 0xE0) return position += 2, (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
  if (p[0] < 0xF0) return position += 3, (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
  return position += 4, (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

// The character that ends at `position`, which moves before it. Requires well-formed UTF-8 and position > 0.
inline char32_t previous_character(std::string_view text, size_t& position) {
  do --position;
  while (is_utf8_continuation(text[position]));
  size_t at = position;
  return next_character(text, at);
}

inline void append_character(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

// What begins at `position`: a whole character, an ill-formed maximal subpart, or a character the text ends within.
struct Utf8Step {
  size_t length;  // bytes; at least 1
  bool well_formed;
  bool cut_short;  // not well-formed only because the text ends
};
Utf8Step utf8_step(std::string_view text, size_t position);

// Length of the longest prefix that is well-formed; text.size() when all of it is. About 8 bytes a cycle on ASCII.
size_t valid_utf8_prefix(std::string_view text);

inline bool is_valid_utf8(std::string_view text) { return valid_utf8_prefix(text) == text.size(); }

// `text` with each maximal ill-formed subpart replaced by U+FFFD, as Python's errors="replace" and Rust's lossy do.
std::string replace_invalid_utf8(std::string_view text);

}  // namespace hearth::text
