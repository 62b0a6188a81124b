// How the AVX-512 products hold x and W in registers, and how codes become weights there.
//
// Order along K, for every type: a lane takes its elements in ascending order of K, one sum each; at the end lanes are
// added in the tree i + (i + 8), + 4, + 2, + 1.
//   FloatLanes:      16 floats; element k in lane k % 16.
//   Bfloat16Pairs:   16 pairs; elements 2i and 2i + 1 (mod 32) in lane i, added by one vdpbf16ps.
// Codes are cheapest to unpack into permuted lanes. Then x is packed with the same permutation, and sums are permuted
// back before the tree: the order of additions is not touched.
//
// Included by the ISA files, inside their target region (target.h).
#pragma once

#include "core/cpu/product_driver.h"
#include "core/cpu/vector_avx512_inl.h"

namespace hearth::cpu {
namespace {

inline __m512i bits_of(__m512 v) { return _mm512_castps_si512(v); }
inline __m512 floats_of(__m512i v) { return _mm512_castsi512_ps(v); }
inline __m512i load_vector(const void* p) { return _mm512_loadu_si512(p); }
template <class To>
inline To load_as(const void* p) {
  To to;
  __builtin_memcpy(&to, p, sizeof(to));
  return to;
}

// ---- Rounding to the type of the scales, as floats.

inline __m512 round_to(__m512 v, const float*) { return v; }

inline __m512 round_to(__m512 v, const Bfloat16*) {
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits_of(v), 16), _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(_mm512_add_epi32(bits_of(v), _mm512_set1_epi32(0x7fff)), odd);
  return floats_of(_mm512_and_si512(up, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
}

// float16 keeps 11 bits above 2^-14, and multiples of 2^-24 below. Adding and subtracting 1.5 * 2^13 times the power of
// two at or below |v| (at least 2^-14) rounds there, half to even. Four operations on four pipes, 2.0 cycles on Zen 4;
// converting to float16 and back takes 3.1. Requires |v| < 65520, beyond which float16 is infinite.
inline __m512 round_to(__m512 v, const Float16*) {
  const __m512i exponent = _mm512_and_si512(bits_of(v), _mm512_set1_epi32(0x7f800000));
  const __m512 power = floats_of(_mm512_max_epi32(exponent, _mm512_set1_epi32(0x38800000)));
  const __m512 magic = _mm512_set1_ps(0x1.8p13f);
  return _mm512_fnmadd_ps(power, magic, _mm512_fmadd_ps(power, magic, v));
}

// The same for any v: infinite and NaN too.
inline __m512 round_any(__m512 v, const float*) { return v; }
inline __m512 round_any(__m512 v, const Bfloat16* type) {
  return _mm512_mask_mov_ps(round_to(v, type), _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), v);
}
inline __m512 round_any(__m512 v, const Float16*) {
  return _mm512_cvtph_ps(_mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

// ---- A row's scales and biases as floats, so that a broadcast is a load.

inline float largest_rounded(const Float16*) { return 65504.0f; }
inline float largest_rounded(const void*) { return 0x1.fffffep127f; }

struct RowScales {
  const float* scales;
  const float* biases;
  bool tame;  // no weight of the row is beyond what round_to can do
};

// `to` has room for 2 * (groups + 16) floats.
template <class T>
inline RowScales expand_scales(const T* scales, const T* biases, int64_t groups, float top, float* to) {
  float* const to_biases = to + groups + 16;
  __mmask16 wild = 0;
  for (int64_t g = 0; g < groups; g += 16) {
    const int n = groups - g < 16 ? static_cast<int>(groups - g) : 16;
    const F32x16 s = F32x16::load_first(scales + g, n), b = F32x16::load_first(biases + g, n);
    const __m512 reach = _mm512_fmadd_ps(abs(s).v, _mm512_set1_ps(top), abs(b).v);
    wild |= _mm512_cmp_ps_mask(reach, _mm512_set1_ps(largest_rounded(scales)), _CMP_NLE_UQ);
    s.store(to + g);
    b.store(to_biases + g);
  }
  return {to, to_biases, wild == 0};
}

// ---- Sixteen codes as 32-bit lanes. For 2 to 5 bits the lanes' higher bits hold other codes: table look-ups ignore
// them. 4 bits come as lanes 0, 8, 1, 9, ...; others in order.

template <int kBits>
inline __m512i sixteen_codes(const uint8_t* p) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  if constexpr (kBits == 2) {
    return _mm512_srlv_epi32(_mm512_set1_epi32(load_as<int>(p)), _mm512_slli_epi32(lane, 1));
  } else if constexpr (kBits == 4) {
    const __m512i shift = _mm512_slli_epi32(_mm512_srli_epi32(lane, 1), 2);
    return _mm512_srlv_epi32(_mm512_set1_epi64(load_as<long long>(p)), shift);
  } else if constexpr (kBits == 8) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  } else {  // two neighbouring 16-bit words hold any code
    const __m128i bytes = _mm_maskz_loadu_epi8(static_cast<__mmask16>((1u << (2 * kBits)) - 1), p);
    const __m512i bit = _mm512_mullo_epi32(lane, _mm512_set1_epi32(kBits));
    const __m512i word = _mm512_srli_epi32(bit, 4);
    const __m512i words = _mm512_add_epi32(_mm512_add_epi32(word, _mm512_slli_epi32(word, 16)), _mm512_set1_epi32(0x10000));
    const __m512i window = _mm512_permutexvar_epi16(words, _mm512_castsi128_si512(bytes));
    const __m512i codes = _mm512_srlv_epi32(window, _mm512_and_si512(bit, _mm512_set1_epi32(15)));
    return kBits == 6 ? _mm512_and_si512(codes, _mm512_set1_epi32(63)) : codes;
  }
}

// A table's codes in its 16 lanes: 0..15, or repeated so that an index's higher bits do not matter.
template <int kBits>
inline __m512 table_codes() {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_cvtepi32_ps(_mm512_and_si512(lane, _mm512_set1_epi32((1 << kBits) - 1)));
}

inline __m512 affine(const RowScales& row, int64_t g, __m512 codes) {
  return _mm512_fmadd_ps(_mm512_set1_ps(row.scales[g]), codes, _mm512_set1_ps(row.biases[g]));
}

// Lane i of a 4-bit vector holds element (i >> 1) + 8 * (i & 1); and the way back.
inline __m512i nibble_order() { return _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15); }
inline __m512i nibble_order_back() { return _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15); }

