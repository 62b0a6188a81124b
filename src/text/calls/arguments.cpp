#include "text/calls/arguments.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "text/calls/literal.h"

namespace hearth::text {

namespace {

constexpr int kDeepestSchema = 16;  // anyOf in anyOf

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

const Json* member(const Json* object, const char* key) {
  if (object == nullptr || !object->is_object()) return nullptr;
  const auto found = object->find(key);
  return found == object->end() ? nullptr : &*found;
}

const Json* function_of(const Json& tool) {
  const Json* function = member(&tool, "function");
  return function != nullptr ? function : &tool;
}

bool is_named(const Json& tool, std::string_view name) {
  const Json* found = member(function_of(tool), "name");
  return found != nullptr && found->is_string() && found->get_ref<const std::string&>() == name;
}

void collect_types(const Json* schema, std::set<std::string>& types, int depth) {
  if (schema == nullptr || !schema->is_object() || depth > kDeepestSchema) return;
  if (const Json* type = member(schema, "type")) {
    if (type->is_string()) types.insert(type->get<std::string>());
    if (type->is_array())
      for (const Json& one : *type)
        if (one.is_string()) types.insert(one.get<std::string>());
  }
  if (const Json* values = member(schema, "enum"); values != nullptr && values->is_array()) {
    for (const Json& v : *values)
      types.insert(v.is_null()             ? "null"
                   : v.is_boolean()        ? "boolean"
                   : v.is_number_integer() ? "integer"
                   : v.is_number()         ? "number"
                   : v.is_array()          ? "array"
                   : v.is_object()         ? "object"
                                           : "string");
  }
  for (const char* choice : {"anyOf", "oneOf", "allOf"})
    if (const Json* options = member(schema, choice); options != nullptr && options->is_array())
      for (const Json& option : *options) collect_types(&option, types, depth + 1);
}

// The schemas of a tool's parameters by name, null if the tool or they are unknown.
const Json* properties_of(const Json* tools, std::string_view function) {
  if (tools == nullptr || !tools->is_array()) return nullptr;
  const auto tool =
      std::find_if(tools->begin(), tools->end(), [&](const Json& one) { return is_named(one, function); });
  if (tool == tools->end()) return nullptr;
  const Json* schema = member(function_of(*tool), "parameters");
  if (schema == nullptr) schema = member(function_of(*tool), "input_schema");
  const Json* properties = member(schema, "properties");
  return properties != nullptr && properties->is_object() ? properties : nullptr;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return result;
}

std::optional<Json> as_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::optional<Json> number = read_number(text);
  if (!number || !number->is_number_float()) return number;
  const double real = number->get<double>();
  if (real == std::floor(real) && std::abs(real) < 0x1p53) return Json(static_cast<int64_t>(real));
  return number;
}

std::optional<Json> as_boolean(std::string_view text) {
  const std::string word = lower(trim(text));
  for (const char* yes : {"true", "1", "yes", "on"})
    if (word == yes) return Json(true);
  for (const char* no : {"false", "0", "no", "off"})
    if (word == no) return Json(false);
  return std::nullopt;
}

std::optional<Json> json_or_literal(std::string_view text) {
  if (auto value = parse_json_value(text)) return value;
  return parse_literal(text);
}

std::optional<Json> coerce_to(const std::set<std::string>& types, std::string_view text) {
  const auto allows = [&](const char* type) { return types.contains(type); };
  if (allows("integer") || allows("int"))
    if (auto v = as_number(text); v && v->is_number_integer()) return v;
  if (allows("number") || allows("float"))
    if (auto v = as_number(text)) return v;
  if (allows("boolean") || allows("bool"))
    if (auto v = as_boolean(text)) return v;
  if (allows("object") || allows("dict"))
    if (auto v = json_or_literal(text); v && v->is_object()) return v;
  if (allows("array") || allows("list"))
    if (auto v = json_or_literal(text); v && v->is_array()) return v;
  if (allows("string") || allows("str")) return Json(std::string(text));
  return std::nullopt;
}

}  // namespace

const Json* parameter_schema(const Json* tools, std::string_view function, std::string_view parameter) {
  return member(properties_of(tools, function), std::string(parameter).c_str());
}

bool has_parameters(const Json* tools, std::string_view function) {
  const Json* properties = properties_of(tools, function);
  return properties != nullptr && !properties->empty();
}

bool offers(const Json* tools, std::string_view function) {
  if (tools == nullptr) return true;
  return tools->is_array() &&
         std::any_of(tools->begin(), tools->end(), [&](const Json& t) { return is_named(t, function); });
}

bool is_string_schema(const Json* schema) {
  std::set<std::string> types;
  collect_types(schema, types, 0);
  return types.size() == 1 && (types.contains("string") || types.contains("str"));
}

Json coerce_argument(std::string_view text, const Json* schema, Untyped untyped) {
  std::set<std::string> types;
  collect_types(schema, types, 0);
  if (is_string_schema(schema)) return std::string(text);
  if (lower(trim(text)) == "null") return nullptr;
  if (types.empty()) {
    if (untyped == Untyped::literal)
      if (auto value = json_or_literal(text)) return *value;
    return std::string(text);
  }
  if (types.contains("null") && (lower(trim(text)) == "none" || lower(trim(text)) == "nil")) return nullptr;
  if (auto value = coerce_to(types, text)) return *value;
  if (auto value = json_or_literal(text)) return *value;
  return std::string(text);
}

void ArgumentWriter::key(std::string_view name) {
  sink_.arguments(open_ ? ", " : "{");
  open_ = true;
  sink_.arguments(dump(std::string(name)) + ": ");
}

void ArgumentWriter::add(std::string_view name, const Json& value) {
  key(name);
  sink_.arguments(dump(value));
}

void ArgumentWriter::begin_string(std::string_view name) {
  key(name);
  sink_.arguments("\"");
}

void ArgumentWriter::append_string(std::string_view part) {
  if (part.empty()) return;
  const std::string quoted = dump(std::string(part));
  sink_.arguments(std::string_view(quoted).substr(1, quoted.size() - 2));
}

void ArgumentWriter::end_string() { sink_.arguments("\""); }

void ArgumentWriter::close() {
  sink_.arguments(open_ ? "}" : "{}");
  open_ = false;
}

}  // namespace hearth::text
