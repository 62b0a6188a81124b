#include <cmath>

#include "base/thread_pool.h"
#include "core/cpu/rope.h"
#include "core/cpu/scalar_types.h"
#include "core/cpu/scratch.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX512
#include "core/cpu/vector_avx512_inl.h"

#include "core/cpu/vector_lanes_inl.h"
#include "core/cpu/vector_math_inl.h"

#include "core/cpu/rope_inl.h"

namespace hearth::cpu {

void rope_avx512(const RopeArgs& args) { rope<F32x16>(args); }

}  // namespace hearth::cpu
HEARTH_TARGET_END
