// The ends of a quantized product in integers, eight floats at a time: rounding rows of x, and adding up lanes. The
// tables beyond AVX2 use them too: a row is rounded once and then met by all of W.
#include "core/cpu/extrema.h"
#include "core/cpu/integer_product.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX2

#include "core/cpu/vector_avx2_inl.h"

namespace hearth::cpu {
namespace {

// ---- Rounding x: eight floats at a time on every instruction set.

inline __m256i load_words(const int16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline void store_four(__m128i v, int16_t* p) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }

inline uint32_t largest_lane(__m256i v) {
  __m128i m = _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0x4e));
  m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0xb1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(m));
}
inline int sum_of_lanes(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

// The bits of the largest size of `count` values, a multiple of eight. Sizes of NaN are larger than all others.
template <class T>
inline uint32_t largest_size(const T* x, int64_t count) {
  const __m256i size = _mm256_set1_epi32(0x7fffffff);
  __m256i most = _mm256_setzero_si256();
  for (int64_t i = 0; i < count; i += 8) {
    most = _mm256_max_epu32(most, _mm256_and_si256(size, _mm256_castps_si256(F32x8::load(x + i).v)));
  }
  return largest_lane(most);
}

inline float float_of(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

// 16 * kPlanes words to kPlanes vectors of 16: word i of vector j is word kPlanes * i + j.
template <int kPlanes>
inline void split_planes(const int16_t* from, int16_t* to) {
  if constexpr (kPlanes == 2) {
    const __m256i pairs = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15,  //
                                           0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    const __m256i a = _mm256_shuffle_epi8(load_words(from), pairs);
    const __m256i b = _mm256_shuffle_epi8(load_words(from + 16), pairs);
    const __m256i even = _mm256_permute4x64_epi64(_mm256_unpacklo_epi64(a, b), 0xd8);
    const __m256i odd = _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(a, b), 0xd8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), even);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 16), odd);
  } else if constexpr (kPlanes == 4) {
    const __m128i fours = _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
    for (int half = 0; half < 2; half++) {  // words 2i and 2i + 1 of each vector come from eight words
      __m128i b[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        b[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 32 * half + 8 * i)), fours);
      }
      const __m128i low = _mm_unpacklo_epi32(b[0], b[1]), high = _mm_unpackhi_epi32(b[0], b[1]);
      const __m128i low2 = _mm_unpacklo_epi32(b[2], b[3]), high2 = _mm_unpackhi_epi32(b[2], b[3]);
      store_four(_mm_unpacklo_epi64(low, low2), to + 8 * half);
      store_four(_mm_unpackhi_epi64(low, low2), to + 16 + 8 * half);
      store_four(_mm_unpacklo_epi64(high, high2), to + 32 + 8 * half);
      store_four(_mm_unpackhi_epi64(high, high2), to + 48 + 8 * half);
    }
  } else {
    for (int i = 0; i < 16; i++) {
      for (int j = 0; j < kPlanes; j++) to[16 * j + i] = from[kPlanes * i + j];
    }
  }
}

// The words of a unit, in order of K, to where the tile has the unit of a row.
inline void place_unit(const UnitFormat& format, const int16_t* from, int16_t* to) {
  for (int r = 0; r < format.registers(); r++) {
    if (format.planes() == 2) split_planes<2>(from + 32 * r, to + 32 * r);
    if (format.planes() == 4) split_planes<4>(from, to);
    if (format.planes() == 8) split_planes<8>(from, to);
  }
}

// A group of values times `lift` as integers; the float is their sum.
template <class T>
inline float round_group(const T* x, int count, float lift, float& scale, int16_t* to) {
  const float largest = max_of(float_of(largest_size(x, count)) * lift, kLeastLargest);
  scale = largest / kLargestInteger;
  const __m256 up = _mm256_set1_ps(lift), inverse = _mm256_set1_ps(kLargestInteger / largest);
  __m256i sum = _mm256_setzero_si256();
  for (int i = 0; i < count; i += 16) {
    const __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_mul_ps(F32x8::load(x + i).v, up), inverse));
    const __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_mul_ps(F32x8::load(x + i + 8).v, up), inverse));
    sum = _mm256_add_epi32(sum, _mm256_add_epi32(a, b));
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), words);
  }
  return static_cast<float>(sum_of_lanes(sum));
}

template <class T>
void round_row_of(const UnitFormat& format, const T* x, int64_t k, int row, const RoundedTile& tile) {
  constexpr uint32_t kInfinity = 0x7f800000;
  const uint32_t bits = largest_size(x, k);
  const float most = float_of(bits);
  const bool finite = bits < kInfinity;
  const float lift = lift_for(most);
  tile.factors[row] = finite ? 1.0f / lift : __builtin_nanf("");
  float *scales = tile.scales + row * tile.groups, *sums = tile.sums + row * tile.groups;
  const int unit = format.codes(), size = format.group_size, span = max_of(unit, size);  // whole groups and units
  int16_t* to = tile.words + row * format.vectors() * 16;
  int64_t g = 0;
  for (int64_t begin = 0; begin < k; begin += span) {
    alignas(32) int16_t words[128] = {};
    const int count = static_cast<int>(min_of<int64_t>(span, k - begin));
    for (int i = 0; finite && i < count; i += size, g++)
      sums[g] = round_group(x + begin + i, size, lift, scales[g], words + i);
    for (int i = 0; i < count; i += unit, to += tile.rows * format.vectors() * 16) place_unit(format, words + i, to);
  }
  for (; g < tile.groups; g++) scales[g] = sums[g] = 0.0f;
}

}  // namespace

void round_row_avx2(const UnitFormat& format, Dtype type, const void* x, int64_t k, int row, const RoundedTile& tile) {
  if (type == Dtype::kFloat32) return round_row_of(format, static_cast<const float*>(x), k, row, tile);
  if (type == Dtype::kFloat16) return round_row_of(format, static_cast<const Float16*>(x), k, row, tile);
  round_row_of(format, static_cast<const Bfloat16*>(x), k, row, tile);
}

namespace {

template <class T>
inline void store_totals(F32x8 totals, int count, T* y) {
  count == 8 ? totals.store(y) : totals.store_first(y, count);
}

// y[row, begin..end) from lanes [8][rows][8].
void store_row(const IntegerCall& c, const RoundedTile& tile, int row, int64_t begin, int64_t end, const float* lanes) {
  F32x8 parts[kRowsAtOnce];
  for (int n = 0; n < kRowsAtOnce; n++) parts[n] = F32x8::load(lanes + (n * tile.rows + row) * kProductLanes);
  const F32x8 totals = sums_of(parts) * F32x8::all(tile.factors[row]);
  const int64_t at = row * c.y_stride + begin;
  const int count = static_cast<int>(end - begin);
  if (c.y_type == Dtype::kFloat32) return store_totals(totals, count, static_cast<float*>(c.y) + at);
  if (c.y_type == Dtype::kFloat16) return store_totals(totals, count, static_cast<Float16*>(c.y) + at);
  store_totals(totals, count, static_cast<Bfloat16*>(c.y) + at);
}

}  // namespace

void add_lanes_avx2(const IntegerCall& c, const RoundedTile& tile, int count, int64_t begin, int64_t end,
                    const float* lanes) {
  for (int row = 0; row < count; row++) store_row(c, tile, row, begin, end, lanes);
}

}  // namespace hearth::cpu

HEARTH_TARGET_END
