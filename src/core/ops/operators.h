// C++ operators on arrays; a C++ number beside an array becomes an array of its own type, as in MLX.
#pragma once

#include "core/ops/elementwise.h"

namespace hearth::core {

#define HEARTH_ARRAY_OPERATOR(op, function)                                           \
  inline array operator op(const array& a, const array& b) { return function(a, b); } \
  template <Element T>                                                                \
  array operator op(T a, const array& b) {                                            \
    return function(array(a), b);                                                     \
  }                                                                                   \
  template <Element T>                                                                \
  array operator op(const array& a, T b) {                                            \
    return function(a, array(b));                                                     \
  }

HEARTH_ARRAY_OPERATOR(+, add)
HEARTH_ARRAY_OPERATOR(-, subtract)
HEARTH_ARRAY_OPERATOR(*, multiply)
HEARTH_ARRAY_OPERATOR(%, remainder)
HEARTH_ARRAY_OPERATOR(==, equal)
HEARTH_ARRAY_OPERATOR(!=, not_equal)
HEARTH_ARRAY_OPERATOR(>, greater)
HEARTH_ARRAY_OPERATOR(>=, greater_equal)
HEARTH_ARRAY_OPERATOR(<, less)
HEARTH_ARRAY_OPERATOR(<=, less_equal)
#undef HEARTH_ARRAY_OPERATOR

inline array operator/(const array& a, const array& b) { return divide(a, b); }
inline array operator/(double a, const array& b) { return divide(array(a, float32), b); }
inline array operator/(const array& a, double b) { return divide(a, array(b, float32)); }
inline array operator-(const array& a) { return negative(a); }
inline array operator~(const array& a) { return bitwise_invert(a); }
inline array operator&&(const array& a, const array& b) { return logical_and(a, b); }
inline array operator||(const array& a, const array& b) { return logical_or(a, b); }
inline array operator&(const array& a, const array& b) { return bitwise_and(a, b); }
inline array operator|(const array& a, const array& b) { return bitwise_or(a, b); }
inline array operator^(const array& a, const array& b) { return bitwise_xor(a, b); }
inline array operator<<(const array& a, const array& b) { return left_shift(a, b); }
inline array operator>>(const array& a, const array& b) { return right_shift(a, b); }

}  // namespace hearth::core
