// convert_gguf in four steps: check everything (GgufModel, GgufTokenizer), plan the tensors to write, write the small
// files, stream the tensors row by row from the mapped GGUF into the safetensors files; then the folder gets its name.
// A quantized tensor becomes three (weight, scales, biases), each made in a pass of its own over the source's blocks.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "weights/convert.h"
#include "weights/gguf.h"
#include "weights/gguf_blocks.h"
#include "weights/gguf_model.h"
#include "weights/gguf_tokenizer.h"
#include "weights/pending_folder.h"
#include "weights/row_encoder.h"
#include "weights/safetensors_writer.h"

namespace hearth::weights {

namespace fs = std::filesystem;

namespace {

constexpr size_t kPieceBytes = 4 << 20;  // written and reported at once

// One tensor to write and where it comes from.
struct Output {
  TensorPlan plan;
  RowPart part;
  RowForm form;
  const ModelTensor* tensor;
};

class Conversion {
 public:
  Conversion(const GgufFile& file, const ConvertOptions& options)
      : file_(file), options_(options), format_(format_of(options.dtype)), model_(file), tokenizer_(file) {
    for (const ModelTensor& tensor : model_.tensors()) plan(tensor);
  }

  ConvertReport write(const fs::path& folder);

 private:
  void plan(const ModelTensor& tensor);
  void plan_part(const ModelTensor& tensor, RowForm form, RowPart part, std::string name, std::vector<int64_t> shape);
  RowForm form_of(const ModelTensor& tensor) const;

  void write_tensors(const fs::path& folder);
  void write_rows(const Output& output);
  void flush();
  void report(const Output& output, const RowEncoder& encoder);
  std::vector<ConvertedType> converted_types() const;

  Json quantization() const;
  Json config() const;
  Json generation_config() const;
  Json end_tokens() const;
  void write_json(const fs::path& path, const Json& value, int indent) const;

