// Operations on bool, integers and complex numbers, and the conversions between all computing types: plain loops that
// the compiler turns into vector code where it can. Integers wrap; a division by zero gives 0, as in MLX.
#include <bit>
#include <cmath>
#include <complex>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/cpu/scalar_math.h"
#include "core/cpu/scalar_types.h"
#include "core/cpu/tiles.h"

namespace hearth::cpu {
namespace {

template <class T, class Out, class F>
constexpr UnaryTile each(F) {
  return [](const void* x, void* out, size_t n) {
    for (size_t i = 0; i < n; i++) static_cast<Out*>(out)[i] = static_cast<Out>(F{}(static_cast<const T*>(x)[i]));
  };
}

template <class T, class Out, class F>
constexpr BinaryTile each_two(F) {
  return [](const void* a, const void* b, void* out, size_t n) {
    for (size_t i = 0; i < n; i++) {
      static_cast<Out*>(out)[i] = static_cast<Out>(F{}(static_cast<const T*>(a)[i], static_cast<const T*>(b)[i]));
    }
  };
}

// The value in 64 unsigned bits, where arithmetic wraps; the low bits are what the narrower type would have.
template <class T>
auto wrapping(T x) {
  if constexpr (std::is_same_v<T, bool>) {
    return static_cast<unsigned>(x);
  } else {
    return static_cast<uint64_t>(x);
  }
}

template <class T>
T quotient(T a, T b) {
  if (b == 0) return T(0);
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return static_cast<T>(0 - wrapping(a));
  }
  return static_cast<T>(a / b);
}

template <class T>
T floored_quotient(T a, T b) {
  if (b == 0) return T(0);
  T q = quotient(a, b);
  if constexpr (std::is_signed_v<T>) {
    if (b != -1 && a % b != 0 && (a < 0) != (b < 0)) q--;
  }
  return q;
}

template <class T>
T integer_remainder(T a, T b) {
  if (b == 0) return a;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
    const T r = static_cast<T>(a % b);
    return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
  }
  return static_cast<T>(a % b);
}

template <class T>
T integer_power(T base, T exponent) {
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0) return 0;
  }
  uint64_t result = 1, factor = wrapping(base), rest = wrapping(exponent);
  for (; rest != 0; rest >>= 1, factor *= factor) {
    if (rest & 1) result *= factor;
  }
  return static_cast<T>(result);
}

template <class T>
T left_shift(T a, T b) {
  return static_cast<uint64_t>(b) >= 8 * sizeof(T) ? T(0) : static_cast<T>(wrapping(a) << b);
}
template <class T>
T right_shift(T a, T b) {
  if (static_cast<uint64_t>(b) >= 8 * sizeof(T)) return std::is_signed_v<T> && a < 0 ? T(-1) : T(0);
  return static_cast<T>(a >> b);
}

template <class T>
constexpr void add_comparisons(TileTable& t) {
  using enum BinaryOp;
  t[kEqual] = each_two<T, bool>([](T a, T b) { return a == b; });
  t[kNanEqual] = t[kEqual];
  t[kNotEqual] = each_two<T, bool>([](T a, T b) { return a != b; });
  t[kGreater] = each_two<T, bool>([](T a, T b) { return a > b; });
  t[kGreaterEqual] = each_two<T, bool>([](T a, T b) { return a >= b; });
  t[kLess] = each_two<T, bool>([](T a, T b) { return a < b; });
  t[kLessEqual] = each_two<T, bool>([](T a, T b) { return a <= b; });
  t[kLogicalAnd] = each_two<T, bool>([](T a, T b) { return a && b; });
  t[kLogicalOr] = each_two<T, bool>([](T a, T b) { return a || b; });
  t[kMaximum] = each_two<T, T>([](T a, T b) { return a > b ? a : b; });
  t[kMinimum] = each_two<T, T>([](T a, T b) { return a < b ? a : b; });
}

