// Words and lanes of a quantized product in an AVX-512 register: two rows of W, in its lower and its upper half, so
// that lanes are those of one row alone. Contracts as in integer_lanes_avx2_inl.h, which comes first.
#pragma once

#include "core/cpu/integer_lanes_avx2_inl.h"

// g++ 12 takes the deliberately undefined operand inside many AVX-512 intrinsics for a mistake of the caller.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace hearth::cpu {
namespace {

// Which of a chunk's scales (eight of the first row, then eight of the second) lanes take, for each first group.
template <int kGroups>
struct ScaleLanes {
  alignas(64) int lanes[8][16] = {};

  constexpr ScaleLanes() {
    for (int group = 0; group + kGroups <= 8; group++) {
      for (int lane = 0; lane < 16; lane++) lanes[group][lane] = lane / 8 * 8 + group + lane % 8 * kGroups / 8;
    }
  }
};
template <int kGroups>
inline constexpr ScaleLanes<kGroups> kScaleLanes;

struct TwoRows {
  using Words = __m512i;
  using Floats = __m512;
  static constexpr int kRows = 2;

  static Words join(__m256i first, __m256i second) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
  }
  static Words load_codes(const uint8_t* const* rows, int64_t offset) {
    return join(OneRow::load_codes(rows, offset), OneRow::load_codes(rows + 1, offset));
  }
  static Words load_halves(const uint8_t* const* rows, int64_t offset, int ahead) {
    return join(OneRow::load_halves(rows, offset, ahead), OneRow::load_halves(rows + 1, offset, ahead));
  }
  static Words load_x(const int16_t* p) { return _mm512_broadcast_i64x4(OneRow::load_x(p)); }

  static Words all(int value) { return _mm512_set1_epi16(static_cast<int16_t>(value)); }
  static Words masked(Words w, Words mask) { return _mm512_and_si512(w, mask); }
  template <int kBits>
  static Words shifted(Words w) {
    return _mm512_srli_epi16(w, kBits);
  }
  static Words spread(Words w, const uint8_t (&bytes)[32]) {
    return _mm512_shuffle_epi8(w, _mm512_broadcast_i64x4(_mm256_load_si256(reinterpret_cast<const __m256i*>(bytes))));
  }
  static Words multiply_low(Words w, const uint16_t (&factors)[16]) {
    return _mm512_mullo_epi16(w, _mm512_broadcast_i64x4(_mm256_load_si256(reinterpret_cast<const __m256i*>(factors))));
  }

  static Floats zero() { return _mm512_setzero_ps(); }
  static Floats to_floats(Words sums) { return _mm512_cvtepi32_ps(sums); }
  static Floats times(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static Floats load(const float* p) { return _mm512_load_ps(p); }
  static void store(Floats v, float* p) { _mm512_store_ps(p, v); }
  static Floats join(__m256 first, __m256 second) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(first), second, 1);
  }
  static Floats both(const float* p) { return _mm512_broadcast_f32x8(_mm256_loadu_ps(p)); }
  static Floats load_scales(Dtype type, const void* scales, const int64_t* rows, int64_t groups, int64_t first,
                            int count, int64_t all) {
    return join(OneRow::load_scales(type, scales, rows, groups, first, count, all),
                OneRow::load_scales(type, scales, rows + 1, groups, first, count, all));
  }
  template <int kGroups>
  static Floats unit_scales(const float* chunk, int group) {
    return _mm512_permutexvar_ps(_mm512_load_si512(kScaleLanes<kGroups>.lanes[group]), _mm512_load_ps(chunk));
  }
  static Floats load_lanes(const float* p, int step) { return join(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8 * step)); }
  static void store_lanes(Floats v, float* p, int step) {
    _mm256_storeu_ps(p, _mm512_castps512_ps256(v));
    _mm256_storeu_ps(p + 8 * step, _mm512_extractf32x8_ps(v, 1));
  }
};

}  // namespace
}  // namespace hearth::cpu
