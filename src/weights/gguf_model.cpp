// The list of tensors a model must have follows from its hyperparameters; each is looked up under llama.cpp's
// name and checked, and what the file holds beyond them is refused, so a model that is a bit different never converts
// quietly.
#include "weights/gguf_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>

#include "base/error.h"

namespace hearth::weights {

namespace {

constexpr GgufArchitecture kArchitectures[] = {
    {"llama", "LlamaForCausalLM", true, false, false},
    {"qwen2", "Qwen2ForCausalLM", false, true, false},
    {"qwen3", "Qwen3ForCausalLM", false, false, true},
};

const GgufArchitecture& architecture_of(const ConfigReader& metadata) {
  const std::string name = metadata.string("general.architecture");
  const auto* found = std::ranges::find_if(kArchitectures, [&](const auto& one) { return one.name == name; });
  if (found == std::end(kArchitectures))
    metadata.refuse("general.architecture", fmt::format("'{}' cannot be converted, only llama, qwen2 and qwen3", name));
  return *found;
}

constexpr FloatRange kFactors{.min = 1e-6, .max = 1e6};

// GGUF stores 1e-5 as a float; the double nearest to what was meant is the shortest decimal that gives the same float.
double shortest_decimal(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), static_cast<float>(value)).ptr;
  double meant = value;
  std::from_chars(text, end, meant);
  return meant;
}

// What Llama 3.1 divides the frequency theta^(-2i/D) by.
double llama3_divisor(double frequency, double factor, double original_context) {
  constexpr double kLow = 1, kHigh = 4;
  const double wavelength = 2 * std::numbers::pi / frequency;
  if (wavelength < original_context / kHigh) return 1;
  if (wavelength > original_context / kLow) return factor;
  const double smooth = (original_context / wavelength - kLow) / (kHigh - kLow);
  return 1 / ((1 - smooth) / factor + smooth);
}

std::vector<float> float_values(const GgufTensor& tensor) {
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor.bytes.data(), values.size() * sizeof(float));
  return values;
}

}  // namespace

GgufModel::GgufModel(const GgufFile& file) : file_(file) {
  read_metadata();
  add("model.embed_tokens.weight", "token_embd.weight", {vocabulary_, hidden_});
  for (int layer = 0; layer < layers_; ++layer) add_layer(layer);
  add("model.norm.weight", "output_norm.weight", {hidden_});
  tied_ = file_.find("output.weight") == nullptr;
  if (!tied_) add("lm_head.weight", "output.weight", {vocabulary_, hidden_});
  refuse_leftovers();
}

void GgufModel::read_metadata() {
  const ConfigReader metadata = file_.metadata();
  architecture_ = &architecture_of(metadata);
  if (metadata.integer_or(key("expert_count"), 0, {.min = 0}) > 0)
    metadata.refuse(key("expert_count"), "mixtures of experts cannot be converted");
  layers_ = metadata.integer(key("block_count"), {.max = 4096});
  hidden_ = metadata.integer(key("embedding_length"));
  ffn_ = metadata.integer(key("feed_forward_length"));
  heads_ = metadata.integer(key("attention.head_count"), {.max = hidden_});
  kv_heads_ = metadata.integer_or(key("attention.head_count_kv"), heads_, {.max = heads_});
  if (heads_ % kv_heads_ != 0) metadata.refuse(key("attention.head_count_kv"), "does not divide head_count");
  head_dim_ = metadata.integer_or(key("attention.key_length"), hidden_ / heads_, {.max = 1 << 16});
  if (metadata.integer_or(key("attention.value_length"), head_dim_) != head_dim_)
    metadata.refuse(key("attention.value_length"), "differs from key_length");
  if (metadata.integer_or(key("rope.dimension_count"), head_dim_) != head_dim_ || head_dim_ % 2 != 0)
    metadata.refuse(key("rope.dimension_count"), fmt::format("is not the (even) head size {}", head_dim_));
  context_length_ = metadata.integer(key("context_length"), {.max = 1 << 30});
  rms_norm_eps_ = shortest_decimal(metadata.number(key("attention.layer_norm_rms_epsilon"), {.min = 0, .max = 1}));
  rope_theta_ = shortest_decimal(metadata.number_or(key("rope.freq_base"), 10000, {.min = 1, .max = 1e12}));
  const GgufTensor* embedding = file_.find("token_embd.weight");
  if (embedding == nullptr) throw LoadError(file_.source(), "token_embd.weight", "missing tensor");
  vocabulary_ = static_cast<int>(embedding->shape[0]);
  has_qkv_bias_ = file_.find("blk.0.attn_q.bias") != nullptr;
  mlp_bias_ = file_.find("blk.0.ffn_up.bias") != nullptr;
}

