#include "text/tokenizer/component.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

void Component::fail(std::string_view reason) const { throw LoadError(source_, key_, reason); }

void Component::fail(std::string_view name, std::string_view reason) const {
  throw LoadError(source_, key_.empty() ? std::string(name) : key_ + "." + std::string(name), reason);
}

const Json* Component::find(std::string_view name) const {
  if (!value_->is_object()) fail("not an object");
  const auto it = value_->find(std::string(name));
  return it == value_->end() || it->is_null() ? nullptr : &*it;
}

const Json& Component::require(std::string_view name) const {
  const Json* found = find(name);
  if (!found) fail(name, "missing");
  return *found;
}

bool Component::has(std::string_view name) const { return find(name) != nullptr; }

std::string Component::string(std::string_view name) const {
  const Json& value = require(name);
  if (!value.is_string()) fail(name, "not a string");
  return value.get<std::string>();
}

std::string Component::string(std::string_view name, std::string_view fallback) const {
  return has(name) ? string(name) : std::string(fallback);
}

bool Component::boolean(std::string_view name) const {
  const Json& value = require(name);
  if (!value.is_boolean()) fail(name, "not true or false");
  return value.get<bool>();
}

bool Component::boolean(std::string_view name, bool fallback) const { return has(name) ? boolean(name) : fallback; }

uint32_t Component::number(std::string_view name) const {
  const Json& value = require(name);
  if (!value.is_number_unsigned() || value.get<uint64_t>() > 0x7FFFFFFF) fail(name, "not an integer in [0, 2^31)");
  return value.get<uint32_t>();
}

uint32_t Component::number(std::string_view name, uint32_t fallback) const {
  return has(name) ? number(name) : fallback;
}

char32_t Component::character(std::string_view name) const {
  const std::string text = string(name);
  if (text.empty() || utf8_length(text[0]) != text.size()) fail(name, "not one character");
  size_t at = 0;
  return next_character(text, at);
}

Regex Component::pattern(std::string_view name) const {
  const Component kind = child(name);
  if (kind.has("Regex")) {
    const std::string regex = kind.string("Regex");
    patterns_->bytes += regex.size();
    if (++patterns_->count > 32 || patterns_->bytes > 16384)
      kind.fail("more than 32 regular expressions, or 16384 bytes of them");
    return Regex(regex, source_, kind.key() + ".Regex");
  }
  const std::string literal = kind.string("String");
  return literal.empty() ? Regex("", source_, kind.key()) : Regex::literal(literal);
}

Component Component::child(std::string_view name) const {
  return {require(name), key_.empty() ? std::string(name) : key_ + "." + std::string(name), *this};
}

size_t Component::count(std::string_view name, size_t most) const {
  const Json& value = require(name);
  if (!value.is_array()) fail(name, "not an array");
  if (value.size() > most) fail(name, "more than " + std::to_string(most) + " elements");
  return value.size();
}

Component Component::element(std::string_view name, size_t index) const {
  return {require(name).at(index), key_ + "." + std::string(name) + "[" + std::to_string(index) + "]", *this};
}

}  // namespace hearth::text
