// The header of a safetensors file from anybody: parsed from memory, no file per input.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "core/io.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto header = hearth::core::parse_safetensors_header(bytes, size, "fuzz");
    for (const auto& tensor : header.tensors) {
      if (tensor.begin > tensor.end || tensor.end > size) __builtin_trap();
    }
  } catch (const hearth::LoadError&) {
  }
  return 0;
}