// bool and integers.
template <class T>
constexpr TileTable integer_table() {
  TileTable t;
  add_comparisons<T>(t);
  {
    using enum UnaryOp;
    const auto same = each<T, T>([](T x) { return x; });
    t[kCeil] = t[kConjugate] = t[kFloor] = t[kReal] = t[kRound] = t[kTrunc] = same;
    t[kAbs] = each<T, T>([](T x) { return x < T(0) ? static_cast<T>(0 - wrapping(x)) : x; });
    t[kImag] = each<T, T>([](T) { return T(0); });
    t[kIsFinite] = each<T, bool>([](T) { return true; });
    t[kIsInf] = t[kIsNan] = each<T, bool>([](T) { return false; });
    t[kLogicalNot] = each<T, bool>([](T x) { return x == T(0); });
    t[kNegative] = each<T, T>([](T x) { return 0 - wrapping(x); });
    t[kSign] = each<T, T>([](T x) { return x < T(0) ? T(-1) : T(x != T(0)); });
    t[kSquare] = each<T, T>([](T x) { return wrapping(x) * wrapping(x); });
    if constexpr (std::is_same_v<T, bool>) {
      t[kBitwiseInvert] = each<T, T>([](T x) { return !x; });
    } else {
      t[kBitwiseInvert] = each<T, T>([](T x) { return ~x; });
    }
  }
  using enum BinaryOp;
  t[kAdd] = each_two<T, T>([](T a, T b) { return wrapping(a) + wrapping(b); });
  t[kSubtract] = each_two<T, T>([](T a, T b) { return wrapping(a) - wrapping(b); });
  t[kMultiply] = each_two<T, T>([](T a, T b) { return wrapping(a) * wrapping(b); });
  t[kBitwiseAnd] = each_two<T, T>([](T a, T b) { return a & b; });
  t[kBitwiseOr] = each_two<T, T>([](T a, T b) { return a | b; });
  t[kBitwiseXor] = each_two<T, T>([](T a, T b) { return a ^ b; });
  t[kPower] = each_two<T, T>([](T a, T b) { return integer_power(a, b); });
  if constexpr (!std::is_same_v<T, bool>) {
    t[kDivide] = each_two<T, T>([](T a, T b) { return quotient(a, b); });
    t[kFloorDivide] = each_two<T, T>([](T a, T b) { return floored_quotient(a, b); });
    t[kRemainder] = each_two<T, T>([](T a, T b) { return integer_remainder(a, b); });
    t[kLeftShift] = each_two<T, T>([](T a, T b) { return left_shift(a, b); });
    t[kRightShift] = each_two<T, T>([](T a, T b) { return right_shift(a, b); });
  }
  return t;
}

using C = Complex64;

bool has_nan(C x) { return std::isnan(x.real()) || std::isnan(x.imag()); }
C complex_log1p(C x) {
  const float angle = std::atan2(x.imag(), x.real() + 1);
  if (std::abs(x) >= 0.5f) return {std::log(std::hypot(x.real() + 1, x.imag())), angle};
  const float r = x.real() * (2 + x.real()) + x.imag() * x.imag();
  return {r == 0 ? x.real() : 0.5f * std::log1p(r), angle};
}

