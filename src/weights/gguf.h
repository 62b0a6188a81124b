// Reads GGUF, the file format of llama.cpp: metadata, the list of tensors, and where their bytes lie. No conversion.
//
// A model may be split into files -00001-of-0000N.gguf: the first has the metadata, each has some of the tensors.
// Everything is checked on opening: counts, lengths and offsets against the file's size with overflow-safe arithmetic,
// types, names that appear twice, tensors that overlap, parts that do not fit together. After that every span handed
// out lies inside a file.
// Lifetime: spans and string views point into the mapped files and end with the object.
// Source:   github.com/ggml-org/ggml, docs/gguf.md; versions 2 and 3, little endian. llama.cpp's gguf-split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/config_reader.h"

namespace hearth::weights {

// ggml's numbers for how a tensor's values are stored.
enum class GgufType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kQ8_K = 15,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kBF16 = 30,
};

// ggml's name of a type ("Q4_0"). Requires one of the values above.
std::string_view name_of(GgufType type);

// Values are stored in blocks of so many, of so many bytes. Requires one of the values above.
struct GgufBlock {
  size_t values, bytes;
};
GgufBlock block_of(GgufType type);

struct GgufTensor {
  std::string_view name;
  GgufType type;
  std::vector<int64_t> shape;        // outermost first, as in row-major arrays (the file has them the other way round)
  std::span<const std::byte> bytes;  // exactly the tensor's
};

class GgufFile {
 public:
  // Maps and checks the file, and the other parts of a split model, whichever of them `path` is. Throws LoadError
  // naming the file and the key or tensor at fault, or the part that is missing.
  explicit GgufFile(const std::filesystem::path& path);
  // Reads a file, or all parts of a split one in their order, from memory that outlives the object; `source` names them
  // in errors.
  GgufFile(std::span<const std::byte> bytes, std::string source);
  GgufFile(std::span<const std::span<const std::byte>> parts, const std::string& source);
  ~GgufFile();

  // Scalars and strings among the metadata, by key: `metadata().integer("llama.block_count")`.
  ConfigReader metadata() const;

  // Arrays among the metadata. Empty when the key is absent; LoadError when it is something else.
  std::vector<std::string_view> strings(std::string_view key) const;
  std::vector<double> numbers(std::string_view key) const;

  // In the order of the files.
  const std::vector<GgufTensor>& tensors() const;
  // Null when there is none of this name.
  const GgufTensor* find(std::string_view name) const;

  const std::string& source() const;

 private:
  struct Part;

  void join();
  void require_same_model(const Part& part) const;

  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string_view, size_t> index_;
};

}  // namespace hearth::weights