// ---- Lanes of floats.

template <class T>
struct FloatLanes {
  using Type = T;
  using Vector = __m512i;
  using Sum = __m512;
  static constexpr int kVectors = 2;  // of a block of 32 elements
  // Register tiles: 24 sums leave room for a column of x and a weight.
  static constexpr int kTileM = 4, kTileN = 6;
  static constexpr int kFewRowsOfW = 4, kRowsOfWForFour = 4, kRowsOfWForEight = 2;

  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum permute(Sum v, __m512i order) { return _mm512_permutexvar_ps(order, v); }
  static Vector permute(Vector v, __m512i order) { return _mm512_permutexvar_epi32(order, v); }
  static Sum madd(Sum sum, Vector x, Vector w) { return _mm512_fmadd_ps(floats_of(x), floats_of(w), sum); }

  static void load_block(const T* p, Vector (&to)[kVectors]) {
    to[0] = bits_of(F32x16::load(p).v);
    to[1] = bits_of(F32x16::load(p + 16).v);
  }
  static void load_first(const T* p, int count, Vector (&to)[kVectors]) {
    to[0] = bits_of(F32x16::load_first(p, count < 16 ? count : 16).v);
    to[1] = bits_of(F32x16::load_first(p + 16, count < 16 ? 0 : count - 16).v);
  }

  // Weights of kBits: to 5 bits by a table of the group's rounded weights (5 bits: two halves), else one at a time.
  template <int kBits>
  struct Codes {
    static constexpr int kTables = kBits == 5 ? 2 : kBits < 5 ? 1 : 0;
    static constexpr bool kPermuted = kBits == 4;
    static Vector order() { return nibble_order(); }
    static Vector order_back() { return nibble_order_back(); }

