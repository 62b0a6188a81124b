// The functions that operations are written with, for one float or double: the names that vector_math_inl.h and the
// vector types have for theirs.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>

namespace hearth::cpu {

template <std::floating_point T>
T fma(T a, T b, T c) {
  return a * b + c;
}
template <std::floating_point T>
T abs(T x) {
  return std::abs(x);
}
template <std::floating_point T>
T sqrt(T x) {
  return std::sqrt(x);
}
template <std::floating_point T>
T floor(T x) {
  return std::floor(x);
}
template <std::floating_point T>
T ceil(T x) {
  return std::ceil(x);
}
template <std::floating_point T>
T trunc(T x) {
  return std::trunc(x);
}
template <std::floating_point T>
T round(T x) {
  return std::nearbyint(x);
}
template <std::floating_point T>
T exp(T x) {
  return std::exp(x);
}
template <std::floating_point T>
T expm1(T x) {
  return std::expm1(x);
}
template <std::floating_point T>
T log(T x) {
  return std::log(x);
}
template <std::floating_point T>
T log2(T x) {
  return std::log2(x);
}
template <std::floating_point T>
T log10(T x) {
  return std::log10(x);
}
template <std::floating_point T>
T log1p(T x) {
  return std::log1p(x);
}
template <std::floating_point T>
T sin(T x) {
  return std::sin(x);
}
template <std::floating_point T>
T cos(T x) {
  return std::cos(x);
}
template <std::floating_point T>
T tanh(T x) {
  return std::tanh(x);
}
template <std::floating_point T>
T erf(T x) {
  return std::erf(x);
}
template <std::floating_point T>
T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}
template <std::floating_point T>
T silu(T x) {
  return x / (1 + std::exp(-x));
}

template <std::floating_point T>
bool less(T a, T b) {
  return a < b;
}
template <std::floating_point T>
bool less_equal(T a, T b) {
  return a <= b;
}
template <std::floating_point T>
bool equal(T a, T b) {
  return a == b;
}
template <std::floating_point T>
bool not_equal(T a, T b) {
  return a != b;
}
template <std::floating_point T>
bool is_nan(T x) {
  return x != x;
}
inline bool both(bool a, bool b) { return a && b; }
inline bool either(bool a, bool b) { return a || b; }
template <std::floating_point T>
T select(bool mask, T yes, T no) {
  return mask ? yes : no;
}
template <std::floating_point T, class F>
T per_lane(T x, F f) {
  return f(x);
}
template <std::floating_point T, class F>
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
