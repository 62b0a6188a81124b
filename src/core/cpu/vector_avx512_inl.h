// Sixteen floats in an AVX-512 register, with the same names as F32x8, so that a kernel is written once.
//
// Included by the ISA files, inside their target region (target.h). Half-precision rounding is to nearest even, as in
// base/half.h. min and max return the second operand when either is NaN.
#pragma once

#include "core/cpu/dtype.h"

// g++ 12 takes the deliberately undefined operand inside many AVX-512 intrinsics for a mistake of the caller.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace hearth::cpu {

struct F32x16 {
  static constexpr int kWidth = 16, kRegisters = 1;
  using Register = F32x16;
  using Mask = __mmask16;
  __m512 v;

  static F32x16 all(float x) { return {_mm512_set1_ps(x)}; }
  static F32x16 zero() { return {_mm512_setzero_ps()}; }

  static F32x16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static F32x16 load(const Float16* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  static F32x16 load(const Bfloat16* p) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
  }
  // The first n elements, 0 <= n < 16, zeros behind; nothing beyond p[n - 1] is touched.
  static F32x16 load_first(const float* p, int n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
  static F32x16 load_first(const Float16* p, int n) { return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(n), p))}; }
  static F32x16 load_first(const Bfloat16* p, int n) {
    const __m256i bits = _mm256_maskz_loadu_epi16(first(n), p);
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
  }

  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store(Float16* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), to_float16()); }
  void store(Bfloat16* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), to_bfloat16()); }
  void store_first(float* p, int n) const { _mm512_mask_storeu_ps(p, first(n), v); }
  void store_first(Float16* p, int n) const { _mm256_mask_storeu_epi16(p, first(n), to_float16()); }
  void store_first(Bfloat16* p, int n) const { _mm256_mask_storeu_epi16(p, first(n), to_bfloat16()); }

  __m256i to_float16() const { return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  __m256i to_bfloat16() const {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
  }
  static __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1); }
};

inline F32x16 operator+(F32x16 a, F32x16 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32x16 operator-(F32x16 a, F32x16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32x16 operator*(F32x16 a, F32x16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F32x16 operator/(F32x16 a, F32x16 b) { return {_mm512_div_ps(a.v, b.v)}; }
inline F32x16 operator-(F32x16 a) { return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f))}; }
// a * b + c, rounded once; c - a * b, rounded once.
inline F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F32x16 fnma(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
inline F32x16 min(F32x16 a, F32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline F32x16 max(F32x16 a, F32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32x16 abs(F32x16 a) { return {_mm512_abs_ps(a.v)}; }
inline F32x16 sqrt(F32x16 a) { return {_mm512_sqrt_ps(a.v)}; }
inline F32x16 copy_sign(F32x16 size, F32x16 sign) {
  return {_mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_set1_epi32(0x7fffffff), _mm512_castps_si512(size.v),
                                                        _mm512_castps_si512(sign.v), 0xca))};
}

inline F32x16 round(F32x16 a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline F32x16 floor(F32x16 a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}; }
inline F32x16 ceil(F32x16 a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)}; }
inline F32x16 trunc(F32x16 a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)}; }

inline __mmask16 less(F32x16 a, F32x16 b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ); }
inline __mmask16 less_equal(F32x16 a, F32x16 b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ); }
inline __mmask16 equal(F32x16 a, F32x16 b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ); }
inline __mmask16 not_equal(F32x16 a, F32x16 b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_NEQ_UQ); }
inline __mmask16 is_nan(F32x16 a) { return _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q); }
inline F32x16 select(__mmask16 mask, F32x16 yes, F32x16 no) { return {_mm512_mask_blend_ps(mask, no.v, yes.v)}; }
inline __mmask16 both(__mmask16 a, __mmask16 b) { return a & b; }
inline __mmask16 either(__mmask16 a, __mmask16 b) { return a | b; }
inline bool all(__mmask16 mask) { return mask == 0xffff; }
// One byte a lane, 1 or 0.
inline void store_mask(__mmask16 mask, bool* p) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_maskz_set1_epi8(mask, 1));
}

// x * 2^n for whole n, rounded once; over- and underflow to inf, subnormals and zero.
inline F32x16 scale_by_power(F32x16 x, F32x16 n) { return {_mm512_scalef_ps(x.v, n.v)}; }
// x = mantissa * 2^exponent with mantissa in [1, 2), for positive finite x, subnormals included.
inline F32x16 exponent(F32x16 x) { return {_mm512_getexp_ps(x.v)}; }
inline F32x16 mantissa(F32x16 x) { return {_mm512_getmant_ps(x.v, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src)}; }

// Bits of the whole number in each lane, |n| < 2^31: n & 1 and n & 2 as masks.
inline __mmask16 is_odd(F32x16 n) { return _mm512_test_epi32_mask(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(1)); }
inline __mmask16 has_bit_1(F32x16 n) { return _mm512_test_epi32_mask(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(2)); }

// Lanes 1, 0, 3, 2, ...
inline F32x16 swap_pairs(F32x16 x) { return {_mm512_permute_ps(x.v, 0xb1)}; }
// x with zeros from lane n on.
inline F32x16 first_lanes(F32x16 x, int n) { return {_mm512_maskz_mov_ps(F32x16::first(n), x.v)}; }

// Lanes combined in a fixed tree: halves, quarters, pairs, neighbours.
inline float sum_lanes(F32x16 a) {
  const __m256 upper = _mm512_extractf32x8_ps(a.v, 1);
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a.v), upper);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float max_lanes(F32x16 a) { return _mm512_reduce_max_ps(a.v); }

// Lane i of the result is the sum of r[i]'s lanes, added in one tree for all i.
inline F32x16 sums_of(const F32x16 (&r)[16]) {
  __m512 pairs[8], fours[4], eights[2];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    const __m512 a = r[2 * i].v, b = r[2 * i + 1].v;
    pairs[i] = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  }
#pragma GCC unroll 8
  for (int i = 0; i < 4; i++) {
    const __m512d a = _mm512_castps_pd(pairs[2 * i]), b = _mm512_castps_pd(pairs[2 * i + 1]);
    fours[i] = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
  }
#pragma GCC unroll 8
  for (int i = 0; i < 2; i++) {
    const __m512 a = fours[2 * i], b = fours[2 * i + 1];
    eights[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
  }
  return {_mm512_add_ps(_mm512_shuffle_f32x4(eights[0], eights[1], 0x88),
                        _mm512_shuffle_f32x4(eights[0], eights[1], 0xdd))};
}

}  // namespace hearth::cpu
