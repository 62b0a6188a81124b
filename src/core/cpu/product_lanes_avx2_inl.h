// How the AVX2 products hold x and W in registers: eight floats; a sum is two registers, so that its lanes and their
// order are those of FloatLanes in product_lanes_avx512_inl.h: element k in lane k % 16, in ascending order of K; lanes
// are added in the tree i + (i + 8), + 4, + 2, + 1. Contracts as there.
//
// Weights come from 32 codes at once. Up to 4 bits they are looked up: a group's rounded weights of 16 bits are two
// tables of bytes. Wider codes are computed with, one weight at a time. What falls out of 2- and 4-bit codes has its
// lanes permuted: x is packed with the same permutation, and sums are permuted back before the tree.
//
// Cycles an instruction on Zen 1, whose registers are half as wide (2.4 GHz; later CPUs take half or less): logic 0.5;
// add, multiply-add, shuffles in 128-bit lanes 1; shifts by a constant, float16 from and to float, cvtdq2ps,
// pmovzx 1.9; shifts by a variable and permutations across lanes 3.9, which therefore stay out of what is done for each
// weight.
//
// Included by the ISA files, inside their target region (target.h).
#pragma once

#include <type_traits>

#include "core/cpu/product_driver.h"
#include "core/cpu/vector_avx2_inl.h"