    struct Group {
      __m512 a, b;  // tables; or scale and bias
    };

    static __m512 round(const RowScales& row, __m512 v) {
      const T* type = nullptr;
      return __builtin_expect(row.tame, 1) ? round_to(v, type) : round_any(v, type);
    }
    static Group group(const RowScales& row, int64_t g) {
      if constexpr (kTables == 0) return {_mm512_set1_ps(row.scales[g]), _mm512_set1_ps(row.biases[g])};
      Group group;
      group.a = round(row, affine(row, g, table_codes<kBits>()));
      if constexpr (kTables == 2) {
        group.b = round(row, affine(row, g, _mm512_add_ps(table_codes<kBits>(), _mm512_set1_ps(16))));
      }
      return group;
    }
    static __m512 weights(const RowScales& row, const Group& group, const uint8_t* p) {
      const __m512i codes = sixteen_codes<kBits>(p);
      if constexpr (kTables == 1) return _mm512_permutexvar_ps(codes, group.a);
      if constexpr (kTables == 2) return _mm512_permutex2var_ps(group.a, codes, group.b);
      return round(row, _mm512_fmadd_ps(group.a, _mm512_cvtepi32_ps(codes), group.b));
    }
    static void block(const RowScales& row, const Group& group, const uint8_t* p, Vector (&to)[kVectors]) {
      to[0] = bits_of(weights(row, group, p));
      to[1] = bits_of(weights(row, group, p + 2 * kBits));
    }
  };
};

// ---- Sums of lanes. Each level of the tree is taken for many sums at once.

// Two vectors' upper and lower halves: 8 partial sums of each.
inline __m512 halves(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
}
inline __m512 quarters(__m512 ab, __m512 cd) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
}
inline __m512 pairs(__m512 a, __m512 b) {
  const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
  return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)), _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
}
inline __m512 neighbours(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
}
inline __m512 quarters_of_four(const __m512* s, int step) {
  return quarters(halves(s[0], s[step]), halves(s[2 * step], s[3 * step]));
}

// to[i] = the sum of the lanes of s[i].
inline void sum_lanes_of_sixteen(const __m512* s, float* to) {
  const __m512 a = pairs(quarters_of_four(s, 4), quarters_of_four(s + 1, 4));
  const __m512 b = pairs(quarters_of_four(s + 2, 4), quarters_of_four(s + 3, 4));
  _mm512_storeu_ps(to, neighbours(a, b));
}
inline void sum_lanes_of_eight(const __m512* s, float* to) {
  const __m512 a = pairs(quarters_of_four(s, 2), quarters_of_four(s + 1, 2));
  const __m512i order = _mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13);
  _mm256_storeu_ps(to, _mm512_castps512_ps256(_mm512_permutexvar_ps(order, neighbours(a, a))));
}
inline void sum_lanes_of_four(const __m512* s, float* to) {
  const __m512 a = quarters_of_four(s, 1), b = pairs(a, a);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  _mm_storeu_ps(to, _mm512_castps512_ps128(_mm512_permutexvar_ps(order, neighbours(b, b))));
}
template <int kCount>
inline void sum_lanes(const __m512* s, float* to) {
  static_assert(kCount == 4 || kCount == 8 || kCount == 16 || kCount == 24);
  if constexpr (kCount == 4) sum_lanes_of_four(s, to);
  if constexpr (kCount == 8) sum_lanes_of_eight(s, to);
  if constexpr (kCount >= 16) sum_lanes_of_sixteen(s, to);
  if constexpr (kCount == 24) sum_lanes_of_eight(s + 16, to + 16);
}

// y[0..count) = sums rounded, plus bias, rounded again. count <= 16
template <class T>
inline void store_sums(const float* sums, int count, const T* bias, T* y) {
  F32x16 v = F32x16::load_first(sums, count);
  if (bias != nullptr) v = F32x16{round_any(v.v, bias)} + F32x16::load_first(bias, count);
  v.store_first(y, count);
}

}  // namespace
}  // namespace hearth::cpu
