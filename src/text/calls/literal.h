// Values as models write them in calls that are not JSON: Python literals, and Gemma's objects with bare keys.
#pragma once

#include <optional>
#include <string_view>

#include "base/json.h"

namespace hearth::text {

struct LiteralStyle {
  std::string_view string_mark = {};  // quotes strings besides ' and ", e.g. <|"|>; empty if none
  bool bare_keys = false;             // object keys need no quotes
};

// Python literals (strings with every escape, numbers, lists, tuples, dicts, None, True, False) and the words null,
// true, false. Nothing if `text` is not exactly one such value, white space around it aside. Tuples become arrays.
std::optional<Json> parse_literal(std::string_view text, const LiteralStyle& style = {});

// A decimal number: an integer where it is written as one, else a float. Nothing if it is neither, not finite, or an
// integer beyond 64 bits, of which a float would lose digits.
std::optional<Json> read_number(std::string_view digits);

// JSON as json.loads reads it, but nothing instead of an error.
std::optional<Json> parse_json_value(std::string_view text);

}  // namespace hearth::text
