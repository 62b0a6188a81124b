// Words and lanes of a quantized product in an AVX register: one row of W. Names as integer_product_inl.h asks for
// them; the ISA files add the dot products. Included by them, inside their target region (target.h).
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {
namespace {

// Scales [first, first + count) as floats, zeros behind; count is at most eight. What follows them in memory is read as
// well unless they are the last ones of `all`.
inline __m256 eight_scales(Dtype type, const void* scales, int64_t first, int count, int64_t all) {
  alignas(32) char copy[32] = {};
  const size_t size = type == Dtype::kFloat32 ? 4 : 2;
  const char* p = static_cast<const char*>(scales) + first * size;
  if (__builtin_expect(first + 8 > all, 0)) {
    __builtin_memcpy(copy, p, count * size);
    p = copy;
  }
  __m256 floats;
  if (type == Dtype::kFloat32) {
    floats = _mm256_loadu_ps(reinterpret_cast<const float*>(p));
  } else {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    floats = type == Dtype::kFloat16 ? _mm256_cvtph_ps(halves)
                                     : _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
  }
  if (count == 8) return floats;
  const __m256i there = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  return _mm256_and_ps(floats, _mm256_castsi256_ps(there));
}

struct OneRow {
  using Words = __m256i;
  using Floats = __m256;
  static constexpr int kRows = 1;

  static Words load_codes(const uint8_t* const* rows, int64_t offset) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[0] + offset));
  }
  // 16 bytes at the offset and 16 at `ahead` bytes more.
  static Words load_halves(const uint8_t* const* rows, int64_t offset, int ahead) {
    const auto* p = rows[0] + offset;
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
                                   _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + ahead)), 1);
  }
  static Words load_x(const int16_t* p) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(p)); }

  static Words all(int value) { return _mm256_set1_epi16(static_cast<int16_t>(value)); }
  static Words masked(Words w, Words mask) { return _mm256_and_si256(w, mask); }
  template <int kBits>
  static Words shifted(Words w) {
    return _mm256_srli_epi16(w, kBits);
  }
  static Words spread(Words w, const uint8_t (&bytes)[32]) {
    return _mm256_shuffle_epi8(w, _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes)));
  }
  static Words multiply_low(Words w, const uint16_t (&factors)[16]) {
    return _mm256_mullo_epi16(w, _mm256_load_si256(reinterpret_cast<const __m256i*>(factors)));
  }

  static Floats zero() { return _mm256_setzero_ps(); }
  static Floats to_floats(Words sums) { return _mm256_cvtepi32_ps(sums); }
  static Floats times(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  static Floats load(const float* p) { return _mm256_load_ps(p); }
  static void store(Floats v, float* p) { _mm256_store_ps(p, v); }
  // Eight floats for every row of W.
  static Floats both(const float* p) { return _mm256_loadu_ps(p); }
  // Scales [first, first + count) of a row of `groups`; `all` of the matrix.
  static Floats load_scales(Dtype type, const void* scales, const int64_t* rows, int64_t groups, int64_t first,
                            int count, int64_t all) {
    return eight_scales(type, scales, rows[0] * groups + first, count, all);
  }
  // The scale of each lane of a unit whose kGroups groups begin with `group`.
  template <int kGroups>
  static Floats unit_scales(const float* chunk, int group) {
    if constexpr (kGroups == 1) return _mm256_broadcast_ss(chunk + group);
    if constexpr (kGroups == 2) {
      return _mm256_blend_ps(_mm256_broadcast_ss(chunk + group), _mm256_broadcast_ss(chunk + group + 1), 0xf0);
    }
    return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(chunk + group)),
                                    _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
  }
  // Lanes of a row of W; further rows of it lie `step` times eight floats on.
  static Floats load_lanes(const float* p, int) { return _mm256_loadu_ps(p); }
  static void store_lanes(Floats v, float* p, int) { _mm256_storeu_ps(p, v); }
};

}  // namespace
}  // namespace hearth::cpu
