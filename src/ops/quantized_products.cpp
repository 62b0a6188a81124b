#include "ops/quantized_products.h"

#include "ops/kernel_type.h"

namespace hearth::ops {

std::vector<mx::array> quantized_products(const mx::array& x, const std::vector<QuantizedMatrix>& matrices,
                                          int group_size, int bits) {
  require(!matrices.empty(), "quantized_products", "there must be a matrix");
  std::vector<mx::detail::PackedMatrix> packed;
  for (const QuantizedMatrix& m : matrices) packed.push_back({m.w, m.scales, m.biases});
  return mx::detail::quantized_matmuls(x, packed, group_size, bits);
}

std::vector<mx::array> plain::quantized_products(const mx::array& x, const std::vector<QuantizedMatrix>& matrices,
                                                 int group_size, int bits) {
  std::vector<mx::array> products;
  for (const QuantizedMatrix& m : matrices) {
    products.push_back(mx::quantized_matmul(x, m.w, m.scales, m.biases, /*transpose=*/true, group_size, bits));
  }
  return products;
}

}  // namespace hearth::ops