void GgufModel::add(std::string name, const std::string& gguf_name, std::vector<int64_t> shape, int heads) {
  const GgufTensor* source = file_.find(gguf_name);
  if (source == nullptr) throw LoadError(file_.source(), gguf_name, "missing tensor");
  if (source->shape != shape)
    throw LoadError(file_.source(), gguf_name,
                    fmt::format("has shape {}, the metadata asks for {}", source->shape, shape));
  tensors_.push_back({std::move(name), source, std::move(shape), architecture_->interleaves_rows ? heads : 0});
}

void GgufModel::add_projection(const std::string& name, const std::string& gguf_name, int64_t rows, int64_t columns,
                               bool bias, int heads) {
  add(name + ".weight", gguf_name + ".weight", {rows, columns}, heads);
  if (bias) add(name + ".bias", gguf_name + ".bias", {rows}, heads);
}

void GgufModel::add_attention(const std::string& to, const std::string& from) {
  const int64_t queries = int64_t{heads_} * head_dim_, keys = int64_t{kv_heads_} * head_dim_;
  add_projection(to + "q_proj", from + "attn_q", queries, hidden_, has_qkv_bias_, heads_);
  add_projection(to + "k_proj", from + "attn_k", keys, hidden_, has_qkv_bias_, kv_heads_);
  add_projection(to + "v_proj", from + "attn_v", keys, hidden_, has_qkv_bias_);
  // llama.cpp runs files without the biases that the family always has.
  if (architecture_->qkv_bias && !has_qkv_bias_) {
    tensors_.push_back({to + "q_proj.bias", nullptr, {queries}});
    for (const char* name : {"k_proj.bias", "v_proj.bias"}) tensors_.push_back({to + name, nullptr, {keys}});
  }
  // Hugging Face's attention_bias means all four projections.
  const bool output_bias = file_.find(from + "attn_output.bias") != nullptr;
  add_projection(to + "o_proj", from + "attn_output", hidden_, queries, output_bias && has_attention_bias());
  if (has_attention_bias() && !output_bias) tensors_.push_back({to + "o_proj.bias", nullptr, {hidden_}});
  if (!architecture_->qk_norm) return;
  add(to + "q_norm.weight", from + "attn_q_norm.weight", {head_dim_});
  add(to + "k_norm.weight", from + "attn_k_norm.weight", {head_dim_});
}

void GgufModel::add_layer(int layer) {
  const std::string to = fmt::format("model.layers.{}.", layer), from = fmt::format("blk.{}.", layer);
  add(to + "input_layernorm.weight", from + "attn_norm.weight", {hidden_});
  add_attention(to + "self_attn.", from);
  add(to + "post_attention_layernorm.weight", from + "ffn_norm.weight", {hidden_});
  add_projection(to + "mlp.gate_proj", from + "ffn_gate", ffn_, hidden_, mlp_bias_);
  add_projection(to + "mlp.up_proj", from + "ffn_up", ffn_, hidden_, mlp_bias_);
  add_projection(to + "mlp.down_proj", from + "ffn_down", hidden_, ffn_, mlp_bias_);
}

void GgufModel::refuse_leftovers() const {
  std::set<const GgufTensor*> used;
  for (const ModelTensor& tensor : tensors_) used.insert(tensor.source);
  for (const GgufTensor& tensor : file_.tensors()) {
    // Old files repeat the rotary frequencies in every layer.
    const bool known = tensor.name == "rope_freqs.weight" || tensor.name.ends_with(".attn_rot_embd.weight");
    if (!known && !used.contains(&tensor))
      throw LoadError(file_.source(), tensor.name,
                      fmt::format("the architecture {} has no place for this tensor", architecture_->name));
  }
}

