// Truth, equality, order, membership and arithmetic. Integers are 64 bits where Python's have no end: what does not fit
// is refused with a sentence, never wrapped.
#include "text/jinja/operations.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

namespace {

[[noreturn]] void fail_operands(std::string_view sign, Value a, Value b) {
  fail("unsupported operand type(s) for " + std::string(sign) + ": '" + std::string(type_name(a)) + "' and '" +
       std::string(type_name(b)) + "'");
}

[[noreturn]] void fail_overflow() { fail("integer overflow: templates compute with 64-bit integers"); }

double to_double(Value value) {
  if (value.is(Kind::kFloat)) return value.as_real();
  if (value.is(Kind::kHuge)) return static_cast<double>(value.as_huge());
  return static_cast<double>(value.as_int());
}

// Exact: long double holds every int64 and every double.
long double to_exact(Value value) {
  if (value.is(Kind::kFloat)) return value.as_real();
  if (value.is(Kind::kHuge)) return static_cast<long double>(value.as_huge());
  return static_cast<long double>(value.as_int());
}

bool sequences_equal(Runtime& runtime, std::span<const Value> a, std::span<const Value> b) {
  if (a.size() != b.size()) return false;
  Runtime::DepthGuard guard(runtime);
  for (size_t i = 0; i < a.size(); ++i) {
    runtime.step();
    if (!equals(runtime, a[i], b[i])) return false;
  }
  return true;
}

bool dicts_equal(Runtime& runtime, DictData& a, DictData& b) {
  if (a.size(runtime) != b.size(runtime)) return false;
  Runtime::DepthGuard guard(runtime);
  for (const Entry& entry : a.entries(runtime)) {
    runtime.step();
    const Value* other = b.find(runtime, entry.key);
    if (other == nullptr || !equals(runtime, entry.value, *other)) return false;
  }
  return true;
}

bool ranges_equal(const Range& a, const Range& b) {
  if (a.count != b.count) return false;
  if (a.count == 0) return true;
  return a.start == b.start && (a.count == 1 || a.step == b.step);
}

bool ordered(Order order, int sign) {
  switch (order) {
    case Order::kLess: return sign < 0;
    case Order::kLessEqual: return sign <= 0;
    case Order::kGreater: return sign > 0;
    default: return sign >= 0;
  }
}

std::string_view order_sign(Order order) {
  constexpr std::string_view kSigns[] = {"<", "<=", ">", ">="};
  return kSigns[static_cast<int>(order)];
}

bool compare_sequences(Runtime& runtime, Order order, std::span<const Value> a, std::span<const Value> b) {
  Runtime::DepthGuard guard(runtime);
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    runtime.step();
    if (!equals(runtime, a[i], b[i])) return compare(runtime, order, a[i], b[i]);
  }
  return ordered(order, a.size() < b.size() ? -1 : a.size() > b.size());
}

Value integer_arithmetic(Arithmetic operation, int64_t a, int64_t b);

Value integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) fail("0.0 cannot be raised to a negative power");
    return Value::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) fail_overflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) fail_overflow();
  }
  return Value::integer(result);
}

Value integer_arithmetic(Arithmetic operation, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (operation) {
    case Arithmetic::kAdd:
      if (__builtin_add_overflow(a, b, &result)) fail_overflow();
      return Value::integer(result);
    case Arithmetic::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) fail_overflow();
      return Value::integer(result);
    case Arithmetic::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) fail_overflow();
      return Value::integer(result);
    case Arithmetic::kDivide:
      if (b == 0) fail("division by zero");
      return Value::real(static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
    case Arithmetic::kPower: return integer_power(a, b);
    default: break;
  }
  if (b == 0) fail("integer division or modulo by zero");
  if (b == -1)
    return operation == Arithmetic::kModulo ? Value::integer(0) : integer_arithmetic(Arithmetic::kSubtract, 0, a);
  const int64_t quotient = a / b, remainder = a % b;
  const bool below = remainder != 0 && (remainder < 0) != (b < 0);
  if (operation == Arithmetic::kModulo) return Value::integer(below ? remainder + b : remainder);
  return Value::integer(below ? quotient - 1 : quotient);
}

// CPython's float_divmod.
Value float_division(bool modulo, double a, double b) {
  if (b == 0) fail(modulo ? "float modulo" : "float floor division by zero");
  double remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder != 0) {
    if ((b < 0) != (remainder < 0)) {
      remainder += b;
      quotient -= 1;
    }
  } else {
    remainder = std::copysign(0.0, b);
  }
  if (modulo) return Value::real(remainder);
  if (quotient == 0) return Value::real(std::copysign(0.0, a / b));
  double floored = std::floor(quotient);
  if (quotient - floored > 0.5) floored += 1;
  return Value::real(floored);
}

