// Products of dense matrices.
//
// matmul(x, swapaxes(w, -1, -2)) with row-major w [N, K] reads w where it lies: this is the fast case, x·Wᵀ.
// Source: mlx/ops.h.
#pragma once

#include <vector>

#include "core/array.h"
#include "core/stream.h"

namespace hearth::core {

// a [..., M, K] by b [..., K, N] -> [..., M, N]; leading axes broadcast; a vector acts as one row (a) or column (b).
// Float types only; accumulates in float32. Throws std::invalid_argument when the inner dimensions differ.
array matmul(const array& a, const array& b, StreamOrDevice s = {});

// beta * c + alpha * (a @ b).
array addmm(array c, array a, array b, const float& alpha = 1.f, const float& beta = 1.f, StreamOrDevice s = {});

array outer(const array& a, const array& b, StreamOrDevice s = {});
// Sums over the last axis of both.
array inner(const array& a, const array& b, StreamOrDevice s = {});
array tensordot(const array& a, const array& b, const int axis = 2, StreamOrDevice s = {});
array tensordot(const array& a, const array& b, const std::vector<int>& axes_a, const std::vector<int>& axes_b,
                StreamOrDevice s = {});

}  // namespace hearth::core
