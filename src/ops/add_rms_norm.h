// The residual addition and the norm that follows it, in one pass over the row.
#pragma once

#include <utility>

#include "core/mx.h"

namespace hearth::ops {

// {sum, norm}: sum = x + residual, norm = rms_norm(sum, weight, eps), normalised over the last axis in float32.
// x and residual have one shape and floating dtype, which both results have; weight [E]. The sum is rounded to that
// dtype before it is normed, so the results are those of the two separate operations.
std::pair<mx::array, mx::array> add_rms_norm(const mx::array& x, const mx::array& residual, const mx::array& weight,
                                             float eps);

namespace plain {
// The same numbers from mx:: operations.
std::pair<mx::array, mx::array> add_rms_norm(const mx::array& x, const mx::array& residual, const mx::array& weight,
                                             float eps);
}  // namespace plain

}  // namespace hearth::ops
