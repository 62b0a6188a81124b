#include "nn/layer_loader.h"

#include "base/error.h"

namespace hearth::nn {

mx::array LayerLoader::take(const std::string& name, const mx::Shape& shape, weights::TensorClass kind) {
  mx::array tensor = tensors_.take(name, shape, kind);
  bytes_taken_ += tensor.nbytes();
  if (kind == weights::TensorClass::kFloating)
    widest_ = mx::promote_types(widest_.value_or(tensor.dtype()), tensor.dtype());
  return tensor;
}

Matrix LayerLoader::matrix(const std::string& path, int rows, int columns) {
  const auto quantization = folder_.quantization(path, columns);
  if (!quantization) return {.weight = take(path + ".weight", {rows, columns})};
  const auto [group_size, bits, mode] = *quantization;
  if (columns % group_size != 0) {
    throw LoadError((folder_.path() / "config.json").string(), "quantization",
                    path + " has rows of " + std::to_string(columns) + " numbers, not a multiple of group_size " +
                        std::to_string(group_size));
  }
  // Taken before the struct is built: when an initializer in braces throws, g++ 12 destroys those before it twice.
  mx::array weight = take(path + ".weight", {rows, columns / 32 * bits}, weights::TensorClass::kPacked);
  mx::array scales = take(path + ".scales", {rows, columns / group_size});
  mx::array biases = take(path + ".biases", {rows, columns / group_size});
  return {std::move(weight), std::move(scales), std::move(biases), *quantization};
}

Linear LayerLoader::linear(const std::string& path, int inputs, int outputs, bool bias) {
  Matrix weight = matrix(path, outputs, inputs);
  if (!bias) return Linear(std::move(weight));
  return Linear(std::move(weight), take(path + ".bias", {outputs}));
}

Embedding LayerLoader::embedding(const std::string& path, int rows, int width) {
  return Embedding(matrix(path, rows, width));
}

RMSNorm LayerLoader::rms_norm(const std::string& path, int width, float eps) {
  return {take(path + ".weight", {width}), eps};
}

}  // namespace hearth::nn
