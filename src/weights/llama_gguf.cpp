// The list of tensors a Llama model must have follows from its hyperparameters; each is looked up under llama.cpp's
// name and checked, and what the file holds beyond them is refused, so a model that is a bit different never converts
// quietly.
#include "weights/llama_gguf.h"

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

LlamaGguf::LlamaGguf(const GgufFile& file) : file_(file) {
  read_metadata();
  add("model.embed_tokens.weight", "token_embd.weight", {vocabulary_, hidden_});
  for (int layer = 0; layer < layers_; ++layer) add_layer(layer);
  add("model.norm.weight", "output_norm.weight", {hidden_});
  tied_ = file_.find("output.weight") == nullptr;
  if (!tied_) add("lm_head.weight", "output.weight", {vocabulary_, hidden_});
  refuse_leftovers();
}

void LlamaGguf::read_metadata() {
  const ConfigReader metadata = file_.metadata();
  const std::string architecture = metadata.string("general.architecture");
  if (architecture != "llama")
    metadata.refuse("general.architecture", fmt::format("'{}' cannot be converted, only llama", architecture));
  if (metadata.integer_or("llama.expert_count", 0, {.min = 0}) > 0)
    metadata.refuse("llama.expert_count", "mixtures of experts cannot be converted");
  layers_ = metadata.integer("llama.block_count", {.max = 4096});
  hidden_ = metadata.integer("llama.embedding_length");
  ffn_ = metadata.integer("llama.feed_forward_length");
  heads_ = metadata.integer("llama.attention.head_count", {.max = hidden_});
  kv_heads_ = metadata.integer_or("llama.attention.head_count_kv", heads_, {.max = heads_});
  if (heads_ % kv_heads_ != 0) metadata.refuse("llama.attention.head_count_kv", "does not divide head_count");
  head_dim_ = metadata.integer_or("llama.attention.key_length", hidden_ / heads_, {.max = 1 << 16});
  if (metadata.integer_or("llama.attention.value_length", head_dim_) != head_dim_)
    metadata.refuse("llama.attention.value_length", "differs from key_length");
  if (metadata.integer_or("llama.rope.dimension_count", head_dim_) != head_dim_ || head_dim_ % 2 != 0)
    metadata.refuse("llama.rope.dimension_count", fmt::format("is not the (even) head size {}", head_dim_));
  context_length_ = metadata.integer("llama.context_length", {.max = 1 << 30});
  rms_norm_eps_ = shortest_decimal(metadata.number("llama.attention.layer_norm_rms_epsilon", {.min = 0, .max = 1}));
  rope_theta_ = shortest_decimal(metadata.number_or("llama.rope.freq_base", 10000, {.min = 1, .max = 1e12}));
  const GgufTensor* embedding = file_.find("token_embd.weight");
  if (embedding == nullptr) throw LoadError(file_.source(), "token_embd.weight", "missing tensor");
  vocabulary_ = static_cast<int>(embedding->shape[0]);
  attention_bias_ = file_.find("blk.0.attn_q.bias") != nullptr;
  mlp_bias_ = file_.find("blk.0.ffn_up.bias") != nullptr;
}

void LlamaGguf::add(std::string name, const std::string& gguf_name, std::vector<int64_t> shape, int interleaved_heads) {
  const GgufTensor* source = file_.find(gguf_name);
  if (source == nullptr) throw LoadError(file_.source(), gguf_name, "missing tensor");
  if (source->shape != shape)
    throw LoadError(file_.source(), gguf_name,
                    fmt::format("has shape {}, the metadata asks for {}", source->shape, shape));
  tensors_.push_back({std::move(name), source, std::move(shape), interleaved_heads});
}

void LlamaGguf::add_projection(const std::string& name, const std::string& gguf_name, int64_t rows, int64_t columns,
                               bool bias, int interleaved_heads) {
  add(name + ".weight", gguf_name + ".weight", {rows, columns}, interleaved_heads);
  if (bias) add(name + ".bias", gguf_name + ".bias", {rows}, interleaved_heads);
}

