// The float reductions of the scalar table: reduce_inl.h with one lane at a time.
#include <cmath>
#include <type_traits>

#include "core/cpu/folds.h"
#include "core/cpu/vector_scalar.h"

#include "core/cpu/vector_lanes_inl.h"
#include "core/cpu/vector_math_inl.h"

#include "core/cpu/reduce_inl.h"

namespace hearth::cpu {
namespace {
FloatFolds folds() { return float_folds<F32x1>(&float_tiles_scalar()); }
}  // namespace

void reduce_scalar(const ReduceArgs& args) { reduce_on(folds(), args); }
void arg_reduce_scalar(const ArgReduceArgs& args) { arg_reduce_on(folds(), args); }
void softmax_scalar(const SoftmaxArgs& args) { softmax_on(folds(), args); }
void log_sum_exp_scalar(const LogSumExpArgs& args) { log_sum_exp_on(folds(), args); }

}  // namespace hearth::cpu
