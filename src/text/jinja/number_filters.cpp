// Filters on numbers.
#include <charconv>
#include <cmath>

#include "text/jinja/filters.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"

namespace hearth::text::jinja {

namespace {

Value abs_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "abs");
  if (input.is_integral()) return input.as_int() < 0 ? negate(runtime, input) : Value::integer(input.as_int());
  if (input.is(Kind::kHuge)) return input;
  if (input.is(Kind::kFloat)) return Value::real(std::fabs(input.as_real()));
  fail("bad operand type for abs(): '" + std::string(type_name(input)) + "'");
}

Value truncated(double real, Value otherwise, bool refuse_infinity) {
  if (std::isnan(real)) return otherwise;
  if (std::isinf(real)) {
    if (refuse_infinity) fail("cannot convert float infinity to integer");
    return otherwise;
  }
  if (std::fabs(real) >= 0x1p63) fail("integer overflow: templates compute with 64-bit integers");
  return Value::integer(static_cast<int64_t>(real));
}

// Digits are read character by character, after the white space around them.
void charge_number(Runtime& runtime, Value text) { runtime.charge_bytes(text.text()->size * 16); }

Value int_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [default_arg, base_arg] = bind(args, "int", {"default", "base"});
  const Value otherwise = default_arg.is_missing() ? Value::integer(0) : default_arg;
  if (input.is_string()) {
    charge_number(runtime, input);
    const int64_t base = base_arg.is_missing() ? 10 : to_index(runtime, base_arg, "int");
    int64_t number = 0;
    const bool valid_base = base == 0 || (base >= 2 && base <= 36);
    if (valid_base && parse_python_int(input.view(), static_cast<int>(base), number)) return Value::integer(number);
    double real = 0;
    return parse_python_float(input.view(), real) ? truncated(real, otherwise, false) : otherwise;
  }
  if (input.is_integral()) return Value::integer(input.as_int());
  if (input.is(Kind::kHuge)) return input;
  if (input.is(Kind::kFloat)) return truncated(input.as_real(), otherwise, true);
  if (input.is(Kind::kUndefined)) fail_undefined(runtime, input);
  return otherwise;
}

Value float_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [default_arg] = bind(args, "float", {"default"});
  const Value otherwise = default_arg.is_missing() ? Value::real(0.0) : default_arg;
  double real = 0;
  if (input.is_string()) {
    charge_number(runtime, input);
    return parse_python_float(input.view(), real) ? Value::real(real) : otherwise;
  }
  if (input.is_integral()) return Value::real(static_cast<double>(input.as_int()));
  if (input.is(Kind::kHuge)) return Value::real(static_cast<double>(input.as_huge()));
  if (input.is(Kind::kFloat)) return input;
  if (input.is(Kind::kUndefined)) fail_undefined(runtime, input);
  return otherwise;
}

// round(int, precision): half to even at tens, hundreds, ...
Value round_integer(int64_t value, int64_t precision) {
  if (precision >= 0) return Value::integer(value);
  if (precision < -18) return Value::integer(0);
  int64_t unit = 1;
  for (int64_t i = precision; i < 0; ++i) unit *= 10;
  int64_t quotient = value / unit, remainder = value % unit;
  if (remainder < 0) {
    remainder += unit;
    --quotient;
  }
  const int64_t doubled = remainder > unit / 2 ? 1 : remainder < unit - remainder ? -1 : 0;
  if (doubled > 0 || (doubled == 0 && (quotient & 1) != 0)) ++quotient;
  int64_t rounded = 0;
  if (__builtin_mul_overflow(quotient, unit, &rounded))
    fail("integer overflow: templates compute with 64-bit integers");
  return Value::integer(rounded);
}

// round(float, precision): the decimal expansion of the binary value, half to even, as CPython's dtoa does it.
double round_float(double value, int64_t precision) {
  if (!std::isfinite(value) || precision > 323) return value;
  if (precision < -308) return std::copysign(0.0, value);
  if (precision < 0) {
    const long double unit = std::pow(10.0L, static_cast<long double>(-precision));
    const long double quotient = static_cast<long double>(value) / unit;
    return static_cast<double>(std::nearbyint(quotient) * unit);
  }
  char digits[700];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, static_cast<int>(precision)).ptr;
  double rounded = value;
  std::from_chars(digits, end, rounded);
  return rounded;
}