constexpr TileTable complex_table() {
  TileTable t;
  {
    using enum UnaryOp;
    t[kAbs] = each<C, float>([](C x) { return std::abs(x); });
    t[kReal] = each<C, float>([](C x) { return x.real(); });
    t[kImag] = each<C, float>([](C x) { return x.imag(); });
    t[kArcCos] = each<C, C>([](C x) { return std::acos(x); });
    t[kArcCosh] = each<C, C>([](C x) { return std::acosh(x); });
    t[kArcSin] = each<C, C>([](C x) { return std::asin(x); });
    t[kArcSinh] = each<C, C>([](C x) { return std::asinh(x); });
    t[kArcTan] = each<C, C>([](C x) { return std::atan(x); });
    t[kArcTanh] = each<C, C>([](C x) { return std::atanh(x); });
    t[kConjugate] = each<C, C>([](C x) { return std::conj(x); });
    t[kCos] = each<C, C>([](C x) { return std::cos(x); });
    t[kCosh] = each<C, C>([](C x) { return std::cosh(x); });
    t[kExp] = each<C, C>([](C x) { return std::exp(x); });
    t[kExpm1] = each<C, C>([](C x) { return std::exp(x) - 1.0f; });
    t[kIsFinite] = each<C, bool>([](C x) { return std::isfinite(x.real()) && std::isfinite(x.imag()); });
    t[kIsInf] = each<C, bool>([](C x) { return std::isinf(x.real()) || std::isinf(x.imag()); });
    t[kIsNan] = each<C, bool>([](C x) { return has_nan(x); });
    t[kLog] = each<C, C>([](C x) { return std::log(x); });
    t[kLog10] = each<C, C>([](C x) { return std::log10(x); });
    t[kLog1p] = each<C, C>([](C x) { return complex_log1p(x); });
    t[kLog2] = each<C, C>([](C x) { return std::log(x) / static_cast<float>(M_LN2); });
    t[kLogicalNot] = each<C, bool>([](C x) { return x == C(0); });
    t[kNegative] = each<C, C>([](C x) { return -x; });
    t[kRound] = each<C, C>([](C x) { return C(std::nearbyint(x.real()), std::nearbyint(x.imag())); });
    t[kRsqrt] = each<C, C>([](C x) { return 1.0f / std::sqrt(x); });
    t[kSigmoid] = each<C, C>([](C x) { return 1.0f / (1.0f + std::exp(-x)); });
    t[kSign] = each<C, C>([](C x) { return x == C(0) ? x : x / std::abs(x); });
    t[kSin] = each<C, C>([](C x) { return std::sin(x); });
    t[kSinh] = each<C, C>([](C x) { return std::sinh(x); });
    t[kSqrt] = each<C, C>([](C x) { return std::sqrt(x); });
    t[kSquare] = each<C, C>([](C x) { return x * x; });
    t[kTan] = each<C, C>([](C x) { return std::tan(x); });
    t[kTanh] = each<C, C>([](C x) { return std::tanh(x); });
  }
  using enum BinaryOp;
  t[kAdd] = each_two<C, C>([](C a, C b) { return a + b; });
  t[kSubtract] = each_two<C, C>([](C a, C b) { return a - b; });
  t[kMultiply] = each_two<C, C>([](C a, C b) { return a * b; });
  t[kDivide] = t[kFloorDivide] = each_two<C, C>([](C a, C b) { return a / b; });
  t[kPower] = each_two<C, C>([](C a, C b) { return std::pow(a, b); });
  t[kEqual] = each_two<C, bool>([](C a, C b) { return a == b; });
  t[kNanEqual] = each_two<C, bool>([](C a, C b) { return a == b || (has_nan(a) && has_nan(b)); });
  t[kNotEqual] = each_two<C, bool>([](C a, C b) { return a != b; });
  t[kLess] = each_two<C, bool>([](C a, C b) { return complex_less(a, b); });
  t[kLessEqual] = each_two<C, bool>([](C a, C b) { return a == b || complex_less(a, b); });
  t[kGreater] = each_two<C, bool>([](C a, C b) { return complex_less(b, a); });
  t[kGreaterEqual] = each_two<C, bool>([](C a, C b) { return a == b || complex_less(b, a); });
  t[kLogicalAnd] = each_two<C, bool>([](C a, C b) { return a != C(0) && b != C(0); });
  t[kLogicalOr] = each_two<C, bool>([](C a, C b) { return a != C(0) || b != C(0); });
  t[kMaximum] = each_two<C, C>([](C a, C b) { return has_nan(a) || complex_less(b, a) ? a : b; });
  t[kMinimum] = each_two<C, C>([](C a, C b) { return has_nan(a) || complex_less(a, b) ? a : b; });
  t[kLogAddExp] = each_two<C, C>([](C a, C b) {
    const C high = complex_less(a, b) ? b : a, low = complex_less(a, b) ? a : b;
    if (std::isinf(low.real()) || std::isinf(high.real())) return high;
    return high + complex_log1p(std::exp(low - high));
  });
  return t;
}

template <class T>
constexpr TileTable kIntegerTable = integer_table<T>();
constexpr TileTable kComplexTable = complex_table();

template <class From, class To>
To converted(From x) {
  if constexpr (std::is_same_v<From, To>) {
    return x;
  } else if constexpr (std::is_same_v<From, C>) {
    if constexpr (std::is_same_v<To, bool>) return x != C(0);
    return converted<float, To>(x.real());
  } else if constexpr (std::is_same_v<To, C>) {
    return C(static_cast<float>(x), 0);
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // What no 64-bit integer holds is undefined in C++; here it gives 0.
    if (std::is_unsigned_v<To> && x >= 0 && x < From(0x1p64)) return static_cast<To>(static_cast<uint64_t>(x));
    return std::abs(x) < From(0x1p63) ? static_cast<To>(static_cast<int64_t>(x)) : To(0);
  } else {
    return static_cast<To>(x);
  }
}

template <class From, class To>
void convert(const void* x, void* out, size_t n) {
  for (size_t i = 0; i < n; i++) static_cast<To*>(out)[i] = converted<From, To>(static_cast<const From*>(x)[i]);
}

}  // namespace

UnaryTile conversion(Dtype from, Dtype to) {
  return with_computing_type(from, [to](auto x) {
    return with_computing_type(to, [](auto y) -> UnaryTile { return convert<decltype(x), decltype(y)>; });
  });
}

const TileTable& tiles_of(Dtype type) {
  switch (type) {
    case Dtype::kBool: return kIntegerTable<bool>;
    case Dtype::kUint8: return kIntegerTable<uint8_t>;
    case Dtype::kUint16: return kIntegerTable<uint16_t>;
    case Dtype::kUint32: return kIntegerTable<uint32_t>;
    case Dtype::kUint64: return kIntegerTable<uint64_t>;
    case Dtype::kInt8: return kIntegerTable<int8_t>;
    case Dtype::kInt16: return kIntegerTable<int16_t>;
    case Dtype::kInt32: return kIntegerTable<int32_t>;
    case Dtype::kInt64: return kIntegerTable<int64_t>;
    case Dtype::kComplex64: return kComplexTable;
    default: return double_tiles();
  }
}

}  // namespace hearth::cpu
