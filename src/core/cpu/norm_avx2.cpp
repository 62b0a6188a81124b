#include "base/thread_pool.h"
#include "core/cpu/norm.h"
#include "core/cpu/scalar_types.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX2
#include "core/cpu/vector_avx2_pair_inl.h"

#include "core/cpu/vector_lanes_inl.h"

#include "core/cpu/norm_inl.h"

namespace hearth::cpu {

void rms_norm_avx2(const RmsNormArgs& args) { rms_norm<F32x8x2>(args); }
void layer_norm_avx2(const LayerNormArgs& args) { layer_norm<F32x8x2>(args); }

}  // namespace hearth::cpu
HEARTH_TARGET_END
