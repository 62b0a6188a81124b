#include "nn/linear.h"

#include "ops/quantized_products.h"

namespace hearth::nn {
namespace {

bool alike(const Matrix& a, const Matrix& b) {
  return a.is_quantized() && b.is_quantized() && a.quantization.bits == b.quantization.bits &&
         a.quantization.group_size == b.quantization.group_size && a.scales->dtype() == b.scales->dtype() &&
         a.biases->dtype() == b.biases->dtype();
}

}  // namespace

Linear::Linear(Matrix matrix, std::optional<mx::array> bias) : matrix_(std::move(matrix)), bias_(std::move(bias)) {
  if (!matrix_.is_quantized()) {
    matrix_.weight = mx::transpose(matrix_.weight);
    matrix_.weight.eval();  // so that no step's graph leads back to the view
  }
}

mx::array Linear::operator()(const mx::array& x) const {
  const auto& [weight, scales, biases, quantization] = matrix_;
  return biased(scales ? mx::quantized_matmul(x, weight, *scales, *biases, /*transpose=*/true, quantization.group_size,
                                              quantization.bits)
                       : mx::matmul(x, weight));
}

std::vector<mx::array> Linear::apply_all(std::initializer_list<const Linear*> layers, const mx::array& x) {
  const Matrix& first = (*layers.begin())->matrix_;
  std::vector<ops::QuantizedMatrix> matrices;
  for (const Linear* layer : layers) {
    const Matrix& m = layer->matrix_;
    if (alike(first, m)) matrices.push_back({m.weight, *m.scales, *m.biases});
  }
  std::vector<mx::array> results;
  if (matrices.size() < layers.size()) {
    for (const Linear* layer : layers) results.push_back((*layer)(x));
    return results;
  }
  const auto products = ops::quantized_products(x, matrices, first.quantization.group_size, first.quantization.bits);
  for (const Linear* layer : layers) results.push_back(layer->biased(products[results.size()]));
  return results;
}

mx::array Linear::biased(const mx::array& y) const { return bias_ ? mx::add(y, *bias_) : y; }

}  // namespace hearth::nn
