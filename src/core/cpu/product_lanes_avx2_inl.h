// How the AVX2 products hold x and W in registers: eight floats; a sum is two registers, so that its lanes and their
// order are those of FloatLanes in product_lanes_avx512_inl.h: element k in lane k % 16, in ascending order of K; lanes
// are added in the tree i + (i + 8), + 4, + 2, + 1. Contracts as there.
//
// Included by the ISA files, inside their target region (target.h).
#pragma once

#include "core/cpu/product_driver.h"
#include "core/cpu/vector_avx2_inl.h"

namespace hearth::cpu {
namespace {

template <class T>
struct EightLanes {
  using Type = T;
  using Vector = __m256;
  using Sum = __m256;
  static constexpr int kBlock = 32, kVectors = 4, kParts = 2;
  // Register tiles: a part of 12 sums leaves room for a column of x and a weight.
  static constexpr int kTileM = 3, kTileN = 4;
  static constexpr int kRowsOfWForOne = 4, kRowsOfWForTwo = 2, kRowsOfWForFour = 1, kRowsOfWForEight = 1;

  static Sum zero() { return _mm256_setzero_ps(); }
  static Sum madd(Sum sum, Vector x, Vector w) { return _mm256_fmadd_ps(x, w, sum); }

  static void load_block(const T* p, Vector (&to)[kVectors]) {
    for (int v = 0; v < kVectors; v++) to[v] = F32x8::load(p + 8 * v).v;
  }
  static void load_first(const T* p, int count, Vector (&to)[kVectors]) {
    for (int v = 0; v < kVectors; v++, count -= 8) {
      to[v] = count <= 0 ? zero() : F32x8::load_first(p + 8 * v, count < 8 ? count : 8).v;
    }
  }
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
inline void round_totals(const __m256 (&parts)[2 * M * R], T* to) {
  __m256 sums[kTotals<M, R>] = {};
  for (int i = 0; i < M * R; i++) sums[i] = _mm256_add_ps(parts[i], parts[M * R + i]);
  alignas(32) float totals[kTotals<M, R>] = {};
  for (int i = 0; i < M * R; i += 4) sum_lanes_of_four(sums + i, totals + i);
  for (int i = 0; i < kTotals<M, R>; i += 8) F32x8::load(totals + i).store(to + i);
}

using Floats = F32x8;

}  // namespace
}  // namespace hearth::cpu
