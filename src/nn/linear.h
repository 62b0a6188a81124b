// Matrix product with a stored weight: y = x · Wᵀ (+ bias), W dense or quantized as the folder has it.
//
// Shapes:  x [..., K] -> [..., N]; W [N, K].
#pragma once

#include <initializer_list>
#include <optional>
#include <vector>

#include "core/mx.h"
#include "weights/quantization.h"

namespace hearth::nn {

// A weight matrix as it lies in the file. Dense: `weight` [N, K] alone. Quantized: packed uint32 `weight`, and `scales`
// and `biases` [N, K / group_size].
struct Matrix {
  mx::array weight;
  std::optional<mx::array> scales = std::nullopt, biases = std::nullopt;
  weights::Quantization quantization = {};  // of a quantized one

  bool is_quantized() const { return scales.has_value(); }
};

class Linear {
 public:
  explicit Linear(Matrix matrix, std::optional<mx::array> bias = std::nullopt);

  mx::array operator()(const mx::array& x) const;

  // Each of the layers on one x, with the same bits: those that are quantized alike share what a product does with x.
  static std::vector<mx::array> apply_all(std::initializer_list<const Linear*> layers, const mx::array& x);

 private:
  mx::array biased(const mx::array& y) const;

  Matrix matrix_;  // a dense weight is held transposed, [K, N]: a view of the file's rows
  std::optional<mx::array> bias_;
};

}  // namespace hearth::nn
