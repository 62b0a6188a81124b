// The gated activation of most feed-forward blocks.
//
// Source: Shazeer 2020, "GLU variants improve Transformer".
#pragma once

#include "core/mx.h"

namespace hearth::ops {

// silu(gate) * up, computed in float32 and rounded once. gate and up have one shape and one floating dtype, which the
// result has too. Throws std::invalid_argument otherwise.
mx::array swiglu(const mx::array& gate, const mx::array& up);

namespace plain {
// The same numbers from mx:: operations.
mx::array swiglu(const mx::array& gate, const mx::array& up);
}  // namespace plain

}  // namespace hearth::ops
