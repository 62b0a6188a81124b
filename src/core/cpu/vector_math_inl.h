// Elementary functions of a vector V of floats (F32x16, F32x8, F32x1): the same polynomial on every lane, so a value's
// bits do not depend on its lane, its neighbours or the instruction set. Largest errors, over all floats, are stated
// with each function and checked by elementwise_test.cpp.
//
// Source: argument reductions after Cody & Waite 1980; coefficients are minimax fits made for this file, rounded to
// float one after the other.
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {

// c[0] + x (c[1] + x (c[2] + ...)).
template <class V, int N>
inline V polynomial(V x, const float (&c)[N]) {
  V sum = V::all(c[N - 1]);
  for (int i = N - 2; i >= 0; i--) sum = fma(sum, x, V::all(c[i]));
  return sum;
}

// 1 ulp. exp(-inf) = 0, subnormal results are exact to half an ulp of the smallest.
template <class V>
inline V exp(V x) {
  // Beyond these the result is inf and 0 anyway; the clamp keeps n finite and, as second operand, lets NaN through.
  x = min(V::all(89.0f), max(V::all(-104.0f), x));
  const V n = round(x * V::all(0x1.715476p+0f));
  const V r = fnma(n, V::all(-0x1.05c610p-29f), fnma(n, V::all(0x1.62e430p-1f), x));  // ln 2 in two parts
  static constexpr float kTail[] = {0x1.000000p-1f, 0x1.555492p-3f, 0x1.5554bep-5f, 0x1.123990p-7f, 0x1.6d7c90p-10f};
  const V p = fma(r * r, polynomial(r, kTail), r) + V::all(1.0f);
  return scale_by_power(p, n);
}

// log(1 + f) + n ln 2 for f in [sqrt(1/2) - 1, sqrt(2) - 1].
template <class V>
inline V log_of_reduced(V f, V n) {
  static constexpr float kTail[] = {0x1.555554p-2f, -0x1.000226p-2f, 0x1.99a01ep-3f, -0x1.54728cp-3f,
                                    0x1.22d8f8p-3f, -0x1.0d81f2p-3f, 0x1.05602ep-3f, -0x1.38cf20p-4f};
  const V f2 = f * f;
  V tail = fma(f2 * f, polynomial(f, kTail), n * V::all(-0x1.05c610p-29f));
  tail = fma(f2, V::all(-0.5f), tail);
  return fma(n, V::all(0x1.62e430p-1f), f + tail);
}

// The special cases every logarithm shares: 0 -> -inf, negative -> NaN, inf and NaN stay.
template <class V>
inline V log_edges(V x, V result) {
  const V inf = V::all(__builtin_inff());
  result = select(less(x, inf), result, x);  // inf and NaN
  result = select(less(x, V::zero()), V::all(__builtin_nanf("")), result);
  return select(equal(x, V::zero()), -inf, result);
}

// 1 ulp.
template <class V>
inline V log(V x) {
  V n = exponent(x), m = mantissa(x);
  const auto large = less(V::all(0x1.6a09e6p+0f), m);
  m = select(large, m * V::all(0.5f), m);
  n = select(large, n + V::all(1.0f), n);
  return log_edges(x, log_of_reduced(m - V::all(1.0f), n));
}

// 2 ulp: powers of two are exact.
template <class V>
inline V log2(V x) {
  V n = exponent(x), m = mantissa(x);
  const auto large = less(V::all(0x1.6a09e6p+0f), m);
  m = select(large, m * V::all(0.5f), m);
  n = select(large, n + V::all(1.0f), n);
  const V natural = log_of_reduced(m - V::all(1.0f), V::zero());
  // log2(e) in two parts, because n + ... cancels nothing but the product must not lose its last bits.
  const V product = fma(natural, V::all(0x1.4ae0c0p-26f), natural * V::all(0x1.715476p+0f));
  return log_edges(x, n + product);
}

// 2 ulp.
template <class V>
inline V log10(V x) {
  const V natural = log(x);
  return log_edges(x, fma(natural, V::all(0x1.bcb7b2p-2f), natural * V::all(-0x1.5b235ep-27f)));
}

// 2 ulp. 1 + x loses what x has below one's last bit; the quotient puts it back.
template <class V>
inline V log1p(V x) {
  const V one = V::all(1.0f), u = one + x;
  const V lost = x - (u - one);
  V result = log(u) + lost / u;
  result = select(less(u, V::all(__builtin_inff())), result, u);            // inf, NaN
  result = select(equal(u, V::zero()), -V::all(__builtin_inff()), result);  // lost / u is 0 / 0 there
  return select(equal(u, one), x, result);                                  // keeps -0 and all below 2^-24
}

// 2 ulp.
template <class V>
inline V expm1(V x) {
  static constexpr float kTail[] = {0x1.000002p-1f, 0x1.555556p-3f,  0x1.5551c2p-5f,
                                    0x1.110feep-7f, 0x1.6f483ap-10f, 0x1.a27758p-13f};
  const V near = fma(x * x, polynomial(x, kTail), x);
  const V far = exp(x) - V::all(1.0f);
  const V result = select(less(abs(x), V::all(0.5f)), near, far);
  return select(equal(x, V::zero()), x, result);
}

// 2 ulp.
template <class V>
inline V tanh(V x) {
  static constexpr float kTail[] = {-0x1.555534p-2f, 0x1.110762p-3f, -0x1.b8439ap-5f, 0x1.525328p-6f, -0x1.769df8p-8f};
  const V size = abs(x), square = x * x;
  const V near = fma(x * square, polynomial(square, kTail), x);
  const V e = exp(size + size);
  const V far = V::all(1.0f) - V::all(2.0f) / (e + V::all(1.0f));
  const V result = select(less(size, V::all(0.625f)), near, copy_sign(far, x));
  return select(is_nan(x), x, result);
}

// 2 ulp.
template <class V>
inline V sigmoid(V x) {
  return V::all(1.0f) / (V::all(1.0f) + exp(-x));
}

template <class V>
inline V silu(V x) {
  return x / (V::all(1.0f) + exp(-x));
}

// 2 ulp.
template <class V>
inline V erf(V x) {
  static constexpr float kNear[] = {0x1.06eba8p-3f, -0x1.812740p-2f,  0x1.ce2d50p-4f, -0x1.b7fe90p-6f,
                                    0x1.542e10p-8f, -0x1.a50b0ep-11f, 0x1.4c344ep-14f};
  static constexpr float kFar[] = {0x1.575b32p+2f,  0x1.1ac322p+2f,   0x1.d8f628p-1f,  0x1.0e0354p-6f, -0x1.d20d38p-9f,
                                   0x1.766f44p-11f, -0x1.635848p-13f, 0x1.639020p-17f, 0x1.999024p-20f};
  const V size = abs(x);
  const V near = fma(x, polynomial(x * x, kNear), x);
  const V t = min(size, V::all(4.0f)) - V::all(2.0f);
  const V far = V::all(1.0f) - exp(-polynomial(t, kFar));  // the second polynomial is -log(erfc)
  const V result = select(less(size, V::all(1.0f)), near, copy_sign(far, x));
  return select(is_nan(x), x, result);
}

// Angles beyond this would need more of pi than the three floats below hold.
inline constexpr float kLargestReducedAngle = 1.0e6f;

// Calls f (a function of one float) on every lane.
template <class V, class F>
inline V per_lane(V x, F f) {
  float lanes[V::kWidth];
  x.store(lanes);
  for (float& lane : lanes) lane = f(lane);
  return V::load(lanes);
}
template <class V, class F>
inline V per_lane(V a, V b, F f) {
  float left[V::kWidth], right[V::kWidth];
  a.store(left);
  b.store(right);
  for (int i = 0; i < V::kWidth; i++) left[i] = f(left[i], right[i]);
  return V::load(left);
}

// sin and cos together, 2 ulp, near a multiple of pi / 2 2^-24 absolute.
template <class V>
inline void sin_cos(V x, V& sin, V& cos) {
  const V n = round(x * V::all(0x1.45f306p-1f));
  V r = fnma(n, V::all(0x1.921fb6p+0f), x);
  r = fnma(n, V::all(-0x1.777a5cp-25f), r);
  r = fnma(n, V::all(-0x1.ee59dap-50f), r);
  static constexpr float kSin[] = {-0x1.555546p-3f, 0x1.11077ap-7f, -0x1.9954b6p-13f};
  static constexpr float kCos[] = {0x1.55554ap-5f, -0x1.6c0c1ap-10f, 0x1.99e0e4p-16f};
  const V square = r * r;
  const V s = fma(r * square, polynomial(square, kSin), r);
  const V c = fma(square * square, polynomial(square, kCos), fma(square, V::all(-0.5f), V::all(1.0f)));
  const auto swap = is_odd(n);
  const V sin_size = select(swap, c, s), cos_size = select(swap, s, c);
  sin = select(has_bit_1(n), -sin_size, sin_size);
  cos = select(has_bit_1(n + V::all(1.0f)), -cos_size, cos_size);
  const auto small = less_equal(abs(x), V::all(kLargestReducedAngle));
  if (all(small)) return;
  sin = select(small, sin, per_lane(x, [](float lane) { return std::sin(lane); }));
  cos = select(small, cos, per_lane(x, [](float lane) { return std::cos(lane); }));
}

template <class V>
inline V sin(V x) {
  V s, c;
  sin_cos(x, s, c);
  return s;
}

template <class V>
inline V cos(V x) {
  V s, c;
  sin_cos(x, s, c);
  return c;
}

}  // namespace hearth::cpu
