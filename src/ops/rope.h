// Rotary position embedding for tokens that stand at any positions.
//
// Shapes:  T tokens, H heads, D head size, R <= D rotated part of a head (even).
// Source:  Su et al. 2021, "RoFormer"; `freqs` and `traditional` as in mx::fast::rope.
#pragma once

#include "core/mx.h"

namespace hearth::ops {

// x [T, H, D] with the first R numbers of each head rotated: pair i by the angle position * (1 / freqs[i]), then times
// mscale; numbers from R on pass through. Pairs are (i, i + R/2), or (2i, 2i + 1) if `traditional`.
// positions int32 [T]; freqs float32 [R/2], or [T, R/2] where they depend on the position (dynamic NTK scaling).
// Computed in float32 and rounded once. Throws std::invalid_argument on other shapes or dtypes.
mx::array rope(const mx::array& x, const mx::array& positions, const mx::array& freqs, bool traditional,
               float mscale = 1.0f);

namespace plain {
// The same numbers from mx:: operations.
mx::array rope(const mx::array& x, const mx::array& positions, const mx::array& freqs, bool traditional,
               float mscale = 1.0f);
}  // namespace plain

}  // namespace hearth::ops