  const GgufFile& file_;
  const ConvertOptions& options_;
  FloatFormat format_;
  GgufModel model_;
  GgufTokenizer tokenizer_;
  std::vector<Output> outputs_;
  uint64_t total_bytes_ = 0, parameters_ = 0, done_bytes_ = 0;
  std::map<std::string_view, ConvertedType> types_;      // of matrices
  std::map<std::string_view, RowEncoder::Loss> losses_;  // by the same keys
  std::unique_ptr<SafetensorsWriter> writer_;
  std::vector<std::byte> pending_;
};

void Conversion::plan_part(const ModelTensor& tensor, RowForm form, RowPart part, std::string name,
                           std::vector<int64_t> shape) {
  const bool codes = part == RowPart::kCodes;
  uint64_t bytes = codes ? sizeof(uint32_t) : format_.bytes;
  for (int64_t extent : shape) bytes *= static_cast<uint64_t>(extent);
  total_bytes_ += bytes;
  const char* dtype = codes ? "U32" : format_.safetensors_name;
  outputs_.push_back({{std::move(name), dtype, std::move(shape), bytes}, part, form, &tensor});
}

// Matrices that affine groups hold keep their codes; what else is quantized becomes numbers, or is quantized anew.
RowForm Conversion::form_of(const ModelTensor& tensor) const {
  if (tensor.source == nullptr || tensor.shape.size() != 2) return {};
  const GgufType type = tensor.source->type;
  if (const int bits = affine_bits(type); bits != 0) return {RowForm::Kind::kCodes, bits};
  if (block_of(type).values == 1 || options_.requantize_bits == 0) return {};
  return {RowForm::Kind::kRequantized, options_.requantize_bits};
}

void Conversion::plan(const ModelTensor& tensor) {
  uint64_t values = 1;
  for (int64_t extent : tensor.shape) values *= static_cast<uint64_t>(extent);
  parameters_ += values;
  const bool vector = tensor.shape.size() == 1;
  if (const GgufTensor* source = tensor.source;
      source != nullptr && (!is_numbers(source->type) || (vector && block_of(source->type).values > 1)))
    throw LoadError(
        file_.source(), source->name,
        fmt::format("a {} of type {} cannot be converted", vector ? "vector" : "matrix", name_of(source->type)));
  const RowForm form = form_of(tensor);
  if (!form.is_quantized()) return plan_part(tensor, form, RowPart::kNumbers, tensor.name, tensor.shape);
  const std::string layer = tensor.name.substr(0, tensor.name.rfind('.'));
  const int64_t rows = tensor.shape[0], groups = tensor.shape[1] / kGgufGroupSize;
  plan_part(tensor, form, RowPart::kCodes, tensor.name, {rows, groups * form.bits});
  plan_part(tensor, form, RowPart::kScales, layer + ".scales", {rows, groups});
  plan_part(tensor, form, RowPart::kBiases, layer + ".biases", {rows, groups});
}

// q and k of some architectures: within each head llama.cpp keeps rows 0, D/2, 1, D/2 + 1, ... of the original.
int64_t source_row(const ModelTensor& tensor, int64_t row) {
  if (tensor.interleaved_heads == 0) return row;
  const int64_t head_dim = tensor.shape[0] / tensor.interleaved_heads;
  const int64_t head = row / head_dim, within = row % head_dim;
  const int64_t half = within / (head_dim / 2), index = within % (head_dim / 2);
  return head * head_dim + 2 * index + half;
}

void Conversion::flush() {
  writer_->write(pending_);
  done_bytes_ += pending_.size();
  pending_.clear();
  if (options_.progress) options_.progress(done_bytes_, total_bytes_);
}

void Conversion::write_rows(const Output& output) {
  const ModelTensor& tensor = *output.tensor;
  if (tensor.source == nullptr) {
    pending_.resize(pending_.size() + output.plan.bytes);
    return flush();
  }
  const auto rows = static_cast<size_t>(tensor.shape[0]), row_bytes = tensor.source->bytes.size() / rows;
  const size_t width = tensor.shape.size() == 2 ? static_cast<size_t>(tensor.shape[1]) : 1;
  RowEncoder encoder(tensor.source->type, width, output.form, options_.dtype);
  for (size_t row = 0; row < rows; ++row) {
    const auto from = static_cast<size_t>(source_row(tensor, static_cast<int64_t>(row)));
    const auto bytes = encoder.encode(tensor.source->bytes.data() + from * row_bytes, output.part);
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    if (encoder.overflowed())
      throw LoadError(file_.source(), tensor.source->name,
                      fmt::format("has numbers that do not fit into {}; choose another dtype", format_.config_name));
    if (pending_.size() >= kPieceBytes) flush();
  }
  if (!pending_.empty()) flush();
  report(output, encoder);
}

void Conversion::report(const Output& output, const RowEncoder& encoder) {
  if (output.tensor->shape.size() != 2) return;
  const GgufTensor& source = *output.tensor->source;
  ConvertedType& type = types_[name_of(source.type)];
  type.bytes += output.plan.bytes;
  if (output.part != RowPart::kNumbers && output.part != RowPart::kCodes) return;
  ++type.matrices;
  type.numbers += static_cast<uint64_t>(output.tensor->shape[0]) * static_cast<uint64_t>(output.tensor->shape[1]);
  type.bytes_before += source.bytes.size();
  type.bits = output.form.bits;
  type.requantized = output.form.kind == RowForm::Kind::kRequantized;
  type.could_be_requantized = !output.form.is_quantized() && block_of(source.type).values > 1;
  losses_[name_of(source.type)].lost += encoder.loss().lost;
  losses_[name_of(source.type)].whole += encoder.loss().whole;
}

std::vector<ConvertedType> Conversion::converted_types() const {
  std::vector<ConvertedType> types;
  for (const auto& [name, type] : types_) {
    const RowEncoder::Loss& loss = losses_.at(name);
    types.push_back(type);
    types.back().name = name;
    types.back().loss = loss.lost == 0 ? 0 : std::sqrt(loss.lost / loss.whole);
  }
  return types;
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
    if (output.part == RowPart::kCodes) ++counts[output.form.bits];
  if (counts.empty()) return nullptr;
  const auto commonest =
      std::max_element(counts.begin(), counts.end(), [](auto a, auto b) { return a.second < b.second; });
  Json recipe = {{"group_size", kGgufGroupSize}, {"bits", commonest->first}};
  for (const Output& output : outputs_) {
    if (output.part != RowPart::kCodes) continue;
    const std::string layer = output.plan.name.substr(0, output.plan.name.rfind('.'));
    if (output.form.bits != commonest->first)
      recipe[layer] = {{"group_size", kGgufGroupSize}, {"bits", output.form.bits}};
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
  Json config = model_.config();
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
  write_json(folder / "tokenizer_config.json", tokenizer_.tokenizer_config(model_.context_length()), 1);
  write_file_atomically(folder / "tokenizer.json", tokenizer_.tokenizer_json());
  write_tensors(folder);
  return {.tensors = outputs_.size(),
          .bytes = total_bytes_,
          .bits_per_weight = 8.0 * static_cast<double>(total_bytes_) / static_cast<double>(parameters_),
          .types = converted_types()};
}

}  // namespace

ConvertReport convert_gguf(const ConvertOptions& options) {
  constexpr int kBits[] = {0, 2, 3, 4, 5, 6, 8};
  if (!std::ranges::count(kBits, options.requantize_bits))
    throw std::invalid_argument("[convert_gguf] requantize_bits must be 2, 3, 4, 5, 6 or 8.");
  const GgufFile file(options.gguf);
  Conversion conversion(file, options);
  PendingFolder folder(options.output);
  const ConvertReport report = conversion.write(folder.temporary());
  folder.commit();
  return report;
}

}  // namespace hearth::weights
