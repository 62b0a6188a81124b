// The function inside a gated feed-forward block, as config.json's hidden_act names it.
//
// Threads: const once made. Source: transformers' activations.py, ACT2FN; Shazeer 2020, "GLU variants improve
//          Transformer".
#pragma once

#include <optional>
#include <string_view>

#include "core/mx.h"

namespace hearth::nn {

class Activation {
 public:
  // SiLU, which nearly all models have.
  Activation() = default;

  // By transformers' name: silu, relu, gelu_new, ... Nothing for names not known and for functions with learned
  // numbers.
  static std::optional<Activation> by_name(std::string_view name);

  bool is_silu() const { return function_ == nullptr; }

  // function(gate) * up, computed in float32 and rounded once. gate and up have one shape and one floating dtype, which
  // the result has too. SiLU is one fused operation (ops/swiglu.h), the others are some of MLX's.
  mx::array gated(const mx::array& gate, const mx::array& up) const;

 private:
  using Function = mx::array (*)(const mx::array& x);  // of float32
  explicit Activation(Function function) : function_(function) {}

  Function function_ = nullptr;  // null: SiLU
};

}  // namespace hearth::nn
