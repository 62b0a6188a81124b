// Feeds arbitrary bytes to the GGUF reader and to what conversion does with a file it accepts.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

#include "base/error.h"
#include "weights/gguf.h"
#include "weights/gguf_model.h"
#include "weights/gguf_tokenizer.h"

using namespace hearth;
using namespace hearth::weights;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const GgufFile file(std::as_bytes(std::span(data, size)), "fuzz");
    for (const GgufTensor& tensor : file.tensors())
      if (!tensor.bytes.empty()) (void)(tensor.bytes.front() == tensor.bytes.back());
    try {
      const GgufTokenizer tokenizer(file);
      (void)tokenizer.tokenizer_json();
      (void)tokenizer.tokenizer_config(1);
    } catch (const LoadError&) {
    }
    (void)GgufModel(file).config();
  } catch (const LoadError&) {
  }
  return 0;
}
