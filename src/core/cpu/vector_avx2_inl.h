// Eight floats in an AVX register (AVX2, FMA, F16C), with the same names as F32x16.
//
// Included by the ISA files, inside their target region (target.h). Contracts as in vector_avx512_inl.h.
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {

struct F32x8 {
  static constexpr int kWidth = 8;
  struct Mask {
    __m256 v;
  };
  __m256 v;

  static F32x8 all(float x) { return {_mm256_set1_ps(x)}; }
  static F32x8 zero() { return {_mm256_setzero_ps()}; }

  static F32x8 load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static F32x8 load(const Float16* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  static F32x8 load(const Bfloat16* p) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16))};
  }
  static F32x8 load_first(const float* p, int n) { return {_mm256_maskload_ps(p, first(n))}; }
  template <class Half>  // AVX2 has no masked 16-bit moves
  static F32x8 load_first(const Half* p, int n) {
    Half copy[8] = {};
    for (int i = 0; i < n; i++) copy[i] = p[i];
    return load(copy);
  }

  void store(float* p) const { _mm256_storeu_ps(p, v); }
  void store(Float16* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
  void store(Bfloat16* p) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), to_bfloat16()); }
  void store_first(float* p, int n) const { _mm256_maskstore_ps(p, first(n), v); }
  template <class Half>
  void store_first(Half* p, int n) const {
    Half copy[8];
    store(copy);
    for (int i = 0; i < n; i++) p[i] = copy[i];
  }

  __m128i to_bfloat16() const {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(upper, upper), 0x08);
    return _mm256_castsi256_si128(packed);
  }
  static __m256i first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

inline F32x8 operator+(F32x8 a, F32x8 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F32x8 operator-(F32x8 a, F32x8 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F32x8 operator*(F32x8 a, F32x8 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F32x8 operator/(F32x8 a, F32x8 b) { return {_mm256_div_ps(a.v, b.v)}; }
inline F32x8 operator-(F32x8 a) { return {_mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f))}; }
inline F32x8 fma(F32x8 a, F32x8 b, F32x8 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F32x8 fnma(F32x8 a, F32x8 b, F32x8 c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
inline F32x8 min(F32x8 a, F32x8 b) { return {_mm256_min_ps(a.v, b.v)}; }
inline F32x8 max(F32x8 a, F32x8 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F32x8 abs(F32x8 a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline F32x8 sqrt(F32x8 a) { return {_mm256_sqrt_ps(a.v)}; }
inline F32x8 copy_sign(F32x8 size, F32x8 sign) {
  return {_mm256_or_ps(abs(size).v, _mm256_and_ps(_mm256_set1_ps(-0.0f), sign.v))};
}

inline F32x8 round(F32x8 a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline F32x8 floor(F32x8 a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}; }
inline F32x8 ceil(F32x8 a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)}; }
inline F32x8 trunc(F32x8 a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)}; }

inline F32x8::Mask less(F32x8 a, F32x8 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline F32x8::Mask less_equal(F32x8 a, F32x8 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
inline F32x8::Mask equal(F32x8 a, F32x8 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
inline F32x8::Mask not_equal(F32x8 a, F32x8 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_NEQ_UQ)}; }
inline F32x8::Mask is_nan(F32x8 a) { return {_mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q)}; }
inline F32x8 select(F32x8::Mask mask, F32x8 yes, F32x8 no) { return {_mm256_blendv_ps(no.v, yes.v, mask.v)}; }
inline F32x8::Mask both(F32x8::Mask a, F32x8::Mask b) { return {_mm256_and_ps(a.v, b.v)}; }
inline F32x8::Mask either(F32x8::Mask a, F32x8::Mask b) { return {_mm256_or_ps(a.v, b.v)}; }
inline bool all(F32x8::Mask mask) { return _mm256_movemask_ps(mask.v) == 0xff; }
inline void store_mask(F32x8::Mask mask, bool* p) {
  const uint64_t bytes = _pdep_u64(static_cast<unsigned>(_mm256_movemask_ps(mask.v)), 0x0101010101010101);
  __builtin_memcpy(p, &bytes, 8);
}

// 2^n for whole n in [-126, 127].
inline F32x8 normal_power(__m256i n) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23))};
}
// In three factors, because 2^n alone leaves the range where the product does not. Only the last one can round, as
// long as x is near 1; n is first brought to +-378, which is far enough to over- or underflow.
inline F32x8 scale_by_power(F32x8 x, F32x8 n) {
  const __m256i whole = _mm256_cvtps_epi32(max(F32x8::all(-378.0f), min(F32x8::all(378.0f), n)).v);
  const __m256i low = _mm256_set1_epi32(-126), high = _mm256_set1_epi32(126);
  const __m256i first = _mm256_max_epi32(low, _mm256_min_epi32(high, whole));
  const __m256i second = _mm256_max_epi32(low, _mm256_min_epi32(high, _mm256_sub_epi32(whole, first)));
  const __m256i third = _mm256_sub_epi32(_mm256_sub_epi32(whole, first), second);
  return x * normal_power(third) * normal_power(second) * normal_power(first);
}
// Subnormals are lifted by 2^24 first.
inline F32x8 exponent(F32x8 x) {
  const F32x8::Mask subnormal = less(x, F32x8::all(0x1p-126f));
  const F32x8 lifted = select(subnormal, x * F32x8::all(0x1p24f), x);
  const __m256i biased = _mm256_srli_epi32(_mm256_castps_si256(lifted.v), 23);
  const F32x8 n = {_mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(127)))};
  return select(subnormal, n - F32x8::all(24.0f), n);
}
inline F32x8 mantissa(F32x8 x) {
  const F32x8 lifted = select(less(x, F32x8::all(0x1p-126f)), x * F32x8::all(0x1p24f), x);
  const __m256i bits = _mm256_and_si256(_mm256_castps_si256(lifted.v), _mm256_set1_epi32(0x007fffff));
  return {_mm256_castsi256_ps(_mm256_or_si256(bits, _mm256_set1_epi32(0x3f800000)))};
}

inline F32x8::Mask is_odd(F32x8 n) { return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtps_epi32(n.v), 31))}; }
inline F32x8::Mask has_bit_1(F32x8 n) { return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtps_epi32(n.v), 30))}; }

// Lanes 1, 0, 3, 2, ...
inline F32x8 swap_pairs(F32x8 x) { return {_mm256_permute_ps(x.v, 0xb1)}; }
// x with zeros from lane n on.
inline F32x8 first_lanes(F32x8 x, int n) { return {_mm256_and_ps(x.v, _mm256_castsi256_ps(F32x8::first(n)))}; }

inline float sum_lanes(F32x8 a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float max_lanes(F32x8 a) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

// Lane i of the result is the sum of r[i]'s lanes, added in one tree for all i.
inline F32x8 sums_of(const F32x8 (&r)[8]) {
  __m256 pairs[4], fours[2];
#pragma GCC unroll 8
  for (int i = 0; i < 4; i++) {
    const __m256 a = r[2 * i].v, b = r[2 * i + 1].v;
    pairs[i] = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
  }
#pragma GCC unroll 8
  for (int i = 0; i < 2; i++) {
    const __m256d a = _mm256_castps_pd(pairs[2 * i]), b = _mm256_castps_pd(pairs[2 * i + 1]);
    fours[i] = _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(a, b)), _mm256_castpd_ps(_mm256_unpackhi_pd(a, b)));
  }
  return {_mm256_add_ps(_mm256_permute2f128_ps(fours[0], fours[1], 0x20),
                        _mm256_permute2f128_ps(fours[0], fours[1], 0x31))};
}

}  // namespace hearth::cpu
