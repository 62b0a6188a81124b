// Products in sixteen float lanes, for all three types. 16-bit values are widened as they are loaded; for the table
// with BF16 codes are expanded, and weights rounded to the type of their scales first, so that they equal dequantized
// ones.
#include "core/cpu/product.h"
#include "core/cpu/product_driver.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX512

#include "core/cpu/product_lanes_avx512_inl.h"
//
#include "core/cpu/product_engine_inl.h"
//
#include "core/cpu/product_coded_inl.h"

namespace hearth::cpu {

void matmul_avx512(const MatmulArgs& args) {
  const ProductCall call = product_call(args);
  if (args.type == Dtype::kFloat32) return run_dense<FloatLanes<float>>(call);
  if (args.type == Dtype::kFloat16) return run_dense<FloatLanes<Float16>>(call);
  run_dense<FloatLanes<Bfloat16>>(call);
}

void expanded_matmul_avx512(Dtype type, const ProductCall& call) {
  if (type == Dtype::kFloat32) return run_coded<FloatLanes<float>>(call);
  run_coded<FloatLanes<Float16>>(call);
}

}  // namespace hearth::cpu

HEARTH_TARGET_END