Value float_power(double a, double b) {
  if (a == 0 && b < 0) fail("0.0 cannot be raised to a negative power");
  if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b)) fail("complex numbers are not supported");
  const double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) fail("(34, 'Numerical result out of range')");
  return Value::real(result);
}

Value float_arithmetic(Arithmetic operation, double a, double b) {
  switch (operation) {
    case Arithmetic::kAdd: return Value::real(a + b);
    case Arithmetic::kSubtract: return Value::real(a - b);
    case Arithmetic::kMultiply: return Value::real(a * b);
    case Arithmetic::kDivide:
      if (b == 0) fail("float division by zero");
      return Value::real(a / b);
    case Arithmetic::kPower: return float_power(a, b);
    default: return float_division(operation == Arithmetic::kModulo, a, b);
  }
}

Value add_strings(Runtime& runtime, Value a, Value b) {
  if (a.is_markup() == b.is_markup()) return runtime.concat(a.view(), b.view(), a.is_markup());
  if (a.is_markup()) b = escape(runtime, b);
  if (b.is_markup()) a = escape(runtime, a);
  return runtime.concat(a.view(), b.view(), true);
}

Value repeat_string(Runtime& runtime, Value text, int64_t times) {
  const std::string_view piece = text.view();
  if (times <= 0 || piece.empty()) return runtime.borrow("", text.is_markup());
  if (static_cast<uint64_t>(times) > runtime.limits().bytes / piece.size())
    fail("the template makes a string of more than " + std::to_string(runtime.limits().bytes) + " bytes");
  const size_t size = piece.size() * static_cast<size_t>(times);
  runtime.charge_bytes(size);
  char* out = static_cast<char*>(runtime.allocate(size));
  for (size_t at = 0; at < size; at += piece.size()) std::memcpy(out + at, piece.data(), piece.size());
  return runtime.borrow({out, size}, text.is_markup());
}

Value repeat_sequence(Runtime& runtime, Value sequence, int64_t times) {
  const auto items = sequence.list_data()->items(runtime);
  const uint64_t limit = runtime.limits().bytes / sizeof(Value);
  if (times > 0 && !items.empty() && static_cast<uint64_t>(times) > limit / items.size())
    fail("the template makes a list of more than " + std::to_string(limit) + " items");
  ListData* out = runtime.make<ListData>();
  out->count = times <= 0 ? 0 : items.size() * static_cast<size_t>(times);
  runtime.step(out->count / 8);
  out->values = runtime.make_array<Value>(out->count);
  for (size_t at = 0; at < out->count; at += items.size()) std::copy(items.begin(), items.end(), out->values + at);
  return sequence.is(Kind::kList) ? Value::list(out) : Value::tuple(out);
}

Value join_sequences(Runtime& runtime, Value a, Value b) {
  const auto left = a.list_data()->items(runtime), right = b.list_data()->items(runtime);
  ListData* out = runtime.make<ListData>();
  out->count = left.size() + right.size();
  runtime.step(out->count / 8);
  out->values = runtime.make_array<Value>(out->count);
  std::copy(right.begin(), right.end(), std::copy(left.begin(), left.end(), out->values));
  return a.is(Kind::kList) ? Value::list(out) : Value::tuple(out);
}

}  // namespace

std::string_view type_name(Value value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined: return "Undefined";
    case Kind::kNone: return "NoneType";
    case Kind::kBool: return "bool";
    case Kind::kInt:
    case Kind::kHuge: return "int";
    case Kind::kFloat: return "float";
    case Kind::kString: return value.is_markup() ? "Markup" : "str";
    case Kind::kList: return "list";
    case Kind::kTuple: return "tuple";
    case Kind::kDict: return "dict";
    case Kind::kDictView: {
      constexpr std::string_view kNames[] = {"dict_keys", "dict_values", "dict_items"};
      return kNames[value.as<DictView>().what];
    }
    case Kind::kRange: return "range";
    case Kind::kNamespace: return "TemplateNamespace";
    case Kind::kIterator: return "generator";
    case Kind::kLoop: return "LoopContext";
    case Kind::kMacro: return "Macro";
    case Kind::kMethod: return "builtin_function_or_method";
    case Kind::kFunction: return "function";
    case Kind::kCycler: return "Cycler";
    case Kind::kJoiner: return "Joiner";
    case Kind::kSelf: return "TemplateReference";
    case Kind::kBlock: return "BlockReference";
  }
  return "object";
}

void fail_undefined(Runtime& runtime, Value value) {
  const UndefinedData& data = *value.undefined_data();
  if (!data.hint.empty()) fail(std::string(data.hint));
  std::string name;
  append_repr(runtime, name, data.name);
  if (data.owner.is_missing()) fail(name + " is undefined");
  const std::string owner = data.owner.is(Kind::kNone) ? "None" : std::string(type_name(data.owner)) + " object";
  if (data.name.is_string()) fail("'" + owner + "' has no attribute " + name);
  fail(owner + " has no element " + name);
}

