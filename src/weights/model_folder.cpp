// Opening reads three small JSON files under limits and maps every model*.safetensors; the arrays that core/io makes of
// them point into the mapping. The index, where there is one, says which files those are; which tensor is in which it
// is not asked.
#include "weights/model_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "core/mx.h"

namespace hearth::weights {

namespace fs = std::filesystem;

namespace {

// Quantization recipes may name every layer: 126 layers of 7 products are 882 keys, mixtures of experts have more.
constexpr JsonLimits kConfigLimits{.depth = 32, .keys = 8192, .nodes = 200'000, .bytes = 16u << 20};
constexpr size_t kIndexBytes = 64u << 20;
constexpr IntRange kTokenIds{.min = -1, .max = INT32_MAX};

// Collects the file names of model.safetensors.index.json's weight_map without building it: the map has an entry per
// tensor, and ordered_json's objects take quadratic time beyond a few thousand.
class IndexReader : public nlohmann::json_sax<Json> {
 public:
  std::set<std::string> files;

  bool null() override { return may_be_here(); }
  bool boolean(bool) override { return may_be_here(); }
  bool number_integer(number_integer_t) override { return may_be_here(); }
  bool number_unsigned(number_unsigned_t) override { return may_be_here(); }
  bool number_float(number_float_t, const string_t&) override { return may_be_here(); }
  bool binary(binary_t&) override { return false; }
  bool string(string_t& value) override {
    if (depth_ != 2 || !in_map_) return may_be_here();
    files.insert(value);
    return files.size() <= kMostFiles;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) in_map_ = name == "weight_map";
    return true;
  }
  bool start_object(size_t) override { return (depth_ < 2 || !in_map_) && ++depth_ <= kDeepest; }
  bool start_array(size_t) override { return may_be_here() && ++depth_ <= kDeepest; }
  bool end_object() override { return --depth_, true; }
  bool end_array() override { return --depth_, true; }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  // Whether a value that is no object, and in the map no file, may stand here.
  bool may_be_here() const { return depth_ > 0 && !in_map_; }

  static constexpr int kDeepest = 8;
  static constexpr size_t kMostFiles = 10'000;
  int depth_ = 0;
  bool in_map_ = false;
};

bool names_weights(std::string_view file) { return file.starts_with("model") && file.ends_with(".safetensors"); }

std::vector<fs::path> weight_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (names_weights(entry.path().filename().string())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The files that the index names; nothing without an index, or with one left from another form of the model, none of
// whose files is there.
std::vector<fs::path> indexed_files(const fs::path& folder, bool has_weights) {
  const fs::path index = folder / "model.safetensors.index.json";
  if (!is_present(index)) return {};
  IndexReader reader;
  const std::string text = read_file(index, kIndexBytes);
  if (!Json::sax_parse(text, &reader)) throw LoadError(index.string(), "not a valid index");
  std::vector<fs::path> files;
  std::vector<std::string> missing;
  for (const std::string& file : reader.files) {
    if (fs::path(file).filename() != fs::path(file) || !names_weights(file))
      throw LoadError(index.string(), file, "not the name of a file model*.safetensors");
    files.push_back(folder / file);
    if (!fs::is_regular_file(files.back())) missing.push_back(file);
  }
  if (missing.size() == files.size() && has_weights) return {};
  if (!missing.empty()) throw LoadError(index.string(), missing.front(), "this file is missing");
  return files;
}

// Whatever else lies beside the files of an index is no part of the model.
TensorSet load_tensors(const fs::path& folder) {
  TensorSet tensors(folder);
  std::vector<fs::path> files = weight_files(folder);
  if (auto indexed = indexed_files(folder, !files.empty()); !indexed.empty()) files = std::move(indexed);
  if (files.empty()) throw LoadError(folder.string(), "holds no model*.safetensors");
  for (const fs::path& file : files)
    for (auto& [name, value] : mx::load_safetensors(file.string()).first) tensors.add(name, value, file);
  return tensors;
}

// A number or an array of numbers; -1 is none.
std::vector<int> token_ids(const ConfigReader& config, std::string_view key) {
  if (!config.has(key)) return {};
  const bool several = config.json().find(key)->is_array();
  std::vector<int> ids = several ? config.integers(key, kTokenIds) : std::vector{config.integer(key, kTokenIds)};
  std::erase(ids, -1);
  return ids;
}

// Nothing in the file is needed, and published ones have been damaged: a text that is no JSON object is ignored with a
// warning.
Json load_generation_config(const fs::path& path, std::vector<std::string>& warnings) {
  if (!is_present(path)) return Json::object();
  const std::string text = read_file(path, kConfigLimits.bytes);
  try {
    Json config = parse_json(text, path.string(), kConfigLimits);
    return ConfigReader(config, path.string()).json();
  } catch (const LoadError& error) {
    warnings.push_back(std::string(error.what()) + "; the file is ignored");
    return Json::object();
  }
}

std::vector<int> eos_ids(const ConfigReader& generation_config, const ConfigReader& config) {
  auto ids = token_ids(generation_config, "eos_token_id");
  return ids.empty() ? token_ids(config, "eos_token_id") : ids;
}

Json load_config(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw LoadError(folder.string(), "no such folder");
  return load_json(folder / "config.json", kConfigLimits);
}

}  // namespace

struct ModelFolder::State {
  explicit State(const fs::path& folder)
      : path(folder), config(load_config(folder)), reader(config, (folder / "config.json").string()) {
    model_type = reader.string("model_type");
    recipe = QuantizationRecipe(reader);
    const fs::path generation_path = folder / "generation_config.json";
    const Json generation = load_generation_config(generation_path, warnings);
    eos = eos_ids(ConfigReader(generation, generation_path.string()), reader);
    tensors = load_tensors(folder);
    bytes = tensors.bytes();
  }

