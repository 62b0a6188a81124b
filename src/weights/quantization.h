// How the layers of a model folder are quantized: config.json's `quantization` object.
//
// Source: mlx-lm's config format. Global group_size, bits and mode, and a key per layer that differs: its module path
// with an object of the same keys, or false for a layer that stays as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.h"
#include "weights/config_reader.h"

namespace hearth::weights {

// weight ~ scale * q + bias per group of `group_size` values along the input dimension ("affine").
struct Quantization {
  int group_size = 64;  // 32, 64 or 128
  int bits = 4;         // 2, 3, 4, 5, 6 or 8
  std::string mode = "affine";

  bool operator==(const Quantization&) const = default;

  // This one, unless rows of `inputs` numbers in `words` packed words and `groups` groups are of another kind that
  // kernels know.
  Quantization of_shapes(int inputs, int words, int groups) const;
};

class QuantizationRecipe {
 public:
  // A model that is not quantized.
  QuantizationRecipe() = default;
  // Reads `quantization`, or else `quantization_config`, of a config. Throws LoadError for values no kernel has, for
  // modes other than affine and for the formats of other tools (quant_method awq, gptq, fp8, ...), naming the key.
  explicit QuantizationRecipe(const ConfigReader& config);

  // What the config says of a layer: its own entry, else the global one; nothing if that is `false` or absent.
  std::optional<Quantization> of_layer(std::string_view path) const;
  // Whether the layer has an entry of its own.
  bool names(std::string_view path) const { return layers_.contains(std::string(path)); }

 private:
  std::optional<Quantization> global_;
  std::unordered_map<std::string, std::optional<Quantization>> layers_;
};

}  // namespace hearth::weights
