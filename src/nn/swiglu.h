// The gated feed-forward block: down(silu(gate(x)) * up(x)).
//
// Source: Shazeer 2020, "GLU variants improve Transformer".
#pragma once

#include "nn/linear.h"
#include "ops/swiglu.h"

namespace hearth::nn {

struct SwiGLU {
  Linear gate_proj, up_proj, down_proj;

  // x [T, E] -> [T, E].
  mx::array operator()(const mx::array& x) const { return down_proj(ops::swiglu(gate_proj(x), up_proj(x))); }
};

}  // namespace hearth::nn
