// Writes a model's tensors as a stream, so that a model larger than memory can be converted.
//
// The files get the names and the index mlx-lm gives them: model.safetensors, or model-00001-of-0000N.safetensors of at
// most 5 GiB each, and model.safetensors.index.json; metadata {"format": "mlx"}.
// Errors: LoadError naming the file that cannot be written.
// Source: github.com/huggingface/safetensors, format; mlx-lm's save_model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace hearth::weights {

struct TensorPlan {
  std::string name;
  std::string dtype;  // safetensors' name: "F16", "BF16", "F32", "U32"
  std::vector<int64_t> shape;
  uint64_t bytes;
};

class SafetensorsWriter {
 public:
  static constexpr uint64_t kShardBytes = uint64_t{5} << 30;

  // The tensors follow one another in the order given.
  SafetensorsWriter(std::filesystem::path folder, std::vector<TensorPlan> tensors, uint64_t shard_bytes = kShardBytes);

  // The next bytes; a piece may end within a tensor but must not reach into the next one.
  void write(std::span<const std::byte> bytes);

  // Requires that every tensor has been written. `parameters` goes into the index.
  void finish(uint64_t parameters);

 private:
  struct Shard {
    size_t begin, end;  // tensors
    uint64_t bytes = 0;
  };

  std::string file_name(size_t shard) const;
  void open_shard();
  std::string header(const Shard& shard) const;
  std::string index(uint64_t parameters) const;

  std::filesystem::path folder_;
  std::vector<TensorPlan> tensors_;
  std::vector<Shard> shards_;
  size_t shard_ = 0;            // being written
  uint64_t left_in_shard_ = 0;  // bytes
  std::unique_ptr<AtomicFileWriter> file_;
};

}  // namespace hearth::weights
