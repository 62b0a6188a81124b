#include "nn/activation.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "ops/swiglu.h"

namespace hearth::nn {
namespace {

using mx::array;

array number(double value) { return array(static_cast<float>(value)); }
array scaled(const array& x, double factor) { return mx::multiply(x, number(factor)); }
array plus(const array& x, double addend) { return mx::add(x, number(addend)); }

array relu(const array& x) { return mx::maximum(x, number(0)); }
array relu2(const array& x) { return mx::square(relu(x)); }
array relu6(const array& x) { return mx::clip(x, number(0), number(6)); }
array leaky_relu(const array& x) { return mx::maximum(x, scaled(x, 0.01)); }

array gelu(const array& x) {
  return mx::multiply(scaled(x, 0.5), plus(mx::erf(scaled(x, 1.0 / std::numbers::sqrt2)), 1.0));
}
array gelu_tanh(const array& x) {
  const array inner = mx::multiply(x, plus(scaled(mx::square(x), 0.044715), 1.0));
  return mx::multiply(scaled(x, 0.5), plus(mx::tanh(scaled(inner, std::sqrt(2.0 / std::numbers::pi))), 1.0));
}
array quick_gelu(const array& x) { return mx::multiply(x, mx::sigmoid(scaled(x, 1.702))); }
array clipped_gelu(const array& x) { return mx::clip(gelu(x), number(-10), number(10)); }

array softplus(const array& x) { return mx::logaddexp(x, number(0)); }
array sqrt_softplus(const array& x) { return mx::sqrt(softplus(x)); }
array mish(const array& x) { return mx::multiply(x, mx::tanh(softplus(x))); }
array hardswish(const array& x) { return mx::multiply(x, scaled(relu6(plus(x, 3.0)), 1.0 / 6.0)); }
array laplace(const array& x) {
  return scaled(plus(mx::erf(scaled(plus(x, -0.707107), 1.0 / (0.282095 * std::numbers::sqrt2))), 1.0), 0.5);
}
array linear(const array& x) { return x; }
array sigmoid(const array& x) { return mx::sigmoid(x); }
array tanh(const array& x) { return mx::tanh(x); }

constexpr std::pair<std::string_view, array (*)(const array& x)> kFunctions[] = {
    {"silu", nullptr},
    {"swish", nullptr},
    {"relu", relu},
    {"relu2", relu2},
    {"relu6", relu6},
    {"leaky_relu", leaky_relu},
    {"gelu", gelu},
    {"gelu_python", gelu},
    {"gelu_10", clipped_gelu},
    {"gelu_new", gelu_tanh},
    {"gelu_fast", gelu_tanh},
    {"gelu_accurate", gelu_tanh},
    {"gelu_pytorch_tanh", gelu_tanh},
    {"gelu_python_tanh", gelu_tanh},
    {"quick_gelu", quick_gelu},
    {"mish", mish},
    {"hardswish", hardswish},
    {"laplace", laplace},
    {"linear", linear},
    {"sigmoid", sigmoid},
    {"sqrtsoftplus", sqrt_softplus},
    {"tanh", tanh},
};

}  // namespace

std::optional<Activation> Activation::by_name(std::string_view name) {
  for (const auto& [known, function] : kFunctions)
    if (known == name) return Activation(function);
  return std::nullopt;
}

array Activation::gated(const array& gate, const array& up) const {
  if (function_ == nullptr) return ops::swiglu(gate, up);
  const array wide = mx::multiply(function_(mx::astype(gate, mx::float32)), mx::astype(up, mx::float32));
  return mx::astype(wide, gate.dtype());
}

}  // namespace hearth::nn
