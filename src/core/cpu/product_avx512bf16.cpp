// Products of bfloat16 by vdpbf16ps, which multiplies and adds 32 pairs in the time that a float FMA takes for 16. Weights
// of codes are rounded to bfloat16 in the group's table, and looked up 32 at a time. Other types go to product_avx512.cpp.
#include "core/cpu/product.h"
#include "core/cpu/product_driver.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX512BF16

#include "core/cpu/product_lanes_avx512_inl.h"
//
#include "core/cpu/product_engine_inl.h"

namespace hearth::cpu {
namespace {

// b, then a, rounded to bfloat16.
inline __m512i to_bfloat16(__m512 b, __m512 a) { return (__m512i)_mm512_cvtne2ps_pbh(a, b); }

// Thirty-two codes as 16-bit lanes, from 4 * kBits bytes. The lanes' higher bits hold other codes: look-ups in a table
// that repeats itself ignore them. 4 bits come in the order of Codes::order(), others in order.
template <int kBits>
inline __m512i thirty_two_codes(const uint8_t* p) {
  const __m512i quad = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);  // constants are folded by the compiler
  // Byte 2j of a quad-word of `from`: the bit of the source at which the quad-word's code j starts.
  const __m512i first = _mm512_set1_epi64(kBits * 0x0003000200010000);
  const __m512i every = _mm512_set1_epi64(4 * kBits * 0x0001000100010001);
  if constexpr (kBits == 2) {
    const __m512i from = _mm512_add_epi64(first, _mm512_mullox_epi64(every, quad));
    return _mm512_multishift_epi64_epi8(from, _mm512_set1_epi64(load_as<long long>(p)));
  } else if constexpr (kBits == 4) {
    const __m512i from = _mm512_add_epi64(first, _mm512_mullox_epi64(every, _mm512_srli_epi64(quad, 1)));
    // Broadcasts of 8 bytes are loads alone; a broadcast of 16 would keep the permutation pipe busy for a cycle.
    const __m512i even = _mm512_set1_epi64(load_as<long long>(p)), odd = _mm512_set1_epi64(load_as<long long>(p + 8));
    return _mm512_multishift_epi64_epi8(from, _mm512_mask_blend_epi64(0xaa, even, odd));
  } else {
    static_assert(kBits == 3 || kBits == 5);
    const __m512i lane = _mm512_add_epi16(_mm512_mullox_epi64(quad, _mm512_set1_epi64(0x0004000400040004)),
                                          _mm512_set1_epi64(0x0003000200010000));
    const __m512i bit = _mm512_mullo_epi16(lane, _mm512_set1_epi16(kBits));
    const __m512i byte = _mm512_srli_epi16(bit, 3);
    const __m512i bytes = _mm512_add_epi16(_mm512_add_epi16(byte, _mm512_slli_epi16(byte, 8)), _mm512_set1_epi16(0x100));
    const __m256i source = _mm256_maskz_loadu_epi8(static_cast<__mmask32>((1u << (4 * kBits)) - 1), p);
    const __m512i window = _mm512_permutexvar_epi8(bytes, _mm512_castsi256_si512(source));
    return _mm512_srlv_epi16(window, _mm512_and_si512(bit, _mm512_set1_epi16(7)));
  }
}

// Pairs of bfloat16.
struct Bfloat16Pairs {
  using Type = Bfloat16;
  using Vector = __m512i;
  using Sum = __m512;
  static constexpr int kVectors = 1;
  static constexpr int kTileM = 4, kTileN = 6;
  static constexpr int kFewRowsOfW = 4, kRowsOfWForFour = 4, kRowsOfWForEight = 2;

  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum permute(Sum v, __m512i order) { return _mm512_permutexvar_ps(order, v); }
  static Vector permute(Vector v, __m512i order) { return _mm512_permutexvar_epi32(order, v); }
  static Sum madd(Sum sum, Vector x, Vector w) { return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)w); }

  static void load_block(const Bfloat16* p, Vector (&to)[kVectors]) { to[0] = load_vector(p); }
  static void load_first(const Bfloat16* p, int count, Vector (&to)[kVectors]) {
    to[0] = _mm512_maskz_loadu_epi16(static_cast<__mmask32>((1ull << count) - 1), p);
  }

  // To 5 bits by a table of the group's 32 rounded weights (fewer: repeated), else 16 and 16 converted.
  template <int kBits>
  struct Codes {
    static constexpr bool kPermuted = kBits == 4;
    // Quad-words 0, 2, 4, 6 hold elements 0..15, and 1, 3, 5, 7 elements 16..31, because two broadcasts are blended.
    static Vector order() { return _mm512_setr_epi32(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15); }
    static Vector order_back() { return _mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15); }

    struct Group {
      __m512i table;
      __m512 scale, bias;
    };
    template <bool>
    static Group group(const Scales& scales, int g) {
      Group group;
      if constexpr (kBits < 5) {
        const __m512 weights = affine(scales, g, table_codes<kBits>());
        group.table = to_bfloat16(weights, weights);
      } else if constexpr (kBits == 5) {
        const __m512 upper = affine(scales, g, _mm512_add_ps(table_codes<4>(), _mm512_set1_ps(16)));
        group.table = to_bfloat16(affine(scales, g, table_codes<4>()), upper);
      } else {
        group.scale = _mm512_set1_ps(scales.scale[g]);
        group.bias = _mm512_set1_ps(scales.bias[g]);
      }
      return group;
    }
    static __m512 weights(const Group& group, const uint8_t* p) {
      return _mm512_fmadd_ps(group.scale, _mm512_cvtepi32_ps(sixteen_codes<kBits>(p)), group.bias);
    }
    template <bool>
    static void block(const Group& group, const uint8_t* p, Vector (&to)[kVectors]) {
      if constexpr (kBits <= 5) {
        to[0] = _mm512_permutexvar_epi16(thirty_two_codes<kBits>(p), group.table);
      } else {
        to[0] = to_bfloat16(weights(group, p), weights(group, p + 2 * kBits));
      }
    }
  };
};

}  // namespace

void matmul_avx512bf16(const MatmulArgs& args) {
  if (args.type != Dtype::kBfloat16) return matmul_avx512(args);
  run_dense<Bfloat16Pairs>(product_call(args));
}

void quantized_matmul_avx512bf16(const QuantizedMatmulArgs& args) {
  if (args.type != Dtype::kBfloat16) return quantized_matmul_avx512(args);
  run_coded<Bfloat16Pairs>(product_call(args));
}

}  // namespace hearth::cpu

HEARTH_TARGET_END
