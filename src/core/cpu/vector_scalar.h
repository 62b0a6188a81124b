// One float, with the names that the vectors have for theirs (vector_avx512_inl.h): the scalar tables run the same
// functions on it, operation for operation, and so have the same bits.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "core/cpu/scalar_math.h"
#include "core/cpu/scalar_types.h"

namespace hearth::cpu {

// a * b + c, rounded once, on any CPU; libm's fmaf is as exact and, without an FMA instruction, ten times slower.
// The product is exact in a double. Their sum is rounded to odd there (when something is lost, its last bit is made 1),
// after which rounding to a float cannot go the wrong way. Source: Boldo & Melquiond 2008.
inline float multiply_add(float a, float b, float c) {
  const double product = static_cast<double>(a) * b, sum = product + c;
  const double added = sum - product;
  const double lost = (product - (sum - added)) + (c - added);  // exact (Knuth's TwoSum); NaN when sum is no number
  const int64_t bits = std::bit_cast<int64_t>(sum), lost_bits = std::bit_cast<int64_t>(lost);
  const int64_t step = ((bits ^ lost_bits) >> 63) | 1;  // towards what was lost
  const int64_t even_and_inexact = ~bits & static_cast<int64_t>(std::abs(lost) > 0);
  return static_cast<float>(std::bit_cast<double>(bits + (step & -even_and_inexact)));
}

struct F32x1 {
  static constexpr int kWidth = 1;
  using Mask = bool;
  float v;

  static F32x1 all(float x) { return {x}; }
  static F32x1 zero() { return {0.0f}; }
  template <class T>
  static F32x1 load(const T* p) {
    return {to_float(*p)};
  }
  template <class T>
  void store(T* p) const {
    *p = from_float<T>(v);
  }
};

inline F32x1 operator+(F32x1 a, F32x1 b) { return {a.v + b.v}; }
inline F32x1 operator-(F32x1 a, F32x1 b) { return {a.v - b.v}; }
inline F32x1 operator*(F32x1 a, F32x1 b) { return {a.v * b.v}; }
inline F32x1 operator/(F32x1 a, F32x1 b) { return {a.v / b.v}; }
inline F32x1 operator-(F32x1 a) { return {-a.v}; }
inline F32x1 fma(F32x1 a, F32x1 b, F32x1 c) { return {multiply_add(a.v, b.v, c.v)}; }
inline F32x1 fnma(F32x1 a, F32x1 b, F32x1 c) { return {multiply_add(-a.v, b.v, c.v)}; }
inline F32x1 min(F32x1 a, F32x1 b) { return a.v < b.v ? a : b; }
inline F32x1 max(F32x1 a, F32x1 b) { return a.v > b.v ? a : b; }
inline F32x1 abs(F32x1 a) { return {std::abs(a.v)}; }
inline F32x1 sqrt(F32x1 a) { return {std::sqrt(a.v)}; }
inline F32x1 copy_sign(F32x1 size, F32x1 sign) { return {std::copysign(size.v, sign.v)}; }

inline F32x1 round(F32x1 a) { return {std::nearbyint(a.v)}; }
inline F32x1 floor(F32x1 a) { return {std::floor(a.v)}; }
inline F32x1 ceil(F32x1 a) { return {std::ceil(a.v)}; }
inline F32x1 trunc(F32x1 a) { return {std::trunc(a.v)}; }

inline bool less(F32x1 a, F32x1 b) { return a.v < b.v; }
inline bool less_equal(F32x1 a, F32x1 b) { return a.v <= b.v; }
inline bool equal(F32x1 a, F32x1 b) { return a.v == b.v; }
inline bool not_equal(F32x1 a, F32x1 b) { return a.v != b.v; }
inline bool is_nan(F32x1 a) { return a.v != a.v; }
inline F32x1 select(bool mask, F32x1 yes, F32x1 no) { return mask ? yes : no; }
inline bool all(bool mask) { return mask; }
inline void store_mask(bool mask, bool* p) { *p = mask; }

// Through a double, whose range holds 2^n for all n that make a difference; it rounds once, on the way back.
inline F32x1 scale_by_power(F32x1 x, F32x1 n) {
  const int whole = static_cast<int>(max(F32x1{-378.0f}, min(n, F32x1{378.0f})).v);
  return {static_cast<float>(x.v * std::bit_cast<double>(static_cast<int64_t>(1023 + whole) << 52))};
}
// Subnormals are lifted by 2^24 first.
inline F32x1 exponent(F32x1 x) {
  const bool subnormal = x.v < 0x1p-126f;
  const int biased = static_cast<int>(std::bit_cast<uint32_t>(subnormal ? x.v * 0x1p24f : x.v) >> 23);
  return {static_cast<float>(biased - (subnormal ? 127 + 24 : 127))};
}
inline F32x1 mantissa(F32x1 x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x.v < 0x1p-126f ? x.v * 0x1p24f : x.v);
  return {std::bit_cast<float>((bits & 0x007fffff) | 0x3f800000)};
}

// Of whole numbers; of what no 32-bit integer holds, false.
inline bool has_bit(F32x1 n, int bit) { return std::abs(n.v) < 0x1p31f && (static_cast<int32_t>(n.v) & bit) != 0; }
inline bool is_odd(F32x1 n) { return has_bit(n, 1); }
inline bool has_bit_1(F32x1 n) { return has_bit(n, 2); }

}  // namespace hearth::cpu