Value round_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [precision_arg, method_arg] = bind(args, "round", {"precision", "method"});
  const std::string_view method = method_arg.is_missing()  ? "common"
                                  : method_arg.is_string() ? method_arg.view()
                                                           : std::string_view();
  if (method != "common" && method != "ceil" && method != "floor") fail("method must be common, ceil or floor");
  if (method == "common") {
    const int64_t precision = precision_arg.is_missing()      ? 0
                              : precision_arg.is(Kind::kNone) ? 0
                                                              : to_index(runtime, precision_arg, "round");
    const bool to_integer = precision_arg.is(Kind::kNone);
    if (input.is_integral()) return round_integer(input.as_int(), precision);
    if (!input.is(Kind::kFloat)) fail("type " + std::string(type_name(input)) + " doesn't define __round__ method");
    if (to_integer) {
      if (std::isnan(input.as_real())) fail("cannot convert float NaN to integer");
      return truncated(std::nearbyint(input.as_real()), Value(), true);
    }
    return Value::real(round_float(input.as_real(), precision));
  }
  const Value precision = precision_arg.is_missing() ? Value::integer(0) : precision_arg;
  const Value unit = arithmetic(runtime, Arithmetic::kPower, Value::integer(10), precision);
  const Value scaled = arithmetic(runtime, Arithmetic::kMultiply, input, unit);
  if (!scaled.is_number()) fail("must be real number, not " + std::string(type_name(scaled)));
  Value rounded = scaled;
  if (scaled.is(Kind::kFloat)) {
    const double real = scaled.as_real();
    if (std::isnan(real)) fail("cannot convert float NaN to integer");
    rounded = truncated(method == "ceil" ? std::ceil(real) : std::floor(real), Value(), true);
  }
  return arithmetic(runtime, Arithmetic::kDivide, rounded, unit);
}

Value filesizeformat_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [binary] = bind(args, "filesizeformat", {"binary"});
  const bool powers_of_two = !binary.is_missing() && truthy(runtime, binary);
  double bytes = 0;
  if (input.is_string()) {
    charge_number(runtime, input);
    if (!parse_python_float(input.view(), bytes)) fail("could not convert string to float");
  } else if (input.is_integral()) {
    bytes = static_cast<double>(input.as_int());
  } else if (input.is(Kind::kFloat)) {
    bytes = input.as_real();
  } else {
    if (input.is(Kind::kUndefined)) fail_undefined(runtime, input);
    fail("float() argument must be a string or a real number, not '" + std::string(type_name(input)) + "'");
  }
  const double base = powers_of_two ? 1024 : 1000;
  if (bytes == 1) return runtime.borrow("1 Byte");
  if (bytes < base) {
    if (!std::isfinite(bytes)) fail("cannot convert float infinity to integer");
    char whole[320];
    const double truncated_bytes = std::trunc(bytes) + 0.0;  // -0.0 is printed as 0
    const auto end = std::to_chars(whole, whole + sizeof whole, truncated_bytes, std::chars_format::fixed, 0).ptr;
    return runtime.string(std::string(whole, end) + " Bytes");
  }
  constexpr std::string_view kDecimal[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  constexpr std::string_view kBinary[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  size_t prefix = 0;
  double unit = base * base;
  while (prefix < 7 && !(bytes < unit)) {
    ++prefix;
    unit *= base;
  }
  char digits[400];
  const auto end = std::to_chars(digits, digits + sizeof digits, base * bytes / unit, std::chars_format::fixed, 1).ptr;
  return runtime.string(std::string(digits, end) + " " + std::string((powers_of_two ? kBinary : kDecimal)[prefix]));
}

constexpr FilterEntry kNumberFilters[] = {
    {"abs", abs_filter},     {"filesizeformat", filesizeformat_filter}, {"float", float_filter}, {"int", int_filter},
    {"round", round_filter},
};

}  // namespace

std::span<const FilterEntry> number_filters() { return kNumberFilters; }

}  // namespace hearth::text::jinja