Json GgufModel::rope_scaling_from_factors(const GgufTensor& factors) const {
  if (factors.type != GgufType::kF32 || factors.shape != std::vector<int64_t>{head_dim_ / 2})
    throw LoadError(file_.source(), factors.name, fmt::format("not {} values of type F32", head_dim_ / 2));
  const std::vector<float> divisors = float_values(factors);
  if (std::all_of(divisors.begin(), divisors.end(), [](float divisor) { return divisor == 1; })) return nullptr;
  const double factor = *std::max_element(divisors.begin(), divisors.end());
  const auto matches = [&](double original_context) {
    for (int i = 0; i < head_dim_ / 2; ++i) {
      const double frequency = std::pow(rope_theta_, -2.0 * i / head_dim_);
      const double expected = llama3_divisor(frequency, factor, original_context);
      if (!(std::abs(divisors[i] - expected) <= 1e-3 * expected)) return false;
    }
    return true;
  };
  for (int original_context : {8192, 4096, 2048, 16384, 32768})
    if (matches(original_context))
      return {{"rope_type", "llama3"},
              {"factor", shortest_decimal(factor)},
              {"low_freq_factor", 1.0},
              {"high_freq_factor", 4.0},
              {"original_max_position_embeddings", original_context}};
  throw LoadError(file_.source(), factors.name, "not the frequencies of any known scaling");
}

// Hugging Face's rope_scaling; null for none.
Json GgufModel::rope_scaling() const {
  const GgufTensor* factors = file_.find("rope_freqs.weight");
  Json by_factors = factors != nullptr ? rope_scaling_from_factors(*factors) : Json();
  Json by_metadata = rope_scaling_from_metadata();
  if (!by_factors.is_null() && !by_metadata.is_null())
    throw LoadError(file_.source(), factors->name,
                    fmt::format("cannot be converted together with {}", key("rope.scaling")));
  return by_factors.is_null() ? std::move(by_metadata) : std::move(by_factors);
}

Json GgufModel::rope_scaling_from_metadata() const {
  const ConfigReader metadata = file_.metadata();
  const double attention = metadata.number_or(key("rope.scaling.attn_factor"), 1, kFactors);
  const std::string type = metadata.string_or(key("rope.scaling.type"), "linear");
  if (type != "yarn" && attention != 1)
    metadata.refuse(key("rope.scaling.attn_factor"), "only yarn's can be converted");
  if (type == "none") return nullptr;
  const auto keys = {key("rope.scaling.factor"), key("rope.scale_linear")};  // the latter in old files
  const auto* used = std::ranges::find_if(keys, [&](const std::string& name) { return metadata.has(name); });
  if (used == keys.end()) {
    if (metadata.has(key("rope.scaling.type"))) metadata.refuse(key("rope.scaling.factor"), "missing");
    return nullptr;
  }
  const double factor = metadata.number(*used, kFactors);
  if (type == "linear" && factor == 1) return nullptr;
  if (type == "linear") return {{"rope_type", "linear"}, {"factor", shortest_decimal(factor)}};
  if (type != "yarn") metadata.refuse(key("rope.scaling.type"), fmt::format("'{}' cannot be converted", type));
  Json yarn = {{"rope_type", "yarn"},
               {"factor", shortest_decimal(factor)},
               {"original_max_position_embeddings",
                metadata.integer(key("rope.scaling.original_context_length"), {.max = 1 << 30})}};
  for (const char* name : {"beta_fast", "beta_slow"})
    if (const auto value = metadata.optional_number(key("rope.scaling.yarn_") + name, kFactors))
      yarn[name] = shortest_decimal(*value);
  if (attention != 1) yarn["attention_factor"] = attention * (0.1 * std::log(factor) + 1);
  return yarn;
}

Json GgufModel::config() const {
  Json config = {{"model_type", architecture_->name},
                 {"architectures", {architecture_->class_name}},
                 {"hidden_size", hidden_},
                 {"num_hidden_layers", layers_},
                 {"intermediate_size", ffn_},
                 {"num_attention_heads", heads_},
                 {"num_key_value_heads", kv_heads_}};
  if (head_dim_ * heads_ != hidden_ || architecture_->qk_norm) config["head_dim"] = head_dim_;
  config["rms_norm_eps"] = rms_norm_eps_;
  config["vocab_size"] = vocabulary_;
  config["rope_theta"] = rope_theta_;
  if (Json scaling = rope_scaling(); !scaling.is_null()) config["rope_scaling"] = std::move(scaling);
  config["max_position_embeddings"] = context_length_;
  if (has_attention_bias()) config["attention_bias"] = true;
  if (mlp_bias_) config["mlp_bias"] = true;
  config["tie_word_embeddings"] = tied_;
  return config;
}

}  // namespace hearth::weights
