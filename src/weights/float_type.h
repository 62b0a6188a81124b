// The types that norms, scales and unquantized weights of a converted model may have, and their names in files.
#pragma once

#include <cstddef>

namespace hearth::weights {

enum class FloatType { kFloat16, kBFloat16, kFloat32 };

struct FloatFormat {
  const char* config_name;       // config.json's torch_dtype
  const char* safetensors_name;  // "F16"
  size_t bytes;
};

constexpr FloatFormat format_of(FloatType type) {
  switch (type) {
    case FloatType::kFloat16: return {"float16", "F16", 2};
    case FloatType::kBFloat16: return {"bfloat16", "BF16", 2};
    case FloatType::kFloat32: break;
  }
  return {"float32", "F32", 4};
}

}  // namespace hearth::weights