  fs::path path;
  Json config;
  ConfigReader reader;
  std::string model_type;
  QuantizationRecipe recipe;
  std::vector<int> eos;
  TensorSet tensors{path};
  size_t bytes = 0;
  std::vector<std::string> warnings;
};

ModelFolder::ModelFolder(const fs::path& path) : state_(std::make_unique<State>(path)) {}
ModelFolder::~ModelFolder() = default;
ModelFolder::ModelFolder(ModelFolder&&) noexcept = default;

const fs::path& ModelFolder::path() const { return state_->path; }
const Json& ModelFolder::config() const { return state_->config; }
ConfigReader ModelFolder::read_config() const { return state_->reader; }
const std::string& ModelFolder::model_type() const { return state_->model_type; }
TensorSet ModelFolder::tensors() const { return state_->tensors; }
size_t ModelFolder::bytes() const { return state_->bytes; }
const std::vector<int>& ModelFolder::eos_token_ids() const { return state_->eos; }
const std::vector<std::string>& ModelFolder::warnings() const { return state_->warnings; }

std::optional<Quantization> ModelFolder::quantization(std::string_view layer, int inputs) const {
  const std::string scales = std::string(layer) + ".scales", weight = std::string(layer) + ".weight";
  const auto recipe = state_->recipe.of_layer(layer);
  if (state_->recipe.names(layer)) return recipe;
  const auto groups = state_->tensors.shape_of(scales), words = state_->tensors.shape_of(weight);
  if (!groups) return std::nullopt;
  if (!recipe) throw LoadError(state_->reader.source(), "quantization", "missing, but there is a tensor " + scales);
  if (!words || words->empty() || groups->empty()) return recipe;
  return recipe->of_shapes(inputs, words->back(), groups->back());
}

bool tie_head(const ConfigReader& config, TensorSet& tensors, bool by_default) {
  const bool tied = config.boolean_or("tie_word_embeddings", by_default);
  if (tied)
    for (const char* name : {"lm_head.weight", "lm_head.scales", "lm_head.biases"}) tensors.drop(name);
  return tied;
}

}  // namespace hearth::weights
