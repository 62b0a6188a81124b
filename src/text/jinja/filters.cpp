// Finding filters by name, and what several filters share.
#include "text/jinja/filters.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "base/unicode.h"
#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

const FilterEntry* find_filter(std::string_view name) {
  for (const auto filters : {text_filters(), number_filters(), sequence_filters(), lazy_filters(), layout_filters()})
    for (const FilterEntry& entry : filters)
      if (entry.name == name) return &entry;
  return nullptr;
}

AttributePath::AttributePath(Runtime& runtime, Value attribute) {
  std::vector<Value> parts;
  if (attribute.is_string()) {
    for (const std::string_view part : split(attribute.view(), ".", -1, false)) {
      int64_t number = 0;
      const bool digits = all_have(part, kDigit) && parse_python_int(part, 10, number);
      parts.push_back(digits ? Value::integer(number) : runtime.borrow(part));
    }
  } else if (!attribute.is_missing() && !attribute.is(Kind::kNone)) {
    parts.push_back(attribute);
  }
  runtime.step(parts.size());
  parts_ = runtime.sequence(parts);
}

Value AttributePath::of(Runtime& runtime, Value item, Value otherwise) const {
  for (const Value part : parts_->items(runtime)) {
    runtime.step();
    item = get_item(runtime, item, part);
    if (item.is(Kind::kUndefined) && !otherwise.is_missing()) item = otherwise;
  }
  return item;
}

namespace {

// Digits that single underscores may separate, without them. False when underscores are misplaced.
bool remove_underscores(std::string_view given, std::string& out) {
  std::string text;  // with the digits of all scripts as ASCII ones
  for (size_t at = 0; at < given.size();) {
    const char32_t code = next_character(given, at);
    const int digit = decimal_value(code);
    append_utf8(text, digit < 0 ? code : static_cast<char32_t>('0' + digit));
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const bool between = i > 0 && i + 1 < text.size() && text[i - 1] != '_' &&
                         std::isalnum(static_cast<unsigned char>(text[i - 1])) &&
                         std::isalnum(static_cast<unsigned char>(text[i + 1]));
    if (!between) return false;
  }
  return true;
}

}  // namespace

bool parse_python_int(std::string_view text, int base, int64_t& out) {
  text = strip(text, Side::kBoth);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.size() > 2 && text[0] == '0') {
    const char letter = static_cast<char>(text[1] | 32);
    const int prefixed = letter == 'b' ? 2 : letter == 'o' ? 8 : letter == 'x' ? 16 : 0;
    if (prefixed != 0 && (base == prefixed || base == 0)) {
      base = prefixed;
      text.remove_prefix(text[2] == '_' ? 3 : 2);
    }
  }
  std::string digits;
  if (!remove_underscores(text, digits) || digits.empty()) return false;
  if (base == 0) {
    if (digits[0] == '0' && digits.find_first_not_of('0') != std::string::npos) return false;
    base = 10;
  }
  if (digits[0] == '-' || digits[0] == '+') return false;
  uint64_t magnitude = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  if (result.ptr != digits.data() + digits.size()) return false;
  const uint64_t limit = static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
  if (result.ec == std::errc::result_out_of_range || magnitude > limit)
    fail("integer overflow: templates compute with 64-bit integers");
  out = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return result.ec == std::errc();
}

bool parse_python_float(std::string_view text, double& out) {
  text = strip(text, Side::kBoth);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string digits;
  if (!remove_underscores(text, digits) || digits.empty()) return false;
  const std::string folded = lower(digits);
  if (folded == "inf" || folded == "infinity") {
    out = negative ? -HUGE_VAL : HUGE_VAL;
    return true;
  }
  if (folded != "nan" && !(digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'))) return false;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (result.ptr != digits.data() + digits.size()) return false;
  if (result.ec == std::errc::result_out_of_range) {
    out = beyond_range(digits);
  } else if (result.ec != std::errc()) {
    return false;
  }
  if (negative) out = -out;
  return true;
}

}  // namespace hearth::text::jinja
