// Python's operators and built-in functions on template values: what jinja2's compiled code would call.
//
// All throw Failure with Python's message, or near it, where Python throws.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace hearth::text::jinja {

// type(x).__name__.
std::string_view type_name(Value value);
// The UndefinedError for `value`.
[[noreturn]] void fail_undefined(Runtime& runtime, Value value);

bool truthy(Runtime& runtime, Value value);
bool equals(Runtime& runtime, Value a, Value b);
size_t hash_value(Runtime& runtime, Value value);

enum class Order { kLess, kLessEqual, kGreater, kGreaterEqual };
bool compare(Runtime& runtime, Order order, Value a, Value b);
bool contains(Runtime& runtime, Value container, Value item);
enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };
// left == right, left in right, ...
bool holds(Runtime& runtime, Comparison comparison, Value left, Value right);

enum class Arithmetic { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };
Value arithmetic(Runtime& runtime, Arithmetic operation, Value a, Value b);
Value negate(Runtime& runtime, Value value);
Value posate(Runtime& runtime, Value value);

// str(value) and repr(value), appended.
void append_str(Runtime& runtime, std::string& out, Value value);
void append_repr(Runtime& runtime, std::string& out, Value value);
// str(value) as a plain string value; strings are not copied.
Value to_str(Runtime& runtime, Value value);
std::string_view to_view(Runtime& runtime, Value value);
// markupsafe.soft_str: as str, but Markup stays Markup.
Value soft_str(Runtime& runtime, Value value);
// markupsafe.escape(value): Markup.
Value escape(Runtime& runtime, Value value);
void append_escaped(std::string& out, std::string_view text);

// len(value); negative when there is none.
int64_t length_or_negative(Runtime& runtime, Value value);
int64_t length(Runtime& runtime, Value value);
// Characters of a string.
size_t characters(const StringData& text);

// iter(value), or null when it is not iterable.
Iterator* try_iterate(Runtime& runtime, Value value);
Iterator* iterate(Runtime& runtime, Value value);
// list(value).
std::vector<Value> collect(Runtime& runtime, Value value);

// environment.getattr: x.name; environment.getitem: x[key]; x[start:stop:step], each missing where not given.
Value get_attribute(Runtime& runtime, Value object, Value name);
Value get_item(Runtime& runtime, Value object, Value key);
// x|attr(name): attributes only, never items.
Value get_attribute_only(Runtime& runtime, Value object, Value name);
Value get_slice(Runtime& runtime, Value object, Value start, Value stop, Value step);
// The method, property or forbidden name of the object's type, or null.
const Attribute* find_attribute(Value object, std::string_view name);

// True when no dict has an attribute of that name, so that x.name is x['name'] for them.
bool is_never_dict_attribute(std::string_view name);

// Characters [begin, end) of a string, by position; bytes are shared, not copied.
Value substring(Runtime& runtime, Value text, size_t begin, size_t end);

// An index argument: int or bool, else a TypeError naming `what`.
int64_t to_index(Runtime& runtime, Value value, std::string_view what);

// text % arguments.
Value printf_format(Runtime& runtime, Value format, Value arguments);
// text.format(*args, **kwargs).
Value brace_format(Runtime& runtime, Value format, const Args& args);

}  // namespace hearth::text::jinja
