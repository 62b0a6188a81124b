#include "text/template_difference.h"

#include <algorithm>

#include "base/unicode.h"

namespace hearth::text {

namespace {

constexpr size_t kContext = 40;  // characters

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string excerpt(std::string_view text, size_t from) {
  size_t at = from;
  for (size_t i = 0; i < kContext && at < text.size(); ++i) next_character(text, at);
  return std::string(text.substr(from, at - from));
}

}  // namespace

std::optional<TextDifference> find_difference(std::string_view first, std::string_view second) {
  const auto parted = std::mismatch(first.begin(), first.end(), second.begin(), second.end());
  if (parted.first == first.end() && parted.second == second.end()) return std::nullopt;
  auto byte = static_cast<size_t>(parted.first - first.begin());
  const auto inside = [&](std::string_view text) { return byte < text.size() && is_continuation(text[byte]); };
  while (byte > 0 && (inside(first) || inside(second))) --byte;
  TextDifference difference;
  difference.byte = byte;
  const std::string_view same = first.substr(0, byte);
  difference.line = 1 + static_cast<int>(std::count(same.begin(), same.end(), '\n'));
  difference.column = 1 + static_cast<int>(count_characters(same.substr(same.rfind('\n') + 1)));
  size_t begin = byte;
  for (size_t i = 0; i < kContext && begin > 0; ++i) do
      --begin;
    while (begin > 0 && is_continuation(first[begin]));
  difference.before = std::string(first.substr(begin, byte - begin));
  difference.first = excerpt(first, byte);
  difference.second = excerpt(second, byte);
  return difference;
}

std::optional<size_t> find_difference(std::span<const int32_t> first, std::span<const int32_t> second) {
  const auto parted = std::mismatch(first.begin(), first.end(), second.begin(), second.end());
  if (parted.first == first.end() && parted.second == second.end()) return std::nullopt;
  return static_cast<size_t>(parted.first - first.begin());
}

}  // namespace hearth::text
