// Where two renderings of a conversation part: for people who compare a template with another, or with a reference.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hearth::text {

struct TextDifference {
  size_t byte = 0;            // of both texts: the beginning of the first character that differs
  int line = 1, column = 1;   // of that character, both from 1, the column in characters
  std::string before;         // up to 40 characters that both have before it
  std::string first, second;  // up to 40 characters of each from there; "" at its end
};

// Nothing when the texts are equal. Requires valid UTF-8.
std::optional<TextDifference> find_difference(std::string_view first, std::string_view second);

// Index of the first token that differs (the shorter length when one begins with the other); nothing when equal.
std::optional<size_t> find_difference(std::span<const int32_t> first, std::span<const int32_t> second);

}  // namespace hearth::text
