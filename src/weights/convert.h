// Conversion of model files into folders in MLX's format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "weights/float_type.h"

namespace hearth::weights {

struct ConvertOptions {
  std::filesystem::path gguf;             // of a split model, any one of its parts
  std::filesystem::path output;           // must not exist, or be an empty folder
  FloatType dtype = FloatType::kFloat16;  // of norms, scales and everything that is not quantized
  // Bits (2, 3, 4, 5, 6 or 8) of matrices whose type no affine group holds: they are quantized anew. 0: they become
  // numbers of `dtype`.
  int requantize_bits = 0;
  std::function<void(uint64_t done, uint64_t total)> progress = {};  // bytes of tensors written; called every few MB
};

// What became of the matrices that had one type in the GGUF.
struct ConvertedType {
  std::string name;  // "Q6_K"
  size_t matrices = 0;
  uint64_t numbers = 0;
  uint64_t bytes_before = 0, bytes = 0;  // in the GGUF, in the folder
  int bits = 0;                          // of affine groups of 32; 0: numbers of the dtype
  bool requantized = false;              // not the codes of the GGUF
  bool could_be_requantized = false;     // numbers that requantize_bits would quantize
  double loss = 0;  // root of the mean square of what was lost, relative to that of the numbers; 0: nothing was lost
};

struct ConvertReport {
  size_t tensors = 0;
  uint64_t bytes = 0;  // of all tensors written
  double bits_per_weight = 0;
  std::vector<ConvertedType> types;
};

// Converts a GGUF of the architectures llama (Llama, Mistral, SmolLM2), qwen2 and qwen3 with tensors of type F32, F16,
// BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 or Q2_K to Q6_K: config.json, generation_config.json, model*.safetensors with its
// index, tokenizer.json, tokenizer_config.json. Rows of q and k return to Hugging Face's order. Memory does not grow
// with the model. Affine groups hold Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 exactly with scales of any dtype that holds
// float16, Q4_K and Q5_K with scales in float32.
// The folder appears under its name when everything in it is complete; on failure nothing is left behind.
// Throws LoadError naming the file, and the key or tensor at fault; std::invalid_argument for bits that are not those.
ConvertReport convert_gguf(const ConvertOptions& options);

}  // namespace hearth::weights
