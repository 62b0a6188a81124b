// Classes and mappings are sorted runs searched by bisection (about 12 steps); ASCII is answered by the first few.
#include "base/unicode.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

namespace hearth {

namespace {

struct ClassRun {
  char32_t first;
  uint16_t classes;
};

struct CaseRun {  // first, first + stride, ... last all map to themselves plus delta
  char32_t first, last;
  int8_t stride;
  int32_t delta;
};

struct SpecialCase {
  char32_t from;
  char32_t to[3];
};

#include "base/unicode_tables.inc"

struct CaseTable {
  const CaseRun* runs;
  size_t run_count;
  const SpecialCase* special;
  size_t special_count;
};

constexpr CaseTable kCaseTables[] = {
    {kUpperRuns, std::size(kUpperRuns), kUpperSpecial, std::size(kUpperSpecial)},
    {kLowerRuns, std::size(kLowerRuns), kLowerSpecial, std::size(kLowerSpecial)},
    {kTitleRuns, std::size(kTitleRuns), kTitleSpecial, std::size(kTitleSpecial)},
    {kFoldRuns, std::size(kFoldRuns), kFoldSpecial, std::size(kFoldSpecial)},
};

// Length of a sequence that begins with `lead`, 0 when none does.
int sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

// The character at text[at] and its length, or length 0 when the bytes are not one.
char32_t decode(std::string_view text, size_t at, int& length) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  length = sequence_length(byte(at));
  if (length <= 1) return byte(at);
  if (at + static_cast<size_t>(length) > text.size()) return length = 0;
  char32_t code = byte(at) & (0x7f >> length);
  for (int i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return length = 0;
    code = (code << 6) | (byte(at + i) & 0x3f);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) length = 0;
  return code;
}

}  // namespace

uint16_t character_classes(char32_t code) {
  if (code > 0x10ffff) return 0;
  const auto after = std::upper_bound(std::begin(kClassRuns), std::end(kClassRuns), code,
                                      [](char32_t c, const ClassRun& run) { return c < run.first; });
  return std::prev(after)->classes;
}

int decimal_value(char32_t code) {
  if (code < 0x80) return code >= '0' && code <= '9' ? static_cast<int>(code - '0') : -1;
  if (!has_class(code, kDecimal)) return -1;
  const auto after = std::upper_bound(std::begin(kClassRuns), std::end(kClassRuns), code,
                                      [](char32_t c, const ClassRun& run) { return c < run.first; });
  // Every script's digits stand in order from zero; only the mathematical ones follow each other, five times ten.
  return static_cast<int>((code - std::prev(after)->first) % 10);
}

int map_case(char32_t code, CaseMapping mapping, char32_t out[3]) {
  const CaseTable& table = kCaseTables[static_cast<int>(mapping)];
  out[0] = code;
  const CaseRun* run = std::upper_bound(table.runs, table.runs + table.run_count, code,
                                        [](char32_t c, const CaseRun& r) { return c < r.first; });
  if (run != table.runs) {
    --run;
    if (code <= run->last && (code - run->first) % static_cast<unsigned>(run->stride) == 0) {
      out[0] = static_cast<char32_t>(static_cast<int32_t>(code) + run->delta);
      return 1;
    }
  }
  const SpecialCase* special = std::lower_bound(table.special, table.special + table.special_count, code,
                                                [](const SpecialCase& s, char32_t c) { return s.from < c; });
  if (special == table.special + table.special_count || special->from != code) return 1;
  int count = 0;
  while (count < 3 && special->to[count] != 0) {
    out[count] = special->to[count];
    ++count;
  }
  return count;
}

char32_t next_character(std::string_view text, size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  int length = 0;
  const char32_t code = decode(text, at, length);
  if (length == 0) {
    ++at;
    return 0xfffd;
  }
  at += static_cast<size_t>(length);
  return code;
}

void append_utf8(std::string& out, char32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += {static_cast<char>(0xc0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3f))};
  } else if (code < 0x10000) {
    out += {static_cast<char>(0xe0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3f)),
            static_cast<char>(0x80 | (code & 0x3f))};
  } else {
    out += {static_cast<char>(0xf0 | (code >> 18)), static_cast<char>(0x80 | ((code >> 12) & 0x3f)),
            static_cast<char>(0x80 | ((code >> 6) & 0x3f)), static_cast<char>(0x80 | (code & 0x3f))};
  }
}

size_t count_characters(std::string_view text) {
  size_t continuation = 0, at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    // The high bit of each byte that is 10xxxxxx.
    continuation += static_cast<size_t>(std::popcount(word & ~(word << 1) & 0x8080808080808080u));
  }
  for (; at < text.size(); ++at) continuation += (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  return text.size() - continuation;
}

bool is_valid_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    int length = 0;
    decode(text, at, length);
    if (length == 0) return false;
    at += static_cast<size_t>(length);
  }
  return true;
}

}  // namespace hearth
