// Typed, range-checked reading of a config.json that somebody else wrote.
//
// Errors:   LoadError "path/config.json: key: reason"; keys of nested objects are joined with dots
//           (rope_scaling.factor).
// Lifetime: refers to the JSON value it was made from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hearth::weights {

// Inclusive. The defaults suit sizes and counts of a model: positive, and small enough that products of two fit.
struct IntRange {
  int64_t min = 1;
  int64_t max = int64_t{1} << 24;
};

// Inclusive; NaN and infinities are always refused.
struct FloatRange {
  double min = -1e30;
  double max = 1e30;
};

// One JSON object. A key whose value is null counts as absent, as Hugging Face's configs mean it.
// Every getter throws LoadError naming the key when the value has the wrong type or is out of range; those without a
// fallback also when the key is absent. Fallbacks are returned as they are, unchecked.
class ConfigReader {
 public:
  // `source` names the file in errors. Throws LoadError when `object` is not a JSON object.
  ConfigReader(const Json& object, std::string source);

  bool has(std::string_view key) const;

  // Numbers such as 4096.0 count as integers, true and "4096" do not.
  int integer(std::string_view key, IntRange range = {}) const;
  int integer_or(std::string_view key, int fallback, IntRange range = {}) const;
  std::optional<int> optional_integer(std::string_view key, IntRange range = {}) const;

  double number(std::string_view key, FloatRange range = {}) const;
  double number_or(std::string_view key, double fallback, FloatRange range = {}) const;
  std::optional<double> optional_number(std::string_view key, FloatRange range = {}) const;

  bool boolean(std::string_view key) const;
  bool boolean_or(std::string_view key, bool fallback) const;

  std::string string(std::string_view key) const;
  std::string string_or(std::string_view key, std::string fallback) const;

  // Arrays of at most 65,536 values, each within `range`. Empty when the key is absent.
  std::vector<int> integers(std::string_view key, IntRange range = {}) const;
  std::vector<double> numbers(std::string_view key, FloatRange range = {}) const;
  std::vector<std::string> strings(std::string_view key) const;

  // A nested object; nothing when the key is absent.
  std::optional<ConfigReader> object(std::string_view key) const;

  const Json& json() const { return *object_; }
  const std::string& source() const { return source_; }

  // Throws the LoadError for `key` of this object: for checks that need more than one key.
  [[noreturn]] void refuse(std::string_view key, std::string_view reason) const;

 private:
  const Json* find(std::string_view key) const;
  const Json& require(std::string_view key) const;
  int to_integer(std::string_view key, const Json& value, IntRange range) const;
  double to_number(std::string_view key, const Json& value, FloatRange range) const;
  template <typename Convert>
  auto to_vector(std::string_view key, Convert convert) const;

  const Json* object_;
  std::string source_;
  std::string prefix_;  // "rope_scaling." for a nested object
};

}  // namespace hearth::weights
