// Shards are cut before anything is written: a header lists offsets, and those follow from the plan alone.
#include "weights/safetensors_writer.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/json.h"

namespace hearth::weights {

namespace {

// Kernels read tensors where the file is mapped; a cache line is as aligned as any of them likes it.
constexpr size_t kDataAlignment = 64;

}  // namespace

SafetensorsWriter::SafetensorsWriter(std::filesystem::path folder, std::vector<TensorPlan> tensors,
                                     uint64_t shard_bytes)
    : folder_(std::move(folder)), tensors_(std::move(tensors)) {
  if (tensors_.empty()) throw std::invalid_argument("[SafetensorsWriter] nothing to write");
  shards_.push_back({.begin = 0, .end = 0});
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (shards_.back().bytes + tensors_[i].bytes > shard_bytes && shards_.back().bytes > 0)
      shards_.push_back({.begin = i, .end = i});
    shards_.back().end = i + 1;
    shards_.back().bytes += tensors_[i].bytes;
  }
  open_shard();
}

std::string SafetensorsWriter::file_name(size_t shard) const {
  if (shards_.size() == 1) return "model.safetensors";
  return fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, shards_.size());
}

std::string SafetensorsWriter::header(const Shard& shard) const {
  std::string text = R"({"__metadata__":{"format":"mlx"})";
  uint64_t offset = 0;
  for (size_t i = shard.begin; i < shard.end; ++i) {
    const TensorPlan& tensor = tensors_[i];
    const Json entry = {{"dtype", tensor.dtype},
                        {"shape", tensor.shape},
                        {"data_offsets", Json::array({offset, offset + tensor.bytes})}};
    text += fmt::format(",{}:{}", Json(tensor.name).dump(), entry.dump());
    offset += tensor.bytes;
  }
  text += "}";
  while ((sizeof(uint64_t) + text.size()) % kDataAlignment != 0) text += ' ';
  return text;
}

void SafetensorsWriter::open_shard() {
  const std::string text = header(shards_[shard_]);
  const uint64_t size = text.size();
  file_ = std::make_unique<AtomicFileWriter>(folder_ / file_name(shard_));
  file_->write(std::as_bytes(std::span(&size, 1)));
  file_->write(text);
  left_in_shard_ = shards_[shard_].bytes;
}

void SafetensorsWriter::write(std::span<const std::byte> bytes) {
  if (left_in_shard_ == 0 && shard_ + 1 < shards_.size()) {
    file_->commit();
    ++shard_;
    open_shard();
  }
  if (bytes.size() > left_in_shard_) throw std::invalid_argument("[SafetensorsWriter::write] more bytes than planned");
  file_->write(bytes);
  left_in_shard_ -= bytes.size();
}

void SafetensorsWriter::finish(uint64_t parameters) {
  if (shard_ + 1 != shards_.size() || left_in_shard_ != 0)
    throw std::invalid_argument("[SafetensorsWriter::finish] fewer bytes than planned");
  file_->commit();
  write_file_atomically(folder_ / "model.safetensors.index.json", index(parameters));
}

std::string SafetensorsWriter::index(uint64_t parameters) const {
  uint64_t total = 0;
  std::map<std::string, std::string> files;  // sorted by tensor, as mlx-lm writes them
  for (size_t s = 0; s < shards_.size(); ++s) {
    total += shards_[s].bytes;
    for (size_t i = shards_[s].begin; i < shards_[s].end; ++i) files[tensors_[i].name] = file_name(s);
  }
  std::string text = fmt::format(
      "{{\n    \"metadata\": {{\n        \"total_size\": {},\n        \"total_parameters\": {}\n    }},\n"
      "    \"weight_map\": {{",
      total, parameters);
  const char* separator = "\n";
  for (const auto& [name, file] : files) {
    text += fmt::format("{}        {}: {}", separator, Json(name).dump(), Json(file).dump());
    separator = ",\n";
  }
  return text + "\n    }\n}\n";
}

}  // namespace hearth::weights
