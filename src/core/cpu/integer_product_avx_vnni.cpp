// Quantized products in integers with AVX2 and AVX-VNNI, whose dot products add to a sum.
#include "core/cpu/dequantize.h"
#include "core/cpu/integer_product.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX_VNNI

#include "core/cpu/integer_lanes_avx2_inl.h"
//
#include "core/cpu/integer_product_inl.h"

namespace hearth::cpu {
namespace {

struct Lanes : OneRow {
  static Words first_dot(Words codes, Words x) { return _mm256_dpwssd_avx_epi32(_mm256_setzero_si256(), codes, x); }
  static Words dot(Words sum, Words codes, Words x) { return _mm256_dpwssd_avx_epi32(sum, codes, x); }
};

}  // namespace

IntegerKernels integer_kernels_avx_vnni() { return integer_kernels<Lanes>(); }

}  // namespace hearth::cpu

HEARTH_TARGET_END
