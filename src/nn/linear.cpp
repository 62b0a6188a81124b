#include "nn/linear.h"

namespace hearth::nn {

Linear::Linear(Matrix matrix, std::optional<mx::array> bias) : matrix_(std::move(matrix)), bias_(std::move(bias)) {
  if (!matrix_.is_quantized()) {
    matrix_.weight = mx::transpose(matrix_.weight);
    matrix_.weight.eval();  // so that no step's graph leads back to the view
  }
}

mx::array Linear::operator()(const mx::array& x) const {
  const auto& [weight, scales, biases, quantization] = matrix_;
  mx::array y = scales ? mx::quantized_matmul(x, weight, *scales, *biases, /*transpose=*/true, quantization.group_size,
                                              quantization.bits)
                       : mx::matmul(x, weight);
  return bias_ ? mx::add(y, *bias_) : y;
}

}  // namespace hearth::nn
