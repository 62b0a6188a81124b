#include <cmath>
#include <type_traits>

#include "core/cpu/folds.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX512
#include "core/cpu/vector_avx512_inl.h"

#include "core/cpu/vector_lanes_inl.h"
#include "core/cpu/vector_math_inl.h"

#include "core/cpu/reduce_inl.h"

namespace hearth::cpu {
namespace {
FloatFolds folds() { return float_folds<F32x16>(&float_tiles_avx512()); }
}  // namespace

void reduce_avx512(const ReduceArgs& args) { reduce_on(folds(), args); }
void arg_reduce_avx512(const ArgReduceArgs& args) { arg_reduce_on(folds(), args); }
void softmax_avx512(const SoftmaxArgs& args) { softmax_on(folds(), args); }
void log_sum_exp_avx512(const LogSumExpArgs& args) { log_sum_exp_on(folds(), args); }

}  // namespace hearth::cpu
HEARTH_TARGET_END
