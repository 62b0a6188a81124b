// convert_gguf in four steps: check everything (LlamaGguf, GgufTokenizer), plan the tensors to write, stream them row
// by row from the mapped GGUF into the safetensors files, write the small files; then the folder gets its name. A
// quantized tensor becomes three (weight, scales, biases), each made in a pass of its own over the source's blocks.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "weights/convert.h"
#include "weights/gguf.h"
#include "weights/gguf_blocks.h"
#include "weights/gguf_tokenizer.h"
#include "weights/llama_gguf.h"
#include "weights/safetensors_writer.h"

namespace hearth::weights {

namespace fs = std::filesystem;

namespace {

constexpr size_t kPieceBytes = 4 << 20;  // written and reported at once

struct FloatFormat {
  const char* config_name;  // torch_dtype
  const char* safetensors_name;
  size_t bytes;
};

FloatFormat format_of(FloatType type) {
  switch (type) {
    case FloatType::kFloat16: return {"float16", "F16", 2};
    case FloatType::kBFloat16: return {"bfloat16", "BF16", 2};
    case FloatType::kFloat32: break;
  }
  return {"float32", "F32", 4};
}

enum class Part { kPlain, kPacked, kScales, kBiases };

// One tensor to write and where it comes from.
struct Output {
  TensorPlan plan;
  Part part;
  const LlamaTensor* tensor;
};

bool is_plain(GgufType type) { return type == GgufType::kF32 || type == GgufType::kF16 || type == GgufType::kBF16; }

// A folder that becomes `path` on commit() and vanishes otherwise: beside it; or, where `path` is an empty folder
// already, inside it, since that may be where a volume is mounted or a user stands.
class PendingFolder {
 public:
  explicit PendingFolder(const fs::path& path) : path_(path) {
    std::error_code error;
    if (path_.empty()) throw LoadError("--mlx-path", "names no folder");
    if (path_.filename().empty()) path_ = path_.parent_path();  // "model/"
    inside_ = fs::is_directory(path_, error) && fs::is_empty(path_, error);
    if (!inside_ && is_present(path_)) throw LoadError(path_.string(), "exists already");
    const std::string end = fmt::format("{}.partial", ::getpid());
    temporary_ = inside_ ? path_ / ("." + end) : path_.parent_path() / ("." + path_.filename().string() + "." + end);
    fs::remove_all(temporary_, error);
    if (!fs::create_directories(temporary_, error))
      throw LoadError(path_.string(), fmt::format("cannot create {}: {}", temporary_.string(), error.message()));
  }
  ~PendingFolder() {
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
  }
  PendingFolder(const PendingFolder&) = delete;
  PendingFolder& operator=(const PendingFolder&) = delete;

  const fs::path& temporary() const { return temporary_; }

  void commit() {
    std::error_code error;
    if (inside_) {
      move_up(error);
    } else {
      fs::rename(temporary_, path_, error);
    }
    if (error) throw LoadError(path_.string(), "cannot give the finished folder its name: " + error.message());
    if (!inside_) temporary_.clear();
  }

 private:
  // config.json last: without it a folder is no model.
  void move_up(std::error_code& error) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(temporary_, error)) names.push_back(entry.path().filename());
    std::partition(names.begin(), names.end(), [](const std::string& name) { return name != "config.json"; });
    for (const std::string& name : names)
      if (!error) fs::rename(temporary_ / name, path_ / name, error);
  }

  fs::path path_, temporary_;
  bool inside_ = false;
};

class Conversion {
 public:
  Conversion(const GgufFile& file, const ConvertOptions& options)
      : file_(file), options_(options), format_(format_of(options.dtype)), llama_(file), tokenizer_(file) {
    for (const LlamaTensor& tensor : llama_.tensors()) plan(tensor);
  }

  ConvertReport write(const fs::path& folder);

 private:
  void plan(const LlamaTensor& tensor);
  void plan_part(const LlamaTensor& tensor, Part part, std::string name, const char* dtype, size_t item,
                 std::vector<int64_t> shape);

  void write_tensors(const fs::path& folder);
  void write_rows(const Output& output);
  void append_row(const Output& output, int64_t row);
  void append_float(float value, const LlamaTensor& tensor);
  template <typename T>
  void append(T value);
  void flush();

  Json quantization() const;
  Json config() const;
  Json generation_config() const;
  Json end_tokens() const;
  void write_json(const fs::path& path, const Json& value, int indent) const;

  const GgufFile& file_;
  const ConvertOptions& options_;
  FloatFormat format_;
  LlamaGguf llama_;
  GgufTokenizer tokenizer_;
  std::vector<Output> outputs_;
  uint64_t total_bytes_ = 0, parameters_ = 0, done_bytes_ = 0;
  bool rounded_ = false;  // a weight or scale of a matrix
  std::unique_ptr<SafetensorsWriter> writer_;
  std::vector<std::byte> pending_;
};

