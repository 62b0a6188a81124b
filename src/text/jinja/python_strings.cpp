// Everything works on bytes where that cannot split a character, on decoded characters otherwise.
#include "text/jinja/python_strings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/unicode.h"

namespace hearth::text::jinja {

namespace {

constexpr char32_t kCapitalSigma = 0x3a3, kFinalSigma = 0x3c2, kSigma = 0x3c3;

void append_mapped(std::string& out, char32_t code, CaseMapping mapping) {
  if (code < 0x80) {
    const bool to_upper = mapping == CaseMapping::kUpper || mapping == CaseMapping::kTitle;
    if (to_upper ? code >= 'a' && code <= 'z' : code >= 'A' && code <= 'Z') code ^= 32;
    out += static_cast<char>(code);
    return;
  }
  char32_t mapped[3];
  const int count = map_case(code, mapping, mapped);
  for (int i = 0; i < count; ++i) append_utf8(out, mapped[i]);
}

std::string map_all(std::string_view text, CaseMapping mapping) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) append_mapped(out, next_character(text, at), mapping);
  return out;
}

bool is_cased(char32_t code) { return has_class(code, kLower | kUpper | kTitle); }

// The character that ends before `end`; moves `end` to its beginning.
char32_t previous_character(std::string_view text, size_t& end) {
  do {
    --end;
  } while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80);
  size_t at = end;
  return next_character(text, at);
}

// Whether the sigma at [begin, end) ends a word: a cased character before, none after, ignorable ones skipped.
bool is_final_sigma(std::string_view text, size_t begin, size_t end) {
  bool after_cased = false;
  for (size_t at = begin; at > 0;) {
    const char32_t code = previous_character(text, at);
    if (has_class(code, kCaseIgnorable)) continue;
    after_cased = is_cased(code);
    break;
  }
  if (!after_cased) return false;
  for (size_t at = end; at < text.size();) {
    const char32_t code = next_character(text, at);
    if (!has_class(code, kCaseIgnorable)) return !is_cased(code);
  }
  return true;
}

// Appends the character at [begin, end) in lower case.
void append_lower(std::string& out, std::string_view text, char32_t code, size_t begin, size_t end) {
  if (code == kCapitalSigma) {
    append_utf8(out, is_final_sigma(text, begin, end) ? kFinalSigma : kSigma);
  } else {
    append_mapped(out, code, CaseMapping::kLower);
  }
}

bool is_line_end(char32_t code) {
  return (code >= 0x0a && code <= 0x0d) || (code >= 0x1c && code <= 0x1e) || code == 0x85 || code == 0x2028 ||
         code == 0x2029;
}

template <typename Unwanted>
std::string_view strip_if(std::string_view text, Side side, Unwanted&& unwanted) {
  size_t begin = 0, end = text.size();
  if (side != Side::kRight) {
    for (size_t at = 0; at < text.size(); begin = at)
      if (!unwanted(next_character(text, at))) break;
  }
  if (side != Side::kLeft) {
    for (size_t at = end; at > begin; end = at)
      if (!unwanted(previous_character(text, at))) break;
  }
  return text.substr(begin, end - begin);
}

bool contains_character(std::string_view chars, char32_t code) {
  for (size_t at = 0; at < chars.size();)
    if (next_character(chars, at) == code) return true;
  return false;
}

}  // namespace

size_t find(std::string_view text, std::string_view piece, size_t from) {
  if (piece.size() < 32 || from > text.size()) return text.find(piece, from);
  const void* found = memmem(text.data() + from, text.size() - from, piece.data(), piece.size());
  return found == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t code = next_character(text, at);
    append_lower(out, text, code, begin, at);
  }
  return out;
}

std::string upper(std::string_view text) { return map_all(text, CaseMapping::kUpper); }
std::string casefold(std::string_view text) { return map_all(text, CaseMapping::kFold); }

std::string capitalize(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t code = next_character(text, at);
    if (begin == 0) {
      append_mapped(out, code, CaseMapping::kTitle);
    } else {
      append_lower(out, text, code, begin, at);
    }
  }
  return out;
}

std::string title(std::string_view text) {
  std::string out;
  bool after_cased = false;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t code = next_character(text, at);
    if (after_cased) {
      append_lower(out, text, code, begin, at);
    } else {
      append_mapped(out, code, CaseMapping::kTitle);
    }
    after_cased = is_cased(code);
  }
  return out;
}

std::string swapcase(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t code = next_character(text, at);
    const uint16_t classes = character_classes(code);
    if (classes & kUpper) {
      append_lower(out, text, code, begin, at);
    } else if (classes & kLower) {
      append_mapped(out, code, CaseMapping::kUpper);
    } else {
      append_utf8(out, code);
    }
  }
  return out;
}

std::string_view strip(std::string_view text, Side side) { return strip_if(text, side, is_space); }

std::string_view strip(std::string_view text, Side side, std::string_view chars) {
  if (chars.size() == 1 && static_cast<unsigned char>(chars[0]) < 0x80) {
    const auto only = static_cast<char32_t>(chars[0]);
    return strip_if(text, side, [only](char32_t code) { return code == only; });
  }
  return strip_if(text, side, [chars](char32_t code) { return contains_character(chars, code); });
}

