// Sixteen floats in two AVX registers: what reduces on AVX2 does so in the lanes of F32x16, and so with its bits.
//
// Included by the ISA files, inside their target region (target.h). Contracts as in vector_avx512_inl.h.
#pragma once

#include "core/cpu/vector_avx2_inl.h"

namespace hearth::cpu {

struct F32x8x2 {
  static constexpr int kWidth = 16, kRegisters = 2;
  using Register = F32x8;
  struct Mask {
    F32x8::Mask low, high;
  };
  F32x8 low, high;

  static F32x8x2 all(float x) { return {F32x8::all(x), F32x8::all(x)}; }
  static F32x8x2 zero() { return {F32x8::zero(), F32x8::zero()}; }

  template <class T>
  static F32x8x2 load(const T* p) {
    return {F32x8::load(p), F32x8::load(p + 8)};
  }
  template <class T>
  static F32x8x2 load_first(const T* p, int n) {
    if (n < 8) return {F32x8::load_first(p, n), F32x8::zero()};
    return {F32x8::load(p), F32x8::load_first(p + 8, n - 8)};
  }
  template <class T>
  void store(T* p) const {
    low.store(p);
    high.store(p + 8);
  }
  template <class T>
  void store_first(T* p, int n) const {
    if (n < 8) return low.store_first(p, n);
    low.store(p);
    high.store_first(p + 8, n - 8);
  }
};

inline F32x8x2 operator+(F32x8x2 a, F32x8x2 b) { return {a.low + b.low, a.high + b.high}; }
inline F32x8x2 operator-(F32x8x2 a, F32x8x2 b) { return {a.low - b.low, a.high - b.high}; }
inline F32x8x2 operator*(F32x8x2 a, F32x8x2 b) { return {a.low * b.low, a.high * b.high}; }
inline F32x8x2 operator/(F32x8x2 a, F32x8x2 b) { return {a.low / b.low, a.high / b.high}; }
inline F32x8x2 fma(F32x8x2 a, F32x8x2 b, F32x8x2 c) { return {fma(a.low, b.low, c.low), fma(a.high, b.high, c.high)}; }
inline F32x8x2 fnma(F32x8x2 a, F32x8x2 b, F32x8x2 c) {
  return {fnma(a.low, b.low, c.low), fnma(a.high, b.high, c.high)};
}
inline F32x8x2 min(F32x8x2 a, F32x8x2 b) { return {min(a.low, b.low), min(a.high, b.high)}; }
inline F32x8x2 max(F32x8x2 a, F32x8x2 b) { return {max(a.low, b.low), max(a.high, b.high)}; }
inline F32x8x2 abs(F32x8x2 a) { return {abs(a.low), abs(a.high)}; }
inline F32x8x2 round(F32x8x2 a) { return {round(a.low), round(a.high)}; }
inline F32x8x2 copy_sign(F32x8x2 size, F32x8x2 sign) {
  return {copy_sign(size.low, sign.low), copy_sign(size.high, sign.high)};
}
inline F32x8x2 scale_by_power(F32x8x2 x, F32x8x2 n) {
  return {scale_by_power(x.low, n.low), scale_by_power(x.high, n.high)};
}

inline F32x8x2::Mask less(F32x8x2 a, F32x8x2 b) { return {less(a.low, b.low), less(a.high, b.high)}; }
inline F32x8x2::Mask is_nan(F32x8x2 a) { return {is_nan(a.low), is_nan(a.high)}; }
inline F32x8x2 select(F32x8x2::Mask mask, F32x8x2 yes, F32x8x2 no) {
  return {select(mask.low, yes.low, no.low), select(mask.high, yes.high, no.high)};
}

// x with zeros from lane n on.
inline F32x8x2 first_lanes(F32x8x2 x, int n) { return {first_lanes(x.low, n), first_lanes(x.high, n - 8)}; }

inline float sum_lanes(F32x8x2 a) { return sum_lanes(a.low + a.high); }
inline float max_lanes(F32x8x2 a) { return max_lanes(max(a.low, a.high)); }

}  // namespace hearth::cpu