void Conversion::plan_part(const LlamaTensor& tensor, Part part, std::string name, const char* dtype, size_t item,
                           std::vector<int64_t> shape) {
  uint64_t bytes = item;
  for (int64_t extent : shape) bytes *= static_cast<uint64_t>(extent);
  total_bytes_ += bytes;
  outputs_.push_back({{std::move(name), dtype, std::move(shape), bytes}, part, &tensor});
}

void Conversion::plan(const LlamaTensor& tensor) {
  uint64_t values = 1;
  for (int64_t extent : tensor.shape) values *= static_cast<uint64_t>(extent);
  parameters_ += values;
  if (tensor.source == nullptr || is_plain(tensor.source->type))
    return plan_part(tensor, Part::kPlain, tensor.name, format_.safetensors_name, format_.bytes, tensor.shape);

  const GgufType type = tensor.source->type;
  const int bits = affine_bits(type);
  if (bits == 0 || tensor.shape.size() != 2)
    throw LoadError(file_.source(), tensor.source->name,
                    fmt::format("type {} cannot be converted without loss; F32, F16, BF16 and, for matrices, Q4_0, "
                                "Q4_1, Q5_0, Q5_1 and Q8_0 can",
                                name_of(type)));
  const std::string layer = tensor.name.substr(0, tensor.name.rfind('.'));
  const int64_t rows = tensor.shape[0], groups = tensor.shape[1] / kGgufGroupSize;
  plan_part(tensor, Part::kPacked, tensor.name, "U32", sizeof(uint32_t), {rows, groups * bits});
  plan_part(tensor, Part::kScales, layer + ".scales", format_.safetensors_name, format_.bytes, {rows, groups});
  plan_part(tensor, Part::kBiases, layer + ".biases", format_.safetensors_name, format_.bytes, {rows, groups});
}

template <typename T>
void Conversion::append(T value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
}

void Conversion::append_float(float value, const LlamaTensor& tensor) {
  switch (options_.dtype) {
    case FloatType::kFloat32: return append(value);
    case FloatType::kBFloat16: {
      const uint16_t half = float_to_bfloat16(value);
      rounded_ |= tensor.shape.size() == 2 && bfloat16_to_float(half) != value;
      return append(half);
    }
    case FloatType::kFloat16: break;
  }
  const uint16_t half = float_to_float16(value);
  rounded_ |= tensor.shape.size() == 2 && float16_to_float(half) != value;
  if ((half & 0x7fff) == 0x7c00 && std::isfinite(value))
    throw LoadError(file_.source(), tensor.source->name,
                    fmt::format("{} does not fit into float16; choose another dtype", value));
  append(half);
}

// q and k: within each head llama.cpp keeps rows 0, D/2, 1, D/2 + 1, ... of the original.
int64_t source_row(const LlamaTensor& tensor, int64_t row) {
  if (tensor.interleaved_heads == 0) return row;
  const int64_t head_dim = tensor.shape[0] / tensor.interleaved_heads;
  const int64_t head = row / head_dim, within = row % head_dim;
  const int64_t half = within / (head_dim / 2), index = within % (head_dim / 2);
  return head * head_dim + 2 * index + half;
}

float plain_value(GgufType type, const std::byte* at) {
  if (type == GgufType::kF32) {
    float value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, at, sizeof(bits));
  return type == GgufType::kF16 ? float16_to_float(bits) : bfloat16_to_float(bits);
}

void Conversion::append_row(const Output& output, int64_t row) {
  const LlamaTensor& tensor = *output.tensor;
  const int64_t width = tensor.shape.size() == 2 ? tensor.shape[1] : 1;
  if (tensor.source == nullptr) return append_float(0, tensor);
  const GgufType type = tensor.source->type;
  const size_t row_bytes = tensor.source->bytes.size() / static_cast<size_t>(tensor.shape[0]);
  const std::byte* at = tensor.source->bytes.data() + static_cast<size_t>(source_row(tensor, row)) * row_bytes;
  if (output.part == Part::kPlain) {
    const size_t item = type == GgufType::kF32 ? 4 : 2;
    for (int64_t i = 0; i < width; ++i) append_float(plain_value(type, at + static_cast<size_t>(i) * item), tensor);
    return;
  }
  const int bits = affine_bits(type);
  for (int64_t g = 0; g < width / kGgufGroupSize; ++g, at += block_bytes(type)) {
    const AffineGroup group = read_block(type, at);
    if (output.part == Part::kScales) append_float(group.scale, tensor);
    if (output.part == Part::kBiases) append_float(group.bias, tensor);
    if (output.part != Part::kPacked) continue;
    std::array<uint32_t, 8> words;
    pack_group(group.q, bits, words.data());
    const auto bytes = std::as_bytes(std::span(words).first(static_cast<size_t>(bits)));
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  }
}

