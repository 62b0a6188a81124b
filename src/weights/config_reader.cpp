#include "weights/config_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace hearth::weights {

namespace {

constexpr size_t kLongestArray = 65'536;

// A JSON number as int64, where it is one: 12, 12.0. Nothing for 1.5, 1e18 as a float, strings, booleans.
std::optional<int64_t> whole_number(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (std::abs(number) > 0x1p53 || number != std::floor(number)) return std::nullopt;
  return static_cast<int64_t>(number);
}

// A value in an error message: as JSON, cut to a length that fits into a line.
std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_number_float() && !std::isfinite(value.get<double>())) return fmt::format("{}", value.get<double>());
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 40) text = text.substr(0, 40) + "...";
  return text;
}

}  // namespace

ConfigReader::ConfigReader(const Json& object, std::string source) : object_(&object), source_(std::move(source)) {
  if (!object.is_object()) throw LoadError(source_, "not a JSON object");
}

void ConfigReader::refuse(std::string_view key, std::string_view reason) const {
  throw LoadError(source_, prefix_ + std::string(key), reason);
}

const Json* ConfigReader::find(std::string_view key) const {
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

const Json& ConfigReader::require(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) refuse(key, "missing");
  return *value;
}

bool ConfigReader::has(std::string_view key) const { return find(key) != nullptr; }

int ConfigReader::to_integer(std::string_view key, const Json& value, IntRange range) const {
  if (!value.is_number()) refuse(key, fmt::format("{} is not a whole number", shown(value)));
  const auto number = whole_number(value);
  if (!number || *number < range.min || *number > range.max)
    refuse(key, fmt::format("{} is not a whole number from {} to {}", shown(value), range.min, range.max));
  return static_cast<int>(*number);
}

double ConfigReader::to_number(std::string_view key, const Json& value, FloatRange range) const {
  if (!value.is_number()) refuse(key, fmt::format("{} is not a number", shown(value)));
  const double number = value.get<double>();
  if (!(number >= range.min && number <= range.max))
    refuse(key, fmt::format("{} is not a number from {} to {}", shown(value), range.min, range.max));
  return number;
}

int ConfigReader::integer(std::string_view key, IntRange range) const { return to_integer(key, require(key), range); }

int ConfigReader::integer_or(std::string_view key, int fallback, IntRange range) const {
  const Json* value = find(key);
  return value == nullptr ? fallback : to_integer(key, *value, range);
}

std::optional<int> ConfigReader::optional_integer(std::string_view key, IntRange range) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  return to_integer(key, *value, range);
}

double ConfigReader::number(std::string_view key, FloatRange range) const {
  return to_number(key, require(key), range);
}

double ConfigReader::number_or(std::string_view key, double fallback, FloatRange range) const {
  const Json* value = find(key);
  return value == nullptr ? fallback : to_number(key, *value, range);
}

std::optional<double> ConfigReader::optional_number(std::string_view key, FloatRange range) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  return to_number(key, *value, range);
}

bool ConfigReader::boolean(std::string_view key) const {
  const Json& value = require(key);
  if (!value.is_boolean()) refuse(key, fmt::format("{} is neither true nor false", shown(value)));
  return value.get<bool>();
}

bool ConfigReader::boolean_or(std::string_view key, bool fallback) const { return has(key) ? boolean(key) : fallback; }

std::string ConfigReader::string(std::string_view key) const {
  const Json& value = require(key);
  if (!value.is_string()) refuse(key, fmt::format("{} is not a string", shown(value)));
  return value.get<std::string>();
}

std::string ConfigReader::string_or(std::string_view key, std::string fallback) const {
  return has(key) ? string(key) : std::move(fallback);
}

template <typename Convert>
auto ConfigReader::to_vector(std::string_view key, Convert convert) const {
  std::vector<std::invoke_result_t<Convert, const Json&>> values;
  const Json* array = find(key);
  if (array == nullptr) return values;
  if (!array->is_array()) refuse(key, fmt::format("{} is not an array", shown(*array)));
  if (array->size() > kLongestArray) refuse(key, fmt::format("an array of more than {} values", kLongestArray));
  for (const Json& value : *array) values.push_back(convert(value));
  return values;
}

std::vector<int> ConfigReader::integers(std::string_view key, IntRange range) const {
  return to_vector(key, [&](const Json& value) { return to_integer(key, value, range); });
}

std::vector<double> ConfigReader::numbers(std::string_view key, FloatRange range) const {
  return to_vector(key, [&](const Json& value) { return to_number(key, value, range); });
}

std::vector<std::string> ConfigReader::strings(std::string_view key) const {
  return to_vector(key, [&](const Json& value) {
    if (!value.is_string()) refuse(key, fmt::format("{} is not a string", shown(value)));
    return value.get<std::string>();
  });
}

std::optional<ConfigReader> ConfigReader::object(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) refuse(key, fmt::format("{} is not an object", shown(*value)));
  ConfigReader nested(*value, source_);
  nested.prefix_ = prefix_ + std::string(key) + ".";
  return nested;
}

}  // namespace hearth::weights