void LlamaGguf::add_layer(int layer) {
  const std::string to = fmt::format("model.layers.{}.", layer), from = fmt::format("blk.{}.", layer);
  const int64_t queries = int64_t{heads_} * head_dim_, keys = int64_t{kv_heads_} * head_dim_;
  add(to + "input_layernorm.weight", from + "attn_norm.weight", {hidden_});
  add_projection(to + "self_attn.q_proj", from + "attn_q", queries, hidden_, attention_bias_, heads_);
  add_projection(to + "self_attn.k_proj", from + "attn_k", keys, hidden_, attention_bias_, kv_heads_);
  add_projection(to + "self_attn.v_proj", from + "attn_v", keys, hidden_, attention_bias_);
  const bool output_bias = file_.find(from + "attn_output.bias") != nullptr;
  add_projection(to + "self_attn.o_proj", from + "attn_output", hidden_, queries, output_bias && attention_bias_);
  // Hugging Face's attention_bias means all four projections.
  if (attention_bias_ && !output_bias) tensors_.push_back({to + "self_attn.o_proj.bias", nullptr, {hidden_}});
  add(to + "post_attention_layernorm.weight", from + "ffn_norm.weight", {hidden_});
  add_projection(to + "mlp.gate_proj", from + "ffn_gate", ffn_, hidden_, mlp_bias_);
  add_projection(to + "mlp.up_proj", from + "ffn_up", ffn_, hidden_, mlp_bias_);
  add_projection(to + "mlp.down_proj", from + "ffn_down", hidden_, ffn_, mlp_bias_);
}

void LlamaGguf::refuse_leftovers() const {
  std::set<const GgufTensor*> used;
  for (const LlamaTensor& tensor : tensors_) used.insert(tensor.source);
  for (const GgufTensor& tensor : file_.tensors()) {
    // Old files repeat the rotary frequencies in every layer.
    const bool known = tensor.name == "rope_freqs.weight" || tensor.name.ends_with(".attn_rot_embd.weight");
    if (!known && !used.contains(&tensor))
      throw LoadError(file_.source(), tensor.name, "the Llama architecture has no place for this tensor");
  }
}

Json LlamaGguf::rope_scaling_from_factors(const GgufTensor& factors) const {
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
Json LlamaGguf::rope_scaling() const {
  const GgufTensor* factors = file_.find("rope_freqs.weight");
  Json by_factors = factors != nullptr ? rope_scaling_from_factors(*factors) : Json();
  Json by_metadata = rope_scaling_from_metadata();
  if (!by_factors.is_null() && !by_metadata.is_null())
    throw LoadError(file_.source(), factors->name, "cannot be converted together with llama.rope.scaling");
  return by_factors.is_null() ? std::move(by_metadata) : std::move(by_factors);
}

Json LlamaGguf::rope_scaling_from_metadata() const {
  const ConfigReader metadata = file_.metadata();
  const double attention = metadata.number_or("llama.rope.scaling.attn_factor", 1, kFactors);
  const std::string type = metadata.string_or("llama.rope.scaling.type", "linear");
  if (type != "yarn" && attention != 1)
    metadata.refuse("llama.rope.scaling.attn_factor", "only yarn's can be converted");
  if (type == "none") return nullptr;
  const auto keys = {"llama.rope.scaling.factor", "llama.rope.scale_linear"};  // the latter in old files
  const auto* key = std::ranges::find_if(keys, [&](const char* name) { return metadata.has(name); });
  if (key == keys.end()) {
    if (metadata.has("llama.rope.scaling.type")) metadata.refuse("llama.rope.scaling.factor", "missing");
    return nullptr;
  }
  const double factor = metadata.number(*key, kFactors);
  if (type == "linear" && factor == 1) return nullptr;
  if (type == "linear") return {{"rope_type", "linear"}, {"factor", shortest_decimal(factor)}};
  if (type != "yarn") metadata.refuse("llama.rope.scaling.type", fmt::format("'{}' cannot be converted", type));
  Json yarn = {{"rope_type", "yarn"},
               {"factor", shortest_decimal(factor)},
               {"original_max_position_embeddings",
                metadata.integer("llama.rope.scaling.original_context_length", {.max = 1 << 30})}};
  for (const char* name : {"beta_fast", "beta_slow"})
    if (const auto value = metadata.optional_number(fmt::format("llama.rope.scaling.yarn_{}", name), kFactors))
      yarn[name] = shortest_decimal(*value);
  if (attention != 1) yarn["attention_factor"] = attention * (0.1 * std::log(factor) + 1);
  return yarn;
}

Json LlamaGguf::config() const {
  Json config = {{"model_type", "llama"},           {"architectures", {"LlamaForCausalLM"}},
                 {"hidden_size", hidden_},          {"num_hidden_layers", layers_},
                 {"intermediate_size", ffn_},       {"num_attention_heads", heads_},
                 {"num_key_value_heads", kv_heads_}};
  if (head_dim_ * heads_ != hidden_) config["head_dim"] = head_dim_;
  config["rms_norm_eps"] = rms_norm_eps_;
  config["vocab_size"] = vocabulary_;
  config["rope_theta"] = rope_theta_;
  if (Json scaling = rope_scaling(); !scaling.is_null()) config["rope_scaling"] = std::move(scaling);
  config["max_position_embeddings"] = context_length_;
  if (attention_bias_) config["attention_bias"] = true;
  if (mlp_bias_) config["mlp_bias"] = true;
  config["tie_word_embeddings"] = tied_;
  return config;
}

}  // namespace hearth::weights
