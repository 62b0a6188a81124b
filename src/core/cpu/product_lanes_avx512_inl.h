// How the AVX-512 products hold x and W in registers, and how codes become weights there.
//
// Order along K, for every type: a lane takes its elements in ascending order of K, one sum each; at the end lanes are
// added in the tree i + (i + 8), + 4, + 2, + 1.
//   FloatLanes:      16 floats; element k in lane k % 16.
//   Bfloat16Pairs:   16 pairs, each added by one vdpbf16ps. Of 64 elements, lane i < 8 takes 8i and 8i + 4, then 8i + 2
//                    and 8i + 6; lane 8 + i takes 8i + 1 and 8i + 5, then 8i + 3 and 8i + 7: how 4-bit codes fall out.
// In float lanes 4-bit codes are cheapest to unpack into permuted lanes. Then x is packed with the same permutation,
// and sums are permuted back before the tree: the order of additions is not touched.
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

// ---- Rounding to the type of the scales, as floats. What is rounded comes multiplied by kRoundingLift<T>.

template <class T>
inline constexpr float kRoundingLift = 1.0f;
template <>
inline constexpr float kRoundingLift<Float16> = 0x1p13f;

inline __m512 round_to(__m512 v, const float*) { return v; }

inline __m512 round_to(__m512 v, const Bfloat16*) {
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits_of(v), 16), _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(_mm512_add_epi32(bits_of(v), _mm512_set1_epi32(0x7fff)), odd);
  return floats_of(_mm512_and_si512(up, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
}

// Sign and exponent of v * 2^13 make the power of two at which a float's last place is float16's for v: adding and
// subtracting it rounds v to 11 bits, half to even. Three operations on different pipes; converting to float16 and back
// keeps Zen 4's converter busy for 3.1 cycles. Nothing below float16's normal range needs to be rounded less: scales
// and biases are multiples of 2^-24, and so is v. Requires |v| < 65520, beyond which float16 is infinite.
inline __m512 round_to(__m512 lifted, const Float16*) {
  const __m512i sign_and_exponent = _mm512_set1_epi32(static_cast<int>(0xff800000));
  const __m512 magic = floats_of(_mm512_and_si512(bits_of(lifted), sign_and_exponent));
  return _mm512_sub_ps(_mm512_fmadd_ps(lifted, _mm512_set1_ps(1 / kRoundingLift<Float16>), magic), magic);
}

// The same for any v: infinite and NaN too.
inline __m512 round_any(__m512 v, const float*) { return v; }
inline __m512 round_any(__m512 v, const Bfloat16* type) {
  return _mm512_mask_mov_ps(round_to(v, type), _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), v);
}
inline __m512 round_any(__m512 lifted, const Float16*) {
  const __m512 v = _mm512_mul_ps(lifted, _mm512_set1_ps(1 / kRoundingLift<Float16>));
  return _mm512_cvtph_ps(_mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

// ---- Scales and biases of up to 32 groups of a row as floats, so that a broadcast is a load.

inline constexpr int kScalesAtOnce = 32;

struct Scales {
  float scale[kScalesAtOnce], bias[kScalesAtOnce];
};

inline float largest_rounded(const Float16*) { return 65504.0f * kRoundingLift<Float16>; }
inline float largest_rounded(const void*) { return 0x1.fffffep127f; }

// Returns whether round_to can do all of the groups' weights, for codes up to `top`.
template <class T>
inline bool expand_scales(const T* scales, const T* biases, int count, float lift, float top, Scales& to) {
  __mmask16 wild = 0;
  for (int i = 0; i < count; i += 16) {
    const int n = count - i < 16 ? count - i : 16;
    const F32x16 s = F32x16::load_first(scales + i, n) * F32x16::all(lift),
                 b = F32x16::load_first(biases + i, n) * F32x16::all(lift);
    s.store(to.scale + i);
    b.store(to.bias + i);
    const __m512 reach = _mm512_fmadd_ps(abs(s).v, _mm512_set1_ps(top), abs(b).v);
    wild |= _mm512_cmp_ps_mask(reach, _mm512_set1_ps(largest_rounded(scales)), _CMP_NLE_UQ);
  }
  return wild == 0;
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
    const __m512i words =
        _mm512_add_epi32(_mm512_add_epi32(word, _mm512_slli_epi32(word, 16)), _mm512_set1_epi32(0x10000));
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

// vpbroadcastd from memory is a load alone; vbroadcastss and broadcasts of 128 or 256 bits keep Zen 4's permutation
// pipes busy for a cycle as well, which look-ups need.
inline __m512 broadcast(const float& x) { return floats_of(_mm512_set1_epi32(load_as<int>(&x))); }

inline __m512 affine(const Scales& scales, int g, __m512 codes) {
  return _mm512_fmadd_ps(broadcast(scales.scale[g]), codes, _mm512_set1_ps(scales.bias[g]));
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
  static constexpr int kBlock = 32, kVectors = 2, kParts = 1;
  // Register tiles: 24 sums leave room for a column of x and a weight.
  static constexpr int kTileM = 4, kTileN = 6;
  static constexpr int kRowsOfWForOne = 8, kRowsOfWForTwo = 4, kRowsOfWForFour = 4, kRowsOfWForEight = 2;
  static constexpr int kRowsOfXForPairs = 8;  // rows of x at which two rows of W are multiplied in turn

  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum permute(Sum v, __m512i order) { return _mm512_permutexvar_ps(order, v); }
  static Vector permute(Vector v, __m512i order) { return _mm512_permutexvar_epi32(order, v); }
  static void store(Vector v, T* p) { F32x16{floats_of(v)}.store(p); }
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
    static constexpr bool kMayBeWild = sizeof(T) == 2;  // whether kTame makes a difference
    static constexpr bool kTablesAhead = kTables > 0, kPermuted = kBits == 4;
    static Vector order() { return nibble_order(); }
    static Vector order_back() { return nibble_order_back(); }

    struct Group {
      __m512 a, b;  // tables; or scale and bias
    };

    template <bool>
    static bool expand(const T* scales, const T* biases, int count, Scales& to) {
      return expand_scales(scales, biases, count, kRoundingLift<T>, static_cast<float>((1 << kBits) - 1), to);
    }

    template <bool kTame>
    static __m512 round(__m512 v) {
      const T* type = nullptr;
      return kTame ? round_to(v, type) : round_any(v, type);
    }
    template <bool kTame, bool>
    static Group group(const Scales& scales, int g) {
      if constexpr (kTables == 0) return {broadcast(scales.scale[g]), broadcast(scales.bias[g])};
      Group group;
      group.a = round<kTame>(affine(scales, g, table_codes<kBits>()));
      if constexpr (kTables == 2) {
        group.b = round<kTame>(affine(scales, g, _mm512_add_ps(table_codes<kBits>(), _mm512_set1_ps(16))));
      }
      return group;
    }
    template <bool kTame>
    static __m512 weights(const Group& group, const uint8_t* p) {
      const __m512i codes = sixteen_codes<kBits>(p);
      if constexpr (kTables == 1) return _mm512_permutexvar_ps(codes, group.a);
      if constexpr (kTables == 2) return _mm512_permutex2var_ps(group.a, codes, group.b);
      return round<kTame>(_mm512_fmadd_ps(group.a, _mm512_cvtepi32_ps(codes), group.b));
    }
    template <bool kTame, bool>
    static void block(const Group& group, const uint8_t* p, Vector (&to)[kVectors]) {
      to[0] = bits_of(weights<kTame>(group, p));
      to[1] = bits_of(weights<kTame>(group, p + 2 * kBits));
    }
    static void half_block(const Scales&, int, const uint8_t*, Vector (&)[kVectors]) {}  // no group is half a block
  };
};

// ---- Sums of lanes. Each level of the tree adds lanes that lie 8, 4, 2 or 1 apart, for two sums at once: of the
// result's lanes, those whose number has that bit clear are a's, the others b's.

inline __attribute__((always_inline)) __m512 join_eights(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_mask_blend_ps(0xff00, a, b), _mm512_shuffle_f32x4(a, b, 0x4e));
}
inline __attribute__((always_inline)) __m512 join_fours(__m512 a, __m512 b) {
  const __m512 others = _mm512_mask_blend_ps(0x0f0f, a, b);
  return _mm512_add_ps(_mm512_mask_blend_ps(0xf0f0, a, b), _mm512_shuffle_f32x4(others, others, 0xb1));
}
inline __attribute__((always_inline)) __m512 join_twos(__m512 a, __m512 b) {
  const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
  return _mm512_add_ps(_mm512_mask_blend_ps(0xcccc, a, b), _mm512_castpd_ps(_mm512_shuffle_pd(x, y, 0x55)));
}
inline __attribute__((always_inline)) __m512 join_ones(__m512 a, __m512 b) {
  const __m512 others = _mm512_mask_blend_ps(0x5555, a, b);
  return _mm512_add_ps(_mm512_mask_blend_ps(0xaaaa, a, b), _mm512_permute_ps(others, 0xb1));
}

// Lane i of the result is the sum of the lanes of s[i], for i < kCount.
template <int kCount>
inline __attribute__((always_inline)) __m512 totals_of(const __m512* s) {
  static_assert(kCount == 4 || kCount == 8 || kCount == 16);
  if constexpr (kCount == 4) {
    const __m512 fours = join_fours(join_eights(s[0], s[2]), join_eights(s[1], s[3]));
    const __m512 twos = join_twos(fours, fours), totals = join_ones(twos, twos);
    return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), totals);
  } else if constexpr (kCount == 8) {
    const __m512 even = join_fours(join_eights(s[0], s[4]), join_eights(s[2], s[6]));
    const __m512 odd = join_fours(join_eights(s[1], s[5]), join_eights(s[3], s[7]));
    const __m512 twos = join_twos(even, odd), totals = join_ones(twos, twos);
    return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14), totals);
  } else {
    __m512 fours[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      fours[i] = join_fours(join_eights(s[i], s[i + 8]), join_eights(s[i + 4], s[i + 12]));
    }
    return join_ones(join_twos(fours[0], fours[2]), join_twos(fours[1], fours[3]));
  }
}
// Lane i of the result is the sum of the lanes of s[i], lane 8 + i of those of s[6 + i], for i < 6.
inline __attribute__((always_inline)) __m512 totals_of_two_sixes(const __m512* s) {
  __m512 eights[6];
#pragma GCC unroll 6
  for (int i = 0; i < 6; i++) eights[i] = join_eights(s[i], s[6 + i]);
  const __m512 even = join_twos(join_fours(eights[0], eights[4]), join_fours(eights[2], eights[2]));
  const __m512 odd = join_twos(join_fours(eights[1], eights[5]), join_fours(eights[3], eights[3]));
  return join_ones(even, odd);
}

// Elements from row to row of what round_totals writes, and in all.
template <int M, int R>
inline constexpr int kTotalsStride = R == 6 ? 8 : R;
// clang-format takes M * for a pointer.
// clang-format off
template <int M, int R>
inline constexpr int kTotals = M * R < 16 ? 16 : M * kTotalsStride<M, R>;
// clang-format on

// to[m * kTotalsStride + i] = the sum of the lanes of sums[m * R + i], rounded, for m < M and i < R.
template <int M, int R, class T>
inline __attribute__((always_inline)) void round_totals(const __m512 (&sums)[M * R], T* to) {
  if constexpr (R == 6) {
    static_assert(M % 2 == 0);
#pragma GCC unroll 4
    for (int m = 0; m < M; m += 2) F32x16{totals_of_two_sixes(sums + 6 * m)}.store(to + 8 * m);
  } else {
    F32x16{totals_of<M * R>(sums)}.store(to);
  }
}

using Floats = F32x16;

}  // namespace
}  // namespace hearth::cpu
