// Quantized products in integers with AVX2.
#include "core/cpu/dequantize.h"
#include "core/cpu/integer_product.h"
#include "core/cpu/isa.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX2

#include "core/cpu/integer_lanes_avx2_inl.h"
//
#include "core/cpu/integer_product_inl.h"

namespace hearth::cpu {
namespace {

struct Lanes : OneRow {
  static Words first_dot(Words codes, Words x) { return _mm256_madd_epi16(codes, x); }
  static Words dot(Words sum, Words codes, Words x) { return _mm256_add_epi32(sum, _mm256_madd_epi16(codes, x)); }
};

}  // namespace

IntegerKernels integer_kernels_avx2() { return integer_kernels<Lanes>(); }

void quantized_matmul_avx2(const QuantizedMatmulArgs& args) {
  run_integer_product(args, has_vnni(Isa::kAvx2) ? integer_kernels_avx_vnni() : integer_kernels_avx2());
}

}  // namespace hearth::cpu

HEARTH_TARGET_END