namespace hearth::cpu {
namespace {

inline __m256i bits_of(__m256 v) { return _mm256_castps_si256(v); }
inline __m256 floats_of(__m256i v) { return _mm256_castsi256_ps(v); }
inline __m128i load_16_bytes(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline __m128i load_8_bytes(const uint8_t* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); }

// ---- Rounding to the type of the scales, as floats.

// A power of two of v's own size, added and taken away, at which a float's last place is the type's for v, rounds v
// half to even. For float16 that is v's sign and exponent times 2^13, and v comes multiplied by it; for bfloat16 2^16,
// which has no room in a float: there it is multiplied on the way. Nothing below the types' normal ranges needs to be
// rounded: scales and biases are multiples of their smallest numbers, and so is v.
template <class T>
inline constexpr float kRoundingLift = 1.0f;
template <>
inline constexpr float kRoundingLift<Float16> = 0x1p13f;

inline __m256 size_of_lanes(__m256 v) {
  return floats_of(_mm256_and_si256(bits_of(v), _mm256_set1_epi32(static_cast<int>(0xff800000))));
}

inline __m256 round_to(__m256 v, const float*) { return v; }
inline __m256 round_to(__m256 lifted, const Float16*) {
  const __m256 magic = size_of_lanes(lifted);
  return _mm256_sub_ps(_mm256_fmadd_ps(lifted, _mm256_set1_ps(1 / kRoundingLift<Float16>), magic), magic);
}
inline __m256 round_to(__m256 v, const Bfloat16*) {
  const __m256 size = size_of_lanes(v), lift = _mm256_set1_ps(0x1p16f);
  return _mm256_fnmadd_ps(size, lift, _mm256_fmadd_ps(size, lift, v));
}

// The same for any v: large, infinite, and NaN too.
inline __m256 round_any(__m256 v, const float*) { return v; }
inline __m256 round_any(__m256 lifted, const Float16*) {
  const __m256 v = _mm256_mul_ps(lifted, _mm256_set1_ps(1 / kRoundingLift<Float16>));
  return _mm256_cvtph_ps(_mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline __m256 round_any(__m256 v, const Bfloat16*) {
  return floats_of(_mm256_slli_epi32(_mm256_cvtepu16_epi32(F32x8{v}.to_bfloat16()), 16));
}

template <bool kTame, class T>
inline __m256 round(__m256 v) {
  const T* type = nullptr;
  return kTame ? round_to(v, type) : round_any(v, type);
}

// ---- Scales and biases of up to 32 groups of a row as floats.

inline constexpr int kScalesAtOnce = 32;

struct Scales {
  float scale[kScalesAtOnce], bias[kScalesAtOnce];
};

inline float largest_rounded(const Float16*) { return 65504.0f; }
inline float largest_rounded(const void*) { return 0x1p110f; }

// Scales and biases times `lift`, for codes up to `top` that come as code + base: then a bias is less by scale * base.
// Returns whether, as far as kChecked, round_to can do all of the groups' weights and every bias is exact.
template <bool kChecked, class T>
inline bool expand_scales(const T* scales, const T* biases, int count, float lift, float base, float top, Scales& to) {
  int tame = 0xff;
  for (int i = 0; i < count; i += 8) {
    const int n = count - i < 8 ? count - i : 8;
    const F32x8 s = n == 8 ? F32x8::load(scales + i) : F32x8::load_first(scales + i, n);
    const F32x8 b = n == 8 ? F32x8::load(biases + i) : F32x8::load_first(biases + i, n);
    const F32x8 less = base == 0 ? b : b - s * F32x8::all(base);
    (s * F32x8::all(lift)).store(to.scale + i);
    (less * F32x8::all(lift)).store(to.bias + i);
    if constexpr (!kChecked) continue;
    const auto fits = less_equal(fma(abs(s), F32x8::all(top), abs(b)), F32x8::all(largest_rounded(scales)));
    const auto exact = equal(fma(s, F32x8::all(base), less), b);
    tame &= _mm256_movemask_ps(both(fits, exact).v);
  }
  return tame == 0xff;
}

// ---- Codes of a block.

// Where codes [16h, 16h + 16) lie in a block: in its last bytes that hold all sixteen, each in two bytes of these (8
// bits: in one), from where a multiplication shifts it to the top of 16 bits.
template <int kBits, int h>
struct CodePlaces {
  static constexpr int kLoaded = kBits < 5 ? 8 : 16, kLatest = 4 * kBits - kLoaded;
  static constexpr int kBegin = 2 * kBits * h < kLatest ? 2 * kBits * h : kLatest;
  alignas(32) uint8_t bytes[32] = {};
  alignas(32) uint16_t factors[16] = {};

  constexpr CodePlaces() {
    const int codes[16] = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15};
    for (int lane = 0; lane < 16; lane++) {
      const int bit = kBits * codes[lane], byte = 2 * kBits * h - kBegin + bit / 8;
      bytes[2 * lane] = static_cast<uint8_t>(kBits == 8 ? 0x80 : byte);  // 0x80 gives zero
      bytes[2 * lane + 1] = static_cast<uint8_t>(kBits == 8 ? byte : byte + 1);
      factors[lane] = static_cast<uint16_t>(1 << (16 - kBits - bit % 8));
    }
  }
};
template <int kBits, int h>
inline constexpr CodePlaces<kBits, h> kCodePlaces;

// Codes [16h, 16h + 16) at the top of 16-bit lanes: 0 to 3 and 8 to 11 in the lower half, the others in the upper.
// Below them other bits.
template <int kBits, int h>
inline __attribute__((always_inline)) __m256i sixteen_codes(const uint8_t* block) {
  constexpr auto& places = kCodePlaces<kBits, h>;
  __m256i bytes;
  if constexpr (places.kLoaded == 8) {
    bytes = _mm256_broadcastq_epi64(load_8_bytes(block + places.kBegin));
  } else {
    bytes = _mm256_broadcastsi128_si256(load_16_bytes(block + places.kBegin));
  }
  const __m256i pairs = _mm256_shuffle_epi8(bytes, _mm256_load_si256(reinterpret_cast<const __m256i*>(places.bytes)));
  if constexpr (kBits == 8) return pairs;
  return _mm256_mullo_epi16(pairs, _mm256_load_si256(reinterpret_cast<const __m256i*>(places.factors)));
}

// The 32 codes as bytes: vector v's lanes in bytes 4v to 4v + 3 of both.
struct CodeBytes {
  __m128i low, high;
};

inline CodeBytes code_bytes(std::integral_constant<int, 2>, const uint8_t* block) {
  const __m128i codes = load_8_bytes(block), mask = _mm_set1_epi8(3);
  const __m128i pairs = _mm_unpacklo_epi16(codes, _mm_srli_epi16(codes, 2));
  return {_mm_and_si128(pairs, mask), _mm_and_si128(_mm_srli_epi16(pairs, 4), mask)};
}
inline CodeBytes code_bytes(std::integral_constant<int, 3>, const uint8_t* block) {
  const __m256i first = _mm256_srli_epi16(sixteen_codes<3, 0>(block), 13);
  const __m256i second = _mm256_srli_epi16(sixteen_codes<3, 1>(block), 13);
  const __m256i codes = _mm256_packus_epi16(first, second);
  return {_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1)};
}
inline CodeBytes code_bytes(std::integral_constant<int, 4>, const uint8_t* block) {
  const __m128i codes = load_16_bytes(block), mask = _mm_set1_epi8(15);
  return {_mm_and_si128(codes, mask), _mm_and_si128(_mm_srli_epi16(codes, 4), mask)};
}

// ---- Weights, looked up: a group's 16 rounded weights as tables of their lower and upper bytes.

template <class T>
struct ByteTables {
  __m128i lower, upper;
};
template <>
struct ByteTables<Bfloat16> {
  __m256i lower, upper;  // each twice
};

template <bool>
inline ByteTables<Float16> byte_tables(__m256 first, __m256 second, const Float16*) {
  const __m128i halves = _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
  constexpr int kRounding = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  const __m128i a = _mm_shuffle_epi8(_mm256_cvtps_ph(first, kRounding), halves);
  const __m128i b = _mm_shuffle_epi8(_mm256_cvtps_ph(second, kRounding), halves);
  return {_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b)};
}
template <bool kTame>
inline ByteTables<Bfloat16> byte_tables(__m256 first, __m256 second, const Bfloat16*) {
  const __m256i upper_bytes = _mm256_setr_epi8(2, 6, 10, 14, 3, 7, 11, 15, 2, 6, 10, 14, 3, 7, 11, 15,  //
                                               2, 6, 10, 14, 3, 7, 11, 15, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m256i a = _mm256_shuffle_epi8(bits_of(round<kTame, Bfloat16>(first)), upper_bytes);
  const __m256i b = _mm256_shuffle_epi8(bits_of(round<kTame, Bfloat16>(second)), upper_bytes);
  const __m128i eight = _mm_unpacklo_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  const __m128i others = _mm_unpacklo_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
  const __m128i lower = _mm_unpacklo_epi64(eight, others), upper = _mm_unpackhi_epi64(eight, others);
  return {_mm256_set_m128i(lower, lower), _mm256_set_m128i(upper, upper)};
}

inline void look_up_sixteen(const ByteTables<Float16>& tables, __m128i codes, __m256& first, __m256& second) {
  const __m128i lower = _mm_shuffle_epi8(tables.lower, codes), upper = _mm_shuffle_epi8(tables.upper, codes);
  first = _mm256_cvtph_ps(_mm_unpacklo_epi8(lower, upper));
  second = _mm256_cvtph_ps(_mm_unpackhi_epi8(lower, upper));
}
inline void look_up(const ByteTables<Float16>& tables, CodeBytes codes, __m256 (&to)[4]) {
  look_up_sixteen(tables, _mm_unpacklo_epi32(codes.low, codes.high), to[0], to[1]);
  look_up_sixteen(tables, _mm_unpackhi_epi32(codes.low, codes.high), to[2], to[3]);
}
inline void look_up(const ByteTables<Bfloat16>& tables, CodeBytes codes, __m256 (&to)[4]) {
  const __m256i indexes = _mm256_inserti128_si256(_mm256_castsi128_si256(codes.low), codes.high, 1);
  const __m256i lower = _mm256_shuffle_epi8(tables.lower, indexes), upper = _mm256_shuffle_epi8(tables.upper, indexes);
  const __m256i low = _mm256_unpacklo_epi8(lower, upper), high = _mm256_unpackhi_epi8(lower, upper);
  const __m256i zero = _mm256_setzero_si256();
  to[0] = floats_of(_mm256_unpacklo_epi16(zero, low));
  to[1] = floats_of(_mm256_unpackhi_epi16(zero, low));
  to[2] = floats_of(_mm256_unpacklo_epi16(zero, high));
  to[3] = floats_of(_mm256_unpackhi_epi16(zero, high));
}

template <class T, int kBits>
struct LookedUpWeights {
  using Group = ByteTables<T>;
  static constexpr float kLift = 1.0f, kBase = 0.0f;
  static constexpr bool kMayBeWild = !std::is_same_v<T, Float16>;  // whether kTame makes a difference
  static constexpr bool kTablesAhead = kBits != 3, kPermuted = kBits != 3;
  static __m256i order() {
    return kBits == 2 ? _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7) : _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
  }
  static __m256i order_back() {
    return kBits == 2 ? _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7) : _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  }