bool truthy(Runtime& runtime, Value value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
    case Kind::kNone: return false;
    case Kind::kBool:
    case Kind::kInt: return value.as_int() != 0;
    case Kind::kFloat: return value.as_real() != 0;
    case Kind::kString: return value.text()->size != 0;
    case Kind::kList:
    case Kind::kTuple: return value.list_data()->count != 0;
    case Kind::kDict: return value.dict_data()->count != 0;
    case Kind::kDictView: return value.as<DictView>().dict->count != 0;
    case Kind::kRange: return value.as<Range>().count != 0;
    case Kind::kLoop: return value.as<Loop>().count(runtime) != 0;
    default: return true;
  }
}

bool equals(Runtime& runtime, Value a, Value b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_integral() && b.is_integral()) return a.as_int() == b.as_int();
    return to_exact(a) == to_exact(b);
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNone: return true;
    case Kind::kString:
      if (a.text()->size != b.text()->size) return false;
      runtime.charge_bytes(a.text()->size);
      return a.view() == b.view();
    case Kind::kList:
    case Kind::kTuple:
      return a.identity() == b.identity() ||
             sequences_equal(runtime, a.list_data()->items(runtime), b.list_data()->items(runtime));
    case Kind::kDict: return a.identity() == b.identity() || dicts_equal(runtime, *a.dict_data(), *b.dict_data());
    case Kind::kRange: return ranges_equal(a.as<Range>(), b.as<Range>());
    case Kind::kDictView: {
      const DictView &x = a.as<DictView>(), &y = b.as<DictView>();
      if (x.what != y.what || x.what == DictView::kValues) return a.identity() == b.identity();
      if (x.dict->size(runtime) != y.dict->size(runtime)) return false;
      for (Value item : collect(runtime, a))
        if (!contains(runtime, b, item)) return false;
      return true;
    }
    case Kind::kMethod:
      return a.as<BoundMethod>().attribute == b.as<BoundMethod>().attribute &&
             a.as<BoundMethod>().self.identity() == b.as<BoundMethod>().self.identity();
    default: return a.identity() == b.identity();
  }
}

size_t hash_value(Runtime& runtime, Value value) {
  switch (value.kind()) {
    case Kind::kUndefined: return 1;
    case Kind::kNone: return 2;
    case Kind::kBool:
    case Kind::kInt: return std::hash<int64_t>{}(value.as_int());
    case Kind::kHuge: return std::hash<double>{}(static_cast<double>(value.as_huge()));
    case Kind::kFloat: {
      const double real = value.as_real();
      if (real == std::floor(real) && std::fabs(real) < 0x1p62) return std::hash<int64_t>{}(static_cast<int64_t>(real));
      return std::hash<double>{}(real);
    }
    case Kind::kString: runtime.charge_bytes(value.text()->size); return std::hash<std::string_view>{}(value.view());
    case Kind::kTuple: {
      Runtime::DepthGuard guard(runtime);
      size_t hash = 3;
      for (Value item : value.list_data()->items(runtime)) {
        runtime.step();
        hash = hash * 1000003 ^ hash_value(runtime, item);
      }
      return hash;
    }
    case Kind::kList:
    case Kind::kDict:
    case Kind::kDictView: fail("unhashable type: '" + std::string(type_name(value)) + "'");
    case Kind::kRange: return value.as<Range>().count;
    default: return std::hash<const void*>{}(value.identity());
  }
}

bool compare(Runtime& runtime, Order order, Value a, Value b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_integral() && b.is_integral())
      return ordered(order, a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int());
    const long double x = to_exact(a), y = to_exact(b);
    if (std::isnan(x) || std::isnan(y)) return false;
    return ordered(order, x < y ? -1 : x > y);
  }
  if (a.is_string() && b.is_string()) {
    runtime.charge_bytes(std::min(a.text()->size, b.text()->size));
    return ordered(order, a.view().compare(b.view()));  // UTF-8 sorts as its code points do
  }
  if (a.is_sequence() && a.kind() == b.kind())
    return compare_sequences(runtime, order, a.list_data()->items(runtime), b.list_data()->items(runtime));
  if (a.is(Kind::kUndefined)) fail_undefined(runtime, a);
  if (b.is(Kind::kUndefined)) fail_undefined(runtime, b);
  fail("'" + std::string(order_sign(order)) + "' not supported between instances of '" + std::string(type_name(a)) +
       "' and '" + std::string(type_name(b)) + "'");
}