std::vector<std::string_view> split_space(std::string_view text, long long limit, bool from_right) {
  std::vector<std::string_view> parts;
  std::string_view rest = from_right ? strip(text, Side::kRight) : strip(text, Side::kLeft);
  while (!rest.empty()) {
    if (limit >= 0 && static_cast<long long>(parts.size()) == limit) {
      parts.push_back(from_right ? strip(rest, Side::kRight) : strip(rest, Side::kLeft));
      break;
    }
    if (from_right) {
      size_t begin = rest.size();
      for (size_t at = begin; at > 0; begin = at)
        if (is_space(previous_character(rest, at))) break;
      parts.push_back(rest.substr(begin));
      rest = strip(rest.substr(0, begin), Side::kRight);
    } else {
      size_t end = 0;
      for (size_t at = 0; at < rest.size(); end = at)
        if (is_space(next_character(rest, at))) break;
      parts.push_back(rest.substr(0, end));
      rest = strip(rest.substr(end), Side::kLeft);
    }
  }
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator, long long limit,
                                    bool from_right) {
  std::vector<std::string_view> parts;
  while (limit < 0 || static_cast<long long>(parts.size()) < limit) {
    const size_t at = from_right ? text.rfind(separator) : find(text, separator);
    if (at == std::string_view::npos) break;
    if (from_right) {
      parts.push_back(text.substr(at + separator.size()));
      text = text.substr(0, at);
    } else {
      parts.push_back(text.substr(0, at));
      text = text.substr(at + separator.size());
    }
  }
  parts.push_back(text);
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = at;
    const char32_t code = next_character(text, at);
    if (!is_line_end(code)) continue;
    if (code == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(begin, (keep_ends ? at : end) - begin));
    begin = at;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

size_t count_possible_breaks(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);  // U+0085, U+00A0; U+1680; U+2000 to U+205F; U+3000
    return byte <= ' ' || byte == 0xc2 || (byte >= 0xe1 && byte <= 0xe3);
  }));
}

std::string replace(std::string_view text, std::string_view old, std::string_view fresh, long long limit) {
  std::string out;
  size_t at = 0;
  long long done = 0;
  const auto more = [&] { return limit < 0 || done < limit; };
  if (old.empty()) {  // before every character and at the end
    while (more()) {
      out += fresh;
      ++done;
      if (at == text.size()) return out;
      const size_t begin = at;
      next_character(text, at);
      out.append(text, begin, at - begin);
    }
  } else {
    for (size_t found; more() && (found = find(text, old, at)) != std::string_view::npos; ++done) {
      out.append(text, at, found - at);
      out += fresh;
      at = found + old.size();
    }
  }
  return out.append(text, at, text.size() - at);
}

size_t count(std::string_view text, std::string_view piece) {
  if (piece.empty()) return count_characters(text) + 1;
  size_t found = 0;
  for (size_t at = find(text, piece); at != std::string_view::npos; at = find(text, piece, at + piece.size())) ++found;
  return found;
}

bool is_lower(std::string_view text) {
  bool cased = false;
  for (size_t at = 0; at < text.size();) {
    const uint16_t classes = character_classes(next_character(text, at));
    if (classes & (kUpper | kTitle)) return false;
    cased |= (classes & kLower) != 0;
  }
  return cased;
}

bool is_upper(std::string_view text) {
  bool cased = false;
  for (size_t at = 0; at < text.size();) {
    const uint16_t classes = character_classes(next_character(text, at));
    if (classes & (kLower | kTitle)) return false;
    cased |= (classes & kUpper) != 0;
  }
  return cased;
}

bool is_title(std::string_view text) {
  bool cased = false, after_cased = false;
  for (size_t at = 0; at < text.size();) {
    const uint16_t classes = character_classes(next_character(text, at));
    if (classes & (kUpper | kTitle)) {
      if (after_cased) return false;
      after_cased = cased = true;
    } else if (classes & kLower) {
      if (!after_cased) return false;
      cased = true;
    } else {
      after_cased = false;
    }
  }
  return cased;
}

bool is_identifier(std::string_view text) {
  if (text.empty()) return false;
  for (size_t at = 0; at < text.size();) {
    const uint16_t wanted = at == 0 ? kIdentifierStart : kIdentifierPart;
    if (!has_class(next_character(text, at), wanted)) return false;
  }
  return true;
}

bool all_have(std::string_view text, unsigned classes) {
  if (text.empty()) return false;
  for (size_t at = 0; at < text.size();)
    if (!has_class(next_character(text, at), static_cast<uint16_t>(classes))) return false;
  return true;
}

double beyond_range(std::string_view digits) {
  const size_t mark = std::min(digits.find_first_of("eE"), digits.size());
  const std::string_view mantissa = digits.substr(0, mark);
  const size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return 0.0;
  int64_t exponent = 0;
  if (mark < digits.size()) {
    const bool plus = digits.substr(mark + 1).starts_with('+'), minus = digits.substr(mark + 1).starts_with('-');
    const char* const begin = digits.data() + mark + (plus ? 2 : 1);
    const auto result = std::from_chars(begin, digits.data() + digits.size(), exponent);
    if (result.ec != std::errc()) return minus ? 0.0 : HUGE_VAL;
  }
  const auto point = static_cast<int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  return exponent > static_cast<int64_t>(first) - point ? HUGE_VAL : 0.0;
}

}  // namespace hearth::text::jinja
