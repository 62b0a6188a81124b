// Makes layers out of a model folder's tensors, by module path, each with the shape that the config implies.
//
// Throws: LoadError naming the tensor that is missing, misshapen, of the wrong type, or, from finish(), left over.
#pragma once

#include <optional>
#include <string>

#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/rms_norm.h"
#include "weights/model_folder.h"

namespace hearth::nn {

class LayerLoader {
 public:
  explicit LayerLoader(const weights::ModelFolder& folder) : folder_(folder), tensors_(folder.tensors()) {}

  // What has not been taken yet, for a family's own rules: names to drop or to change.
  weights::TensorSet& tensors() { return tensors_; }

  // `path`.weight [outputs, inputs], dense or quantized; `path`.bias [outputs] if asked for.
  Linear linear(const std::string& path, int inputs, int outputs, bool bias);
  // `path`.weight [rows, width], dense or quantized.
  Embedding embedding(const std::string& path, int rows, int width);
  // `path`.weight [width].
  RMSNorm rms_norm(const std::string& path, int width, float eps);

  // Bytes of the tensors that layers have taken.
  size_t bytes_taken() const { return bytes_taken_; }
  // The type of what a step computes: that of the float tensors taken, or what they promote to where they differ.
  // Requires that one has been taken.
  mx::Dtype dtype() const { return *widest_; }

  // Requires that every tensor has been taken.
  void finish() const { tensors_.require_empty(); }

 private:
  mx::array take(const std::string& name, const mx::Shape& shape,
                 weights::TensorClass kind = weights::TensorClass::kFloating);
  Matrix matrix(const std::string& path, int rows, int columns);

  const weights::ModelFolder& folder_;
  weights::TensorSet tensors_;
  size_t bytes_taken_ = 0;
  std::optional<mx::Dtype> widest_;
};

}  // namespace hearth::nn
