#include "text/tokenizer/utf8.h"

#include <cstring>

namespace hearth::text {

Utf8Step utf8_step(std::string_view text, size_t position) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data()) + position;
  const size_t left = text.size() - position;
  const uint8_t lead = p[0];
  if (lead < 0x80) return {1, true, false};
  if (lead < 0xC2 || lead > 0xF4) return {1, false, false};
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range is narrower for four lead bytes: no overlong forms, no surrogates, nothing past U+10FFFF.
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (left < 2) return {1, false, true};
  if (p[1] < low || p[1] > high) return {1, false, false};
  for (size_t i = 2; i < length; ++i) {
    if (i >= left) return {i, false, true};
    if ((p[i] & 0xC0) != 0x80) return {i, false, false};
  }
  return {length, true, false};
}

size_t valid_utf8_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= 8) {
      uint64_t word;
      std::memcpy(&word, text.data() + at, 8);
      if ((word & 0x8080808080808080u) == 0) {
        at += 8;
        continue;
      }
    }
    const Utf8Step step = utf8_step(text, at);
    if (!step.well_formed) return at;
    at += step.length;
  }
  return at;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  size_t at = 0;
  while (at < text.size()) {
    const size_t good = valid_utf8_prefix(text.substr(at));
    out += text.substr(at, good);
    at += good;
    if (at == text.size()) break;
    out += kReplacementCharacter;
    at += utf8_step(text, at).length;
  }
  return out;
}

}  // namespace hearth::text