  template <bool kTame>
  static inline __attribute__((always_inline)) Group group(float scale, float bias) {
    const T* type = nullptr;
    const __m256 s = _mm256_set1_ps(scale), b = _mm256_set1_ps(bias);
    const __m256 first = _mm256_fmadd_ps(s, _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), b);
    const __m256 second = _mm256_fmadd_ps(s, _mm256_setr_ps(8, 9, 10, 11, 12, 13, 14, 15), b);
    return byte_tables<kTame>(first, kBits == 4 ? second : first, type);
  }
  template <bool>
  static inline __attribute__((always_inline)) void block(const Group& tables, const uint8_t* p, __m256 (&to)[4]) {
    look_up(tables, code_bytes(std::integral_constant<int, kBits>{}, p), to);
  }
};

// ---- Weights, computed one at a time.

// At the top of the lower 16 bits of a float, under the upper half of a power of two, a code is added to that power: a
// base, which scales * codes + biases of 16 bits take with them (expand_scales).
template <class T, int kBits>
struct ComputedWeights {
  struct Group {
    __m256 scale, bias;
  };
  static constexpr float kCodeBase = static_cast<float>(1 << (7 + kBits));
  static constexpr float kLift = kRoundingLift<T>, kBase = sizeof(T) == 2 ? kCodeBase : 0.0f;
  static constexpr bool kMayBeWild = sizeof(T) == 2, kTablesAhead = false, kPermuted = false;

