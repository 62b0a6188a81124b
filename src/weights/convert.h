// Conversion of model files into folders in MLX's format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>

namespace hearth::weights {

// What norms, scales and unquantized weights become.
enum class FloatType { kFloat16, kBFloat16, kFloat32 };

struct ConvertOptions {
  std::filesystem::path gguf;
  std::filesystem::path output;  // must not exist, or be an empty folder
  FloatType dtype = FloatType::kFloat16;
  std::function<void(uint64_t done, uint64_t total)> progress = {};  // bytes of tensors written; called every few MB
};

struct ConvertReport {
  size_t tensors = 0;
  uint64_t bytes = 0;  // of all tensors written
  double bits_per_weight = 0;
  // Whether a matrix had numbers, or scales of quantized numbers, that dtype does not hold as they are: bfloat16 has 8
  // of float16's 11 significant bits, float32 holds all.
  bool rounded = false;
};

// Converts a GGUF of the Llama architecture (Llama, Mistral, SmolLM2) with tensors of type F32, F16, BF16, Q4_0, Q4_1,
// Q5_0, Q5_1 or Q8_0: config.json, generation_config.json, model*.safetensors with its index, tokenizer.json,
// tokenizer_config.json. Rows of q and k return to Hugging Face's order. Memory does not grow with the model.
// The folder appears under its name when everything in it is complete; on failure nothing is left behind.
// Throws LoadError naming the file, and the key or tensor at fault.
ConvertReport convert_gguf(const ConvertOptions& options);

}  // namespace hearth::weights