bool contains(Runtime& runtime, Value container, Value item) {
  switch (container.kind()) {
    case Kind::kString:
      if (!item.is_string()) fail("'in <string>' requires string as left operand, not " + std::string(type_name(item)));
      runtime.charge_search(container.text()->size);
      return find(container.view(), item.view()) != std::string_view::npos;
    case Kind::kDict: return container.dict_data()->find(runtime, item) != nullptr;
    case Kind::kDictView: {
      const DictView& view = container.as<DictView>();
      if (view.what == DictView::kKeys) return view.dict->find(runtime, item) != nullptr;
      break;
    }
    case Kind::kRange: {
      const Range& range = container.as<Range>();
      if (!item.is_integral()) break;
      const __int128 distance = static_cast<__int128>(item.as_int()) - range.start;
      if (distance % range.step != 0) return false;
      const __int128 at = distance / range.step;
      return at >= 0 && at < static_cast<__int128>(range.count);
    }
    case Kind::kList:
    case Kind::kTuple:
      for (Value candidate : container.list_data()->items(runtime)) {
        runtime.step();
        if (equals(runtime, candidate, item)) return true;
      }
      return false;
    default: break;
  }
  Iterator* iterator = try_iterate(runtime, container);
  if (iterator == nullptr) fail("argument of type '" + std::string(type_name(container)) + "' is not iterable");
  for (Value candidate; iterator->next(runtime, candidate);)
    if (equals(runtime, candidate, item)) return true;
  return false;
}

bool holds(Runtime& runtime, Comparison comparison, Value left, Value right) {
  switch (comparison) {
    case Comparison::kEqual: return equals(runtime, left, right);
    case Comparison::kNotEqual: return !equals(runtime, left, right);
    case Comparison::kLess: return compare(runtime, Order::kLess, left, right);
    case Comparison::kLessEqual: return compare(runtime, Order::kLessEqual, left, right);
    case Comparison::kGreater: return compare(runtime, Order::kGreater, left, right);
    case Comparison::kGreaterEqual: return compare(runtime, Order::kGreaterEqual, left, right);
    case Comparison::kIn: return contains(runtime, right, left);
    case Comparison::kNotIn: return !contains(runtime, right, left);
  }
  return false;
}

Value arithmetic(Runtime& runtime, Arithmetic operation, Value a, Value b) {
  if (a.is_integral() && b.is_integral()) return integer_arithmetic(operation, a.as_int(), b.as_int());
  if (a.is_string() && b.is_string() && operation == Arithmetic::kAdd) return add_strings(runtime, a, b);
  if (operation == Arithmetic::kSubtract && (a.is(Kind::kDictView) || b.is(Kind::kDictView)))
    fail("sets are not supported");
  if (a.is(Kind::kUndefined)) fail_undefined(runtime, a);
  if (a.is_string() && operation == Arithmetic::kModulo) return printf_format(runtime, a, b);
  if (b.is(Kind::kUndefined)) fail_undefined(runtime, b);
  if (a.is_number() && b.is_number()) {
    if ((a.is(Kind::kHuge) || b.is(Kind::kHuge)) && !a.is(Kind::kFloat) && !b.is(Kind::kFloat)) fail_overflow();
    return float_arithmetic(operation, to_double(a), to_double(b));
  }
  if (operation == Arithmetic::kAdd && a.is_sequence() && a.kind() == b.kind()) return join_sequences(runtime, a, b);
  if (operation == Arithmetic::kMultiply) {
    if (a.is_integral()) std::swap(a, b);
    if (a.is_string() && b.is_integral()) return repeat_string(runtime, a, b.as_int());
    if (a.is_sequence() && b.is_integral()) return repeat_sequence(runtime, a, b.as_int());
  }
  constexpr std::string_view kSigns[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};
  fail_operands(kSigns[static_cast<int>(operation)], a, b);
}

Value negate(Runtime& runtime, Value value) {
  if (value.is_integral()) return integer_arithmetic(Arithmetic::kSubtract, 0, value.as_int());
  if (value.is(Kind::kFloat)) return Value::real(-value.as_real());
  if (value.is(Kind::kHuge)) fail_overflow();
  if (value.is(Kind::kUndefined)) fail_undefined(runtime, value);
  fail("bad operand type for unary -: '" + std::string(type_name(value)) + "'");
}

Value posate(Runtime& runtime, Value value) {
  if (value.is_integral()) return Value::integer(value.as_int());
  if (value.is_number()) return value;
  if (value.is(Kind::kUndefined)) fail_undefined(runtime, value);
  fail("bad operand type for unary +: '" + std::string(type_name(value)) + "'");
}

int64_t to_index(Runtime& runtime, Value value, std::string_view what) {
  if (value.is_integral()) return value.as_int();
  if (value.is(Kind::kHuge)) fail_overflow();
  if (value.is(Kind::kUndefined)) fail_undefined(runtime, value);
  fail(std::string(what) + ": '" + std::string(type_name(value)) + "' object cannot be interpreted as an integer");
}

}  // namespace hearth::text::jinja
