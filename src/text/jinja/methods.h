// The methods and properties of built-in types, and how native functions take their arguments.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "text/jinja/objects.h"

namespace hearth::text::jinja {

// All attributes of the object's type, sorted by name. Those without method and property are refused by the sandbox.
std::span<const Attribute> attributes_of(Value object);

// Of str and of Markup.
std::span<const Attribute> string_attributes();

// The arguments of a call put to names, in order; missing where not given. Throws Failure as Python does for too many,
// unknown, repeated or missing ones: the first `required` must be given, the first `positional_only` not by name.
void bind_arguments(const Args& args, std::string_view function, std::span<const std::string_view> names,
                    std::span<Value> out, size_t required, size_t positional_only);

template <size_t N>
std::array<Value, N> bind(const Args& args, std::string_view function, const std::string_view (&names)[N],
                          size_t required = 0, size_t positional_only = 0) {
  std::array<Value, N> out;
  bind_arguments(args, function, names, out, required, positional_only);
  return out;
}

void refuse_arguments(const Args& args, std::string_view function);

}  // namespace hearth::text::jinja
