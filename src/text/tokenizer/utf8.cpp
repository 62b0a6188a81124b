#include "text/tokenizer/utf8.h"

#include <emmintrin.h>

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

namespace {

// Whether 16 bytes at `p` go on well-formed from the three before them: a byte is a continuation exactly if one, two or
// three places before it a long enough character begins, and the four narrower second bytes are in their ranges. What
// begins in the last three bytes is for the next block to judge.
bool is_well_formed_block(const char* p) {
  const auto load = [&](int back) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p - back)); };
  const auto all = [](int byte) { return _mm_set1_epi8(static_cast<char>(byte)); };
  const auto at_least = [&](__m128i bytes, int low) { return _mm_cmpeq_epi8(_mm_max_epu8(bytes, all(low)), bytes); };
  const auto is = [&](__m128i bytes, int byte) { return _mm_cmpeq_epi8(bytes, all(byte)); };
  const __m128i bytes = load(0), before = load(1);
  const __m128i high = at_least(bytes, 0x80), lead = at_least(bytes, 0xC0);
  const __m128i due =
      _mm_or_si128(at_least(before, 0xC0), _mm_or_si128(at_least(load(2), 0xE0), at_least(load(3), 0xF0)));
  __m128i wrong = _mm_xor_si128(_mm_andnot_si128(lead, high), due);
  wrong = _mm_or_si128(wrong, _mm_or_si128(is(_mm_and_si128(bytes, all(0xFE)), 0xC0), at_least(bytes, 0xF5)));
  const __m128i from_90 = at_least(bytes, 0x90), from_a0 = at_least(bytes, 0xA0);
  wrong = _mm_or_si128(wrong, _mm_andnot_si128(from_a0, is(before, 0xE0)));
  wrong = _mm_or_si128(wrong, _mm_and_si128(from_a0, is(before, 0xED)));
  wrong = _mm_or_si128(wrong, _mm_andnot_si128(from_90, is(before, 0xF0)));
  wrong = _mm_or_si128(wrong, _mm_and_si128(from_90, is(before, 0xF4)));
  return _mm_movemask_epi8(wrong) == 0;
}

// Passes over blocks of 16 bytes while they are well-formed, from a place where a character begins to such a place.
size_t skip_well_formed_blocks(std::string_view text, size_t at) {
  const size_t begin = at;
  if (at < 3) return at;  // blocks look three bytes back
  while (text.size() - at >= 16 && is_well_formed_block(text.data() + at)) at += 16;
  if (at == begin) return at;
  for (size_t back = 1; back <= 3; ++back)  // a character may reach beyond the last block
    if (!is_utf8_continuation(text[at - back])) return static_cast<uint8_t>(text[at - back]) < 0x80 ? at : at - back;
  return at;
}

}  // namespace

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
    if (const size_t skipped = skip_well_formed_blocks(text, at); skipped > at) {
      at = skipped;
      continue;
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
