// Rotary position embedding for tokens that stand at any positions, in two steps: the angles of a step's tokens, once;
// then the rotation, for each layer's queries and keys.
//
// Shapes:  T tokens, H heads, D head size, R <= D rotated part of a head (even).
// Source:  Su et al. 2021, "RoFormer"; `freqs` and `traditional` as in mx::fast::rope.
#pragma once

#include "core/mx.h"

namespace hearth::ops {

// cos and sin of position / freqs, times mscale: float32 [T, R], the R/2 cosines first.
// positions int32 [T]; freqs float32 [R/2], or [T, R/2] where they depend on the position (dynamic NTK scaling).
mx::array rope_angles(const mx::array& positions, const mx::array& freqs, float mscale = 1.0f);

// Rotates the first R numbers of each head of x [T, H, D] by angles [T, R] from rope_angles, in float32, rounded once.
// The pairs are (i, i + R/2), or (2i, 2i + 1) if `traditional`. Numbers from R on pass through.
mx::array apply_rope(const mx::array& x, const mx::array& angles, bool traditional = false);

// Both steps in one call.
mx::array rope(const mx::array& x, const mx::array& positions, const mx::array& freqs, bool traditional,
               float mscale = 1.0f);

namespace plain {
// The same numbers from mx:: operations.
mx::array rope_angles(const mx::array& positions, const mx::array& freqs, float mscale = 1.0f);
mx::array apply_rope(const mx::array& x, const mx::array& angles, bool traditional = false);
}  // namespace plain

}  // namespace hearth::ops
