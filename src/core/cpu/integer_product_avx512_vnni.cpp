// Quantized products in integers with AVX-512 and VNNI, whose dot products add to a sum.
#include "core/cpu/dequantize.h"
#include "core/cpu/integer_product.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX512_VNNI

#include "core/cpu/integer_lanes_avx512_inl.h"
//
#include "core/cpu/integer_product_inl.h"

namespace hearth::cpu {
namespace {

struct Lanes : TwoRows {
  static Words first_dot(Words codes, Words x) { return _mm512_dpwssd_epi32(_mm512_setzero_si512(), codes, x); }
  static Words dot(Words sum, Words codes, Words x) { return _mm512_dpwssd_epi32(sum, codes, x); }
};

}  // namespace

IntegerKernels integer_kernels_avx512_vnni() { return integer_kernels<Lanes>(); }

}  // namespace hearth::cpu

HEARTH_TARGET_END
