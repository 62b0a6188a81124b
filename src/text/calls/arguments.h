// From a parameter's text to its JSON value, and from values to the text of the arguments' JSON object.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "text/calls/call_grammar.h"

namespace hearth::text {

// The JSON schema of one parameter of one tool, null if there is none. Tools in OpenAI's shape ({"function": {...}} or
// bare) or Anthropic's ("input_schema").
const Json* parameter_schema(const Json* tools, std::string_view function, std::string_view parameter);

// True if the tool of this name says what its parameters are.
bool has_parameters(const Json* tools, std::string_view function);

// True if there is a tool of this name. Nobody knows the tools (null): true; there are none: false.
bool offers(const Json* tools, std::string_view function);

// True if the schema allows strings and nothing else.
bool is_string_schema(const Json* schema);

enum class Untyped {
  text,     // a parameter without schema is a string, unless it reads null
  literal,  // it is JSON or a Python literal, a string only if neither
};

// The value the schema asks for: integer before number, boolean, object, array, string. Text that fits none of them is
// JSON if it is valid, else the string itself: nothing is lost.
Json coerce_argument(std::string_view text, const Json* schema, Untyped untyped);

// Writes one call's arguments piece by piece, as json.dumps would have.
class ArgumentWriter {
 public:
  explicit ArgumentWriter(CallSink& sink) : sink_(sink) {}

  void add(std::string_view name, const Json& value);
  // A string that arrives in parts.
  void begin_string(std::string_view name);
  void append_string(std::string_view part);
  void end_string();
  // Closes the object; the next add() begins another.
  void close();

 private:
  void key(std::string_view name);
  CallSink& sink_;
  bool open_ = false;
};

}  // namespace hearth::text
