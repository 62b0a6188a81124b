// The tests behind `is`.
#include "text/jinja/filters.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

namespace {

template <bool (*Holds)(Runtime&, Value)>
bool plain(Runtime& runtime, Value value, const Args& args) {
  refuse_arguments(args, "test");
  return Holds(runtime, value);
}

template <bool (*Holds)(Runtime&, Value, Value)>
bool binary(Runtime& runtime, Value value, const Args& args) {
  const auto [other] = bind(args, "test", {"other"}, 1);
  return Holds(runtime, value, other);
}

bool is_defined(Runtime&, Value value) { return !value.is(Kind::kUndefined); }
bool is_undefined(Runtime&, Value value) { return value.is(Kind::kUndefined); }
bool is_none(Runtime&, Value value) { return value.is(Kind::kNone); }
bool is_boolean(Runtime&, Value value) { return value.is(Kind::kBool); }
bool is_true(Runtime&, Value value) { return value.is(Kind::kBool) && value.as_bool(); }
bool is_false(Runtime&, Value value) { return value.is(Kind::kBool) && !value.as_bool(); }
bool is_integer(Runtime&, Value value) { return value.is(Kind::kInt) || value.is(Kind::kHuge); }
bool is_float(Runtime&, Value value) { return value.is(Kind::kFloat); }
bool is_number(Runtime&, Value value) { return value.is_number(); }
bool is_string(Runtime&, Value value) { return value.is_string(); }
bool is_mapping(Runtime&, Value value) { return value.is(Kind::kDict); }
bool is_escaped(Runtime&, Value value) { return value.is_markup(); }

template <bool (*Holds)(std::string_view)>
bool is_of_case(Runtime& runtime, Value value) {
  const std::string_view text = to_view(runtime, value);
  runtime.charge_bytes(text.size() * 8);
  return Holds(text);
}

bool is_sequence(Runtime&, Value value) {  // len() and __getitem__; Undefined answers __getattr__, so it counts
  switch (value.kind()) {
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kRange:
    case Kind::kUndefined: return true;
    default: return false;
  }
}

bool is_iterable(Runtime& runtime, Value value) {
  return value.is(Kind::kLoop) || try_iterate(runtime, value) != nullptr;
}

bool is_callable(Runtime&, Value value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kFunction:
    case Kind::kMethod:
    case Kind::kMacro:
    case Kind::kLoop:
    case Kind::kJoiner:
    case Kind::kBlock: return true;
    default: return false;
  }
}

Value modulo(Runtime& runtime, Value value, int64_t divisor) {
  return arithmetic(runtime, Arithmetic::kModulo, value, Value::integer(divisor));
}
bool is_odd(Runtime& runtime, Value value) { return equals(runtime, modulo(runtime, value, 2), Value::integer(1)); }
bool is_even(Runtime& runtime, Value value) { return equals(runtime, modulo(runtime, value, 2), Value::integer(0)); }

bool divisible(Runtime& runtime, Value value, Value divisor) {
  return equals(runtime, arithmetic(runtime, Arithmetic::kModulo, value, divisor), Value::integer(0));
}

bool same(Runtime&, Value a, Value b) {
  if (a.kind() != b.kind()) return false;
  if (a.is(Kind::kNone)) return true;
  if (a.is_integral()) return a.as_int() == b.as_int();
  if (a.is_string()) return a.view() == b.view();
  return a.identity() == b.identity();
}

bool is_in(Runtime& runtime, Value value, Value container) { return contains(runtime, container, value); }
bool not_equal(Runtime& runtime, Value a, Value b) { return !equals(runtime, a, b); }
template <Order Wanted>
bool ordered(Runtime& runtime, Value a, Value b) {
  return compare(runtime, Wanted, a, b);
}

bool is_filter(Runtime& runtime, Value name) {
  hash_value(runtime, name);  // fails for lists and dicts
  return name.is_string() && find_filter(name.view()) != nullptr;
}
bool is_test(Runtime& runtime, Value name) {
  hash_value(runtime, name);
  return name.is_string() && find_test(name.view()) != nullptr;
}

constexpr TestEntry kTests[] = {
    {"!=", binary<not_equal>},
    {"<", binary<ordered<Order::kLess>>},
    {"<=", binary<ordered<Order::kLessEqual>>},
    {"==", binary<equals>},
    {">", binary<ordered<Order::kGreater>>},
    {">=", binary<ordered<Order::kGreaterEqual>>},
    {"boolean", plain<is_boolean>},
    {"callable", plain<is_callable>},
    {"defined", plain<is_defined>},
    {"divisibleby", binary<divisible>},
    {"eq", binary<equals>},
    {"equalto", binary<equals>},
    {"escaped", plain<is_escaped>},
    {"even", plain<is_even>},
    {"false", plain<is_false>},
    {"filter", plain<is_filter>},
    {"float", plain<is_float>},
    {"ge", binary<ordered<Order::kGreaterEqual>>},
    {"greaterthan", binary<ordered<Order::kGreater>>},
    {"gt", binary<ordered<Order::kGreater>>},
    {"in", binary<is_in>},
    {"integer", plain<is_integer>},
    {"iterable", plain<is_iterable>},
    {"le", binary<ordered<Order::kLessEqual>>},
    {"lessthan", binary<ordered<Order::kLess>>},
    {"lower", plain<is_of_case<is_lower>>},
    {"lt", binary<ordered<Order::kLess>>},
    {"mapping", plain<is_mapping>},
    {"ne", binary<not_equal>},
    {"none", plain<is_none>},
    {"number", plain<is_number>},
    {"odd", plain<is_odd>},
    {"sameas", binary<same>},
    {"sequence", plain<is_sequence>},
    {"string", plain<is_string>},
    {"test", plain<is_test>},
    {"true", plain<is_true>},
    {"undefined", plain<is_undefined>},
    {"upper", plain<is_of_case<is_upper>>},
};

}  // namespace

const TestEntry* find_test(std::string_view name) {
  for (const TestEntry& entry : kTests)
    if (entry.name == name) return &entry;
  return nullptr;
}

}  // namespace hearth::text::jinja