void Conversion::flush() {
  writer_->write(pending_);
  done_bytes_ += pending_.size();
  pending_.clear();
  if (options_.progress) options_.progress(done_bytes_, total_bytes_);
}

void Conversion::write_rows(const Output& output) {
  for (int64_t row = 0; row < output.tensor->shape[0]; ++row) {
    append_row(output, row);
    if (pending_.size() >= kPieceBytes) flush();
  }
  if (!pending_.empty()) flush();
}

void Conversion::write_tensors(const fs::path& folder) {
  std::vector<TensorPlan> plans;
  for (const Output& output : outputs_) plans.push_back(output.plan);
  writer_ = std::make_unique<SafetensorsWriter>(folder, std::move(plans));
  for (const Output& output : outputs_) write_rows(output);
  writer_->finish(parameters_);
}

// The commonest number of bits is the global value, other layers have entries of their own; null without quantized
// ones.
Json Conversion::quantization() const {
  std::map<int, int> counts;
  for (const Output& output : outputs_)
    if (output.part == Part::kPacked) ++counts[affine_bits(output.tensor->source->type)];
  if (counts.empty()) return nullptr;
  const auto commonest =
      std::max_element(counts.begin(), counts.end(), [](auto a, auto b) { return a.second < b.second; });
  Json recipe = {{"group_size", kGgufGroupSize}, {"bits", commonest->first}};
  for (const Output& output : outputs_) {
    if (output.part != Part::kPacked) continue;
    const int bits = affine_bits(output.tensor->source->type);
    const std::string layer = output.plan.name.substr(0, output.plan.name.rfind('.'));
    if (bits != commonest->first) recipe[layer] = {{"group_size", kGgufGroupSize}, {"bits", bits}};
  }
  return recipe;
}

// One id or a list; null for none.
Json Conversion::end_tokens() const {
  const std::vector<int> ids = tokenizer_.end_ids();
  if (ids.size() > 1) return ids;
  return ids.empty() ? Json() : Json(ids.front());
}

Json Conversion::config() const {
  Json config = llama_.config();
  config["torch_dtype"] = format_.config_name;
  if (const Json recipe = quantization(); !recipe.is_null()) {
    config["quantization"] = recipe;
    config["quantization_config"] = recipe;
  }
  if (const Json end = end_tokens(); !end.is_null()) config["eos_token_id"] = end;
  if (const auto bos = tokenizer_.special_id("bos")) config["bos_token_id"] = *bos;
  return config;
}

// The token ids, and the sampling the authors recommend where the file says so.
Json Conversion::generation_config() const {
  Json config = Json::object();
  if (const auto bos = tokenizer_.special_id("bos")) config["bos_token_id"] = *bos;
  if (const Json end = end_tokens(); !end.is_null()) config["eos_token_id"] = end;
  if (const auto pad = tokenizer_.special_id("padding")) config["pad_token_id"] = *pad;
  const ConfigReader metadata = file_.metadata();
  const std::pair<const char*, const char*> sampling[] = {{"temperature", "general.sampling.temp"},
                                                          {"top_p", "general.sampling.top_p"},
                                                          {"min_p", "general.sampling.min_p"}};
  for (const auto& [name, key] : sampling)
    if (const auto value = metadata.optional_number(key, {.min = 0, .max = 100})) config[name] = *value;
  if (const auto top_k = metadata.optional_integer("general.sampling.top_k", {.min = 0})) config["top_k"] = *top_k;
  return config;
}

void Conversion::write_json(const fs::path& path, const Json& value, int indent) const {
  try {
    write_file_atomically(path, value.dump(indent) + "\n");
  } catch (const Json::type_error&) {  // dump() refuses what is not UTF-8
    throw LoadError(file_.source(), "tokenizer", "holds text for " + path.filename().string() + " that is not UTF-8");
  }
}

ConvertReport Conversion::write(const fs::path& folder) {
  write_json(folder / "config.json", config(), 2);
  write_json(folder / "generation_config.json", generation_config(), 2);
  write_json(folder / "tokenizer_config.json", tokenizer_.tokenizer_config(llama_.context_length()), 1);
  write_file_atomically(folder / "tokenizer.json", tokenizer_.tokenizer_json());
  write_tensors(folder);
  return {.tensors = outputs_.size(),
          .bytes = total_bytes_,
          .bits_per_weight = 8.0 * static_cast<double>(total_bytes_) / static_cast<double>(parameters_),
          .rounded = rounded_};
}

}  // namespace

ConvertReport convert_gguf(const ConvertOptions& options) {
  const GgufFile file(options.gguf);
  Conversion conversion(file, options);
  PendingFolder folder(options.output);
  const ConvertReport report = conversion.write(folder.temporary());
  folder.commit();
  return report;
}

}  // namespace hearth::weights
