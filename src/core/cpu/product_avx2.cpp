// Dense products in eight float lanes, for all three types: 16-bit values are widened as they are loaded.
#include "core/cpu/product.h"
#include "core/cpu/product_driver.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX2

#include "core/cpu/product_lanes_avx2_inl.h"
//
#include "core/cpu/product_engine_inl.h"

namespace hearth::cpu {

void matmul_avx2(const MatmulArgs& args) {
  const ProductCall call = product_call(args);
  if (args.type == Dtype::kFloat32) return run_dense<EightLanes<float>>(call);
  if (args.type == Dtype::kFloat16) return run_dense<EightLanes<Float16>>(call);
  run_dense<EightLanes<Bfloat16>>(call);
}

}  // namespace hearth::cpu

HEARTH_TARGET_END
