#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "core/cpu/attention_inl.h"
#include "core/cpu/scratch.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX2
#include "core/cpu/vector_avx2_pair_inl.h"

#include "core/cpu/vector_math_inl.h"

#include "core/cpu/attention_product_inl.h"
#include "core/cpu/attention_tile_inl.h"

namespace hearth::cpu {

void attention_avx2(const AttentionArgs& args) { attention<F32x8x2>(args); }

}  // namespace hearth::cpu
HEARTH_TARGET_END
