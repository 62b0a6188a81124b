// Feeds arbitrary bytes to the GGUF reader and to what conversion does with a file it accepts. A line "-split-" in them
// ends a part of a split model.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "weights/gguf.h"
#include "weights/gguf_blocks.h"
#include "weights/gguf_model.h"
#include "weights/gguf_tokenizer.h"
#include "weights/row_encoder.h"

using namespace hearth;
using namespace hearth::weights;

namespace {

std::vector<std::span<const std::byte>> parts_of(std::string_view data) {
  constexpr std::string_view kEnd = "\n-split-\n";
  std::vector<std::span<const std::byte>> parts;
  for (size_t at = 0; at <= data.size();) {
    const size_t end = std::min(data.find(kEnd, at), data.size());
    parts.push_back(std::as_bytes(std::span(data.substr(at, end - at))));
    at = end + kEnd.size();
  }
  return parts;
}

// Expands and encodes a tensor's first row.
void convert_row(const GgufTensor& tensor) {
  const auto width = static_cast<size_t>(tensor.shape.back());
  if (!is_numbers(tensor.type) || width > 1 << 16) return;
  const int bits = affine_bits(tensor.type);
  const RowForm form{bits == 0 ? RowForm::Kind::kNumbers : RowForm::Kind::kCodes, bits};
  RowEncoder encoder(tensor.type, width, form, FloatType::kFloat16);
  (void)encoder.encode(tensor.bytes.data(), bits == 0 ? RowPart::kNumbers : RowPart::kCodes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto parts = parts_of({reinterpret_cast<const char*>(data), size});
    const GgufFile file(parts, "fuzz");
    for (const GgufTensor& tensor : file.tensors()) {
      (void)(tensor.bytes.front() == tensor.bytes.back());
      convert_row(tensor);
    }
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
