// The functions that operations are written with, for one double: the names that vector_math_inl.h and the vector types
// have for theirs. (One float: vector_scalar.h.)
#pragma once

#include <cmath>
#include <concepts>
#include <limits>

namespace hearth::cpu {

inline double abs(double x) { return std::abs(x); }
inline double sqrt(double x) { return std::sqrt(x); }
inline double floor(double x) { return std::floor(x); }
inline double ceil(double x) { return std::ceil(x); }
inline double trunc(double x) { return std::trunc(x); }
inline double round(double x) { return std::nearbyint(x); }
inline double exp(double x) { return std::exp(x); }
inline double expm1(double x) { return std::expm1(x); }
inline double log(double x) { return std::log(x); }
inline double log2(double x) { return std::log2(x); }
inline double log10(double x) { return std::log10(x); }
inline double log1p(double x) { return std::log1p(x); }
inline double sin(double x) { return std::sin(x); }
inline double cos(double x) { return std::cos(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double erf(double x) { return std::erf(x); }
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
inline double silu(double x) { return x / (1 + std::exp(-x)); }

inline bool less(double a, double b) { return a < b; }
inline bool less_equal(double a, double b) { return a <= b; }
inline bool equal(double a, double b) { return a == b; }
inline bool not_equal(double a, double b) { return a != b; }
inline bool is_nan(double x) { return x != x; }
inline bool both(bool a, bool b) { return a && b; }
inline bool either(bool a, bool b) { return a || b; }
inline double select(bool mask, double yes, double no) { return mask ? yes : no; }
template <std::same_as<double> T, class F>
T per_lane(T x, F f) {
  return f(x);
}
template <std::same_as<double> T, class F>
T per_lane(T a, T b, F f) {
  return f(a, b);
}

// Functions for which no instruction set has a version of its own.

// The inverse of erf: Winitzki's estimate (2008), then Newton steps, on erfc where erf is near 1.
inline double erf_inverse(double y) {
  const double size = std::abs(y);
  if (!(size < 1)) return size == 1 ? std::copysign(std::numeric_limits<double>::infinity(), y) : NAN;
  const double l = std::log1p(-size * size), t = 2 / (M_PI * 0.147) + l / 2;
  double x = std::sqrt(std::sqrt(t * t - l / 0.147) - t);
  for (int i = 0; i < 3; i++) {
    const double error = size < 0.5 ? std::erf(x) - size : (1 - size) - std::erfc(x);
    x -= error * (std::sqrt(M_PI) / 2) * std::exp(x * x);
  }
  return std::copysign(x, y);
}

// MLX's remainder: has the divisor's sign. Not a template: whoever instantiated it first would decide its target.
inline double floored_remainder(double a, double b) {
  const double r = std::remainder(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
inline float floored_remainder(float a, float b) {
  const float r = std::remainder(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

}  // namespace hearth::cpu
