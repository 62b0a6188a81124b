// Products of bfloat16 by vdpbf16ps, which multiplies and adds 32 pairs in the time that a float FMA takes for 16.
// Weights of codes are rounded to bfloat16 in the group's table, and looked up 32 at a time. Other types go to
// product_avx512.cpp.
#include "core/cpu/product.h"
#include "core/cpu/product_driver.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX512BF16

#include "core/cpu/product_lanes_avx512_inl.h"
//
#include "core/cpu/product_engine_inl.h"
//
#include "core/cpu/product_coded_inl.h"

namespace hearth::cpu {
namespace {

// low, then high, rounded to bfloat16.
inline __m512i to_bfloat16(__m512 low, __m512 high) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }

// Which of 64 elements lies in 16-bit word w of vector v (product_lanes_avx512_inl.h states the order).
constexpr int element_at(int v, int w) {
  const int lane = w / 2;
  return 8 * (lane % 8) + 2 * v + lane / 8 + 4 * (w % 2);
}

// The same as indices of words; and for codes of kBits, the two bytes that hold the element's code and how far to shift
// them.
struct alignas(64) Order {
  uint16_t words[2][32] = {};
  constexpr Order() {
    for (int v = 0; v < 2; v++) {
      for (int w = 0; w < 32; w++) words[v][w] = static_cast<uint16_t>(element_at(v, w));
    }
  }
};
template <int kBits>
struct alignas(64) CodeOrder {
  uint8_t bytes[2][64] = {};
  uint16_t shifts[2][32] = {};
  constexpr CodeOrder() {
    for (int v = 0; v < 2; v++) {
      for (int w = 0; w < 32; w++) {
        const int bit = element_at(v, w) * kBits;
        bytes[v][2 * w] = static_cast<uint8_t>(bit / 8);
        bytes[v][2 * w + 1] = static_cast<uint8_t>(bit / 8 + 1);
        shifts[v][w] = static_cast<uint16_t>(bit % 8);
      }
    }
  }
};
constexpr Order kOrder;
template <int kBits>
constexpr CodeOrder<kBits> kCodeOrder;

// Pairs of bfloat16.
struct Bfloat16Pairs {
  using Type = Bfloat16;
  using Vector = __m512i;
  using Sum = __m512;
  static constexpr int kBlock = 64, kVectors = 2, kParts = 1;
  static constexpr int kTileM = 4, kTileN = 6;
  static constexpr int kRowsOfWForOne = 4, kRowsOfWForTwo = 4, kRowsOfWForFour = 4, kRowsOfWForEight = 2;
  static constexpr int kRowsOfXForPairs = 8;  // rows of x at which two rows of W are multiplied in turn

  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum madd(Sum sum, Vector x, Vector w) { return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)w); }

  // Elements 0..31 and 32..63 in the order of the lanes.
  static void in_order(__m512i low, __m512i high, Vector (&to)[kVectors]) {
    to[0] = _mm512_permutex2var_epi16(low, load_vector(kOrder.words[0]), high);
    to[1] = _mm512_permutex2var_epi16(low, load_vector(kOrder.words[1]), high);
  }
  static void load_block(const Bfloat16* p, Vector (&to)[kVectors]) {
    in_order(load_vector(p), load_vector(p + 32), to);
  }
  static void load_first(const Bfloat16* p, int count, Vector (&to)[kVectors]) {
    const uint64_t mask = (1ull << count) - 1;  // count < 64
    in_order(_mm512_maskz_loadu_epi16(static_cast<__mmask32>(mask), p),
             _mm512_maskz_loadu_epi16(static_cast<__mmask32>(mask >> 32), p + 32), to);
  }

  // Weights of kBits: to 5 bits by a table of the group's rounded weights, else converted. Groups of 32 come in pairs.
  template <int kBits>
  struct Codes {
    static constexpr bool kMayBeWild = false;  // whether kTame makes a difference
    static constexpr bool kTable = kBits <= 5, kTablesAhead = kTable, kPermuted = false;

    struct Group {
      __m512i table, second_table;  // 5 bits in pairs: one each; otherwise all in the first
      __m512 scale[2], bias[2];
    };

    template <bool>
    static bool expand(const Bfloat16* scales, const Bfloat16* biases, int count, Scales& to) {
      return expand_scales(scales, biases, count, 1.0f, static_cast<float>((1 << kBits) - 1), to);
    }

    template <bool, bool kPair>
    static Group group(const Scales& scales, int g) {
      Group group;
      if constexpr (!kTable) {
        for (int i = 0; i < (kPair ? 2 : 1); i++) {
          group.scale[i] = broadcast(scales.scale[g + i]);
          group.bias[i] = broadcast(scales.bias[g + i]);
        }
        if constexpr (!kPair) group.scale[1] = group.scale[0], group.bias[1] = group.bias[0];
      } else if constexpr (kBits == 5) {
        group.table = table_of_32(scales, g);
        if constexpr (kPair) group.second_table = table_of_32(scales, g + 1);
      } else {  // 16 words; twice, or of both groups
        const __m512 first = affine(scales, g, table_codes<kBits>());
        group.table = to_bfloat16(first, kPair ? affine(scales, g + 1, table_codes<kBits>()) : first);
      }
      return group;
    }
    static __m512i table_of_32(const Scales& scales, int g) {
      const __m512 upper = _mm512_add_ps(table_codes<4>(), _mm512_set1_ps(16));
      return to_bfloat16(affine(scales, g, table_codes<4>()), affine(scales, g, upper));
    }

    // Codes of vector v in 16-bit lanes; higher bits hold other codes. source: for 4 bits the block's 32 bytes twice.
    static __m512i codes(__m512i source, int v) {
      if constexpr (kBits == 4) {
        const __m512i shift = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4);
        return _mm512_srlv_epi32(source, v == 0 ? shift : _mm512_add_epi32(shift, _mm512_set1_epi32(8)));
      }
      const auto& order = kCodeOrder<kBits>;
      return _mm512_srlv_epi16(_mm512_permutexvar_epi8(load_vector(order.bytes[v]), source),
                               load_vector(order.shifts[v]));
    }
    // Look-ups in a table that repeats itself ignore an index's higher bits; in pairs, one of them says which group.
    template <bool kPair>
    static __m512i look_up(const Group& group, __m512i codes) {
      if constexpr (!kPair) return _mm512_permutexvar_epi16(codes, group.table);
      constexpr int kCodes = kBits == 5 ? 32 : 16;
      const __m512i second = _mm512_setr_epi32(0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1);
      const __m512i which = _mm512_and_si512(second, _mm512_set1_epi16(kCodes));
      const __m512i index = _mm512_ternarylogic_epi32(codes, _mm512_set1_epi16(kCodes - 1), which, 0xea);
      if constexpr (kBits == 5) return _mm512_permutex2var_epi16(group.table, index, group.second_table);
      return _mm512_permutexvar_epi16(index, group.table);
    }

    template <bool kPair>
    static void block_of(const Group& group, __m512i source, Vector (&to)[kVectors]) {
      to[0] = look_up<kPair>(group, codes(source, 0));
      to[1] = look_up<kPair>(group, codes(source, 1));
    }
    static __m512i convert(const Group& group, int i, const uint8_t* p) {
      const __m512 low = _mm512_cvtepi32_ps(sixteen_codes<kBits>(p));
      const __m512 high = _mm512_cvtepi32_ps(sixteen_codes<kBits>(p + 2 * kBits));
      return to_bfloat16(_mm512_fmadd_ps(group.scale[i], low, group.bias[i]),
                         _mm512_fmadd_ps(group.scale[i], high, group.bias[i]));
    }

    template <bool, bool kPair>
    static void block(const Group& group, const uint8_t* p, Vector (&to)[kVectors]) {
      if constexpr (!kTable) {
        in_order(convert(group, 0, p), convert(group, 1, p + 4 * kBits), to);
      } else if constexpr (kBits == 4) {
        // The 32 bytes twice, by loads alone: broadcasting them would keep the pipes of the look-ups busy.
        const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        block_of<kPair>(group, _mm512_mask_loadu_epi64(_mm512_zextsi256_si512(low), 0xf0, p - 32), to);
      } else {
        block_of<kPair>(group, _mm512_maskz_loadu_epi8((1ull << (8 * kBits)) - 1, p), to);
      }
    }

    // 32 elements at a row's end, followed by zeros.
    static void half_block(const Scales& scales, int g, const uint8_t* p, Vector (&to)[kVectors]) {
      const Group group = Codes::template group<true, false>(scales, g);
      if constexpr (!kTable) {
        in_order(convert(group, 0, p), _mm512_setzero_si512(), to);
        return;
      }
      __m512i source = _mm512_maskz_loadu_epi8((1ull << (4 * kBits)) - 1, p);
      if constexpr (kBits == 4) source = _mm512_broadcast_i64x4(_mm512_castsi512_si256(source));
      block_of<false>(group, source, to);
      for (auto& v : to) v = _mm512_maskz_mov_epi32(0x0f0f, v);
    }
  };
};

}  // namespace

void matmul_avx512bf16(const MatmulArgs& args) {
  if (args.type != Dtype::kBfloat16) return matmul_avx512(args);
  run_dense<Bfloat16Pairs>(product_call(args));
}

void quantized_matmul_avx512bf16(const QuantizedMatmulArgs& args) {
  if (args.scale_type != args.x_type || args.y_type != args.x_type) return quantized_matmul_avx512(args);
  for (const QuantizedProduct& product : args.products) {
    const ProductCall call = product_call(args, product);
    if (args.x_type == Dtype::kBfloat16) {
      run_coded<Bfloat16Pairs>(call);
    } else {
      expanded_matmul_avx512(args.x_type, call);
    }
  }
}

}  // namespace hearth::cpu

HEARTH_TARGET_END