  template <bool>
  static inline __attribute__((always_inline)) Group group(float scale, float bias) {
    return {_mm256_set1_ps(scale), _mm256_set1_ps(bias)};
  }
  template <bool kTame>
  static inline __attribute__((always_inline)) void block(const Group& group, const uint8_t* p, __m256 (&to)[4]) {
    const __m256i mask = _mm256_set1_epi16(static_cast<int16_t>(0xffff << (16 - kBits)));
    const __m256i first = _mm256_and_si256(sixteen_codes<kBits, 0>(p), mask);
    const __m256i second = _mm256_and_si256(sixteen_codes<kBits, 1>(p), mask);
    const __m256i above = _mm256_set1_epi16(static_cast<int16_t>((127 + 7 + kBits) << 7));
    const __m256i based[4] = {_mm256_unpacklo_epi16(first, above), _mm256_unpackhi_epi16(first, above),
                              _mm256_unpacklo_epi16(second, above), _mm256_unpackhi_epi16(second, above)};
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) {
      __m256 codes = floats_of(based[v]);
      if constexpr (!kTame || kBase == 0) codes = _mm256_sub_ps(codes, _mm256_set1_ps(kCodeBase));
      to[v] = round<kTame, T>(_mm256_fmadd_ps(group.scale, codes, group.bias));
    }
  }
};

template <class T, int kBits>
using WeightsOf =
    std::conditional_t<sizeof(T) == 2 && kBits <= 4, LookedUpWeights<T, kBits>, ComputedWeights<T, kBits>>;

// ---- Lanes of floats.

template <class T>
struct EightLanes {
  using Type = T;
  using Vector = __m256;
  using Sum = __m256;
  static constexpr int kBlock = 32, kVectors = 4, kParts = 2;
  // Register tiles: a part of 12 sums leaves room for a column of x and a weight.
  static constexpr int kTileM = 3, kTileN = 4;
  static constexpr int kRowsOfWForOne = 4, kRowsOfWForTwo = 2, kRowsOfWForFour = 1, kRowsOfWForEight = 1;
  static constexpr int kRowsOfXForPairs = 1;  // rows of x at which two rows of W are multiplied in turn

  static Sum zero() { return _mm256_setzero_ps(); }
  static Vector permute(Vector v, __m256i order) { return _mm256_permutevar8x32_ps(v, order); }
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
  struct Codes : WeightsOf<T, kBits> {
    using Kind = WeightsOf<T, kBits>;
    using Group = typename Kind::Group;

    template <bool kTame>
    static bool expand(const T* scales, const T* biases, int count, Scales& to) {
      constexpr float kBase = kTame ? Kind::kBase : 0.0f, kTop = static_cast<float>((1 << kBits) - 1);
      return expand_scales < kTame && Kind::kMayBeWild > (scales, biases, count, Kind::kLift, kBase, kTop, to);
    }
    template <bool kTame, bool>
    static inline __attribute__((always_inline)) Group group(const Scales& scales, int g) {
      return Kind::template group<kTame>(scales.scale[g], scales.bias[g]);
    }
    template <bool kTame, bool>
    static inline __attribute__((always_inline)) void block(const Group& group, const uint8_t* p,
                                                            Vector (&to)[kVectors]) {
      Kind::template block<kTame>(group, p, to);
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
