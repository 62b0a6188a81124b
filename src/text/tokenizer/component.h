// Reading the settings of one part of a tokenizer.json: a JSON object whose path is known, for errors.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "text/tokenizer/regex.h"

namespace hearth::text {

// Lifetime: the JSON value must outlive the component.
class Component {
 public:
  Component(const Json& value, std::string source, std::string key)
      : value_(&value), source_(std::move(source)), key_(std::move(key)) {}

  // The "type" of this part.
  std::string type() const { return string("type"); }
  bool has(std::string_view name) const;  // present and not null

  // Settings by name. Without a fallback a missing one throws LoadError, as one of another kind always does.
  std::string string(std::string_view name) const;
  std::string string(std::string_view name, std::string_view fallback) const;
  bool boolean(std::string_view name) const;
  bool boolean(std::string_view name, bool fallback) const;
  uint32_t number(std::string_view name) const;
  uint32_t number(std::string_view name, uint32_t fallback) const;
  char32_t character(std::string_view name) const;
  // {"String": ...} or {"Regex": ...}. Throws LoadError beyond 32 regular expressions or 16 KiB of them, which take up
  // to a second to compile, in this component and those around it.
  Regex pattern(std::string_view name) const;

  Component child(std::string_view name) const;
  // Elements of an array. Throws LoadError beyond `most`.
  size_t count(std::string_view name, size_t most = 64) const;
  Component element(std::string_view name, size_t index) const;

  const Json& json() const { return *value_; }
  const std::string& source() const { return source_; }
  const std::string& key() const { return key_; }
  [[noreturn]] void fail(std::string_view reason) const;

 private:
  struct Patterns {
    size_t count = 0, bytes = 0;
  };
  Component(const Json& value, std::string key, const Component& parent)
      : value_(&value), source_(parent.source_), key_(std::move(key)), patterns_(parent.patterns_) {}
  const Json* find(std::string_view name) const;
  const Json& require(std::string_view name) const;
  [[noreturn]] void fail(std::string_view name, std::string_view reason) const;

  const Json* value_;
  std::string source_, key_;
  std::shared_ptr<Patterns> patterns_ = std::make_shared<Patterns>();  // of the whole that this is a part of
};

}  // namespace hearth::text
