// The AVX2 products' lanes: eight floats; element k in lane k % 8, in ascending order of K, one sum each; lanes are
// added in the tree i + (i + 4), + 2, + 1. Contracts as in product_lanes_avx512_inl.h; codes are converted one at a
// time.
//
// Included by the ISA files, inside their target region (target.h).
#pragma once

#include "core/cpu/product_driver.h"
#include "core/cpu/vector_avx2_inl.h"

namespace hearth::cpu {
namespace {

template <class To>
inline To load_as(const void* p) {
  To to;
  __builtin_memcpy(&to, p, sizeof(to));
  return to;
}

// ---- Rounding to the type of the scales, as floats.

inline __m256 round_any(__m256 v, const float*) { return v; }
inline __m256 round_any(__m256 v, const Float16*) {
  return _mm256_cvtph_ps(_mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline __m256 round_any(__m256 v, const Bfloat16*) {
  const __m256i bits = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i up = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  const __m256i kept = _mm256_and_si256(up, _mm256_set1_epi32(static_cast<int>(0xffff0000)));
  return _mm256_blendv_ps(_mm256_castsi256_ps(kept), v, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
}

// ---- Scales and biases of up to 16 groups of a row.

inline constexpr int kScalesAtOnce = 16;

struct Scales {
  float scale[kScalesAtOnce], bias[kScalesAtOnce];
};

template <class T>
inline bool expand_scales(const T* scales, const T* biases, int count, float, Scales& to) {
  for (int i = 0; i < count; i += 8) {
    const int n = count - i < 8 ? count - i : 8;
    F32x8::load_first(scales + i, n).store(to.scale + i);
    F32x8::load_first(biases + i, n).store(to.bias + i);
  }
  return true;
}

// ---- Eight codes as 32-bit lanes, from kBits bytes.

template <int kBits>
inline __m256i eight_codes(const uint8_t* p) {
  const __m256i shift = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(kBits));
  const __m256i mask = _mm256_set1_epi32((1 << kBits) - 1);
  if constexpr (kBits == 8) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  } else if constexpr (kBits <= 4) {
    uint32_t bits = load_as<uint16_t>(p);
    if constexpr (kBits == 3) bits |= static_cast<uint32_t>(p[2]) << 16;
    if constexpr (kBits == 4) bits = load_as<uint32_t>(p);
    return _mm256_and_si256(_mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(bits)), shift), mask);
  } else {  // the upper four codes from the last four bytes
    constexpr int kSkipped = kBits - 4;
    const __m128i low = _mm_set1_epi32(load_as<int>(p)), high = _mm_set1_epi32(load_as<int>(p + kSkipped));
    const __m256i skipped = _mm256_setr_epi32(0, 0, 0, 0, 8 * kSkipped, 8 * kSkipped, 8 * kSkipped, 8 * kSkipped);
    const __m256i bits = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
    return _mm256_and_si256(_mm256_srlv_epi32(bits, _mm256_sub_epi32(shift, skipped)), mask);
  }
}

// ---- Lanes of floats.

template <class T>
struct EightLanes {
  using Type = T;
  using Vector = __m256;
  using Sum = __m256;
  static constexpr int kBlock = 32, kVectors = 4;
  static constexpr bool kMayBeWild = false;  // whether kTame makes a difference
  // Register tiles: 12 sums leave room for a column of x and a weight.
  static constexpr int kTileM = 3, kTileN = 4;
  static constexpr int kRowsOfWForOne = 4, kRowsOfWForTwo = 4, kRowsOfWForFour = 2, kRowsOfWForEight = 1;

  static Sum zero() { return _mm256_setzero_ps(); }
  static Sum madd(Sum sum, Vector x, Vector w) { return _mm256_fmadd_ps(x, w, sum); }
  static void store(Vector v, T* p) { F32x8{v}.store(p); }

  static void load_block(const T* p, Vector (&to)[kVectors]) {
    for (int v = 0; v < kVectors; v++) to[v] = F32x8::load(p + 8 * v).v;
  }
  static void load_first(const T* p, int count, Vector (&to)[kVectors]) {
    for (int v = 0; v < kVectors; v++, count -= 8) {
      to[v] = count <= 0 ? zero() : F32x8::load_first(p + 8 * v, count < 8 ? count : 8).v;
    }
  }

  template <int kBits>
  struct Codes {
    static constexpr bool kPermuted = false;
    struct Group {
      __m256 scale, bias;
    };

    template <bool, bool>
    static Group group(const Scales& scales, int g) {
      return {_mm256_set1_ps(scales.scale[g]), _mm256_set1_ps(scales.bias[g])};
    }
    template <bool, bool>
    static void block(const Group& group, const uint8_t* p, Vector (&to)[kVectors]) {
      const T* type = nullptr;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) {
        const __m256 codes = _mm256_cvtepi32_ps(eight_codes<kBits>(p + v * kBits));
        to[v] = round_any(_mm256_fmadd_ps(group.scale, codes, group.bias), type);
      }
    }
    static void half_block(const Scales&, int, const uint8_t*, Vector (&)[kVectors]) {}  // no group is half a block
  };
};

// ---- Sums of lanes: four vectors at once, each level of the tree for all of them.

inline void sum_lanes_of_four(const __m256* s, float* to) {
  const __m256 ab = _mm256_add_ps(_mm256_permute2f128_ps(s[0], s[1], 0x20), _mm256_permute2f128_ps(s[0], s[1], 0x31));
  const __m256 cd = _mm256_add_ps(_mm256_permute2f128_ps(s[2], s[3], 0x20), _mm256_permute2f128_ps(s[2], s[3], 0x31));
  const __m256d x = _mm256_castps_pd(ab), y = _mm256_castps_pd(cd);
  const __m256 pairs = _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(x, y)),
                                     _mm256_castpd_ps(_mm256_unpackhi_pd(x, y)));  // a, c; b, d
  const __m256 sums = _mm256_add_ps(_mm256_shuffle_ps(pairs, pairs, 0x88), _mm256_shuffle_ps(pairs, pairs, 0xdd));
  _mm_storeu_ps(to, _mm_unpacklo_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1)));
}

// Elements from row to row of what round_totals writes, and in all.
template <int M, int R>
inline constexpr int kTotalsStride = R;
template <int M, int R>
inline constexpr int kTotals = (M * R + 7) / 8 * 8;

// to[m * kTotalsStride + i] = the sum of the lanes of sums[m * R + i], rounded, for m < M and i < R.
template <int M, int R, class T>
inline void round_totals(const __m256 (&sums)[M * R], T* to) {
  static_assert(M * R % 4 == 0);
  alignas(32) float totals[kTotals<M, R>] = {};
  for (int i = 0; i < M * R; i += 4) sum_lanes_of_four(sums + i, totals + i);
  for (int i = 0; i < kTotals<M, R>; i += 8) F32x8::load(totals + i).store(to + i);
}

using Floats = F32x8;

}  // namespace
}  // namespace hearth::cpu
