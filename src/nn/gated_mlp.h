// The gated feed-forward block: down(activation(gate(x)) * up(x)).
//
// Source: Shazeer 2020, "GLU variants improve Transformer".
#pragma once

#include "nn/activation.h"
#include "nn/linear.h"

namespace hearth::nn {

struct GatedMLP {
  Linear gate_proj, up_proj, down_proj;
  Activation activation = {};

  // x [T, E] -> [T, E].
  mx::array operator()(const mx::array& x) const {
    const std::vector<mx::array> gate_up = Linear::apply_all({&gate_proj, &up_proj}, x);
    const mx::array &gate = gate_up[0], &up = gate_up[1];
    const mx::Dtype type = mx::result_type(gate, up);  // files may mix float types
    return down_proj(activation.gated(mx::astype(gate, type), mx::astype(up, type)));
  }
};

}  // namespace hearth::nn
