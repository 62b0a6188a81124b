// Construction walks the tensors in the order of the forward pass; forward reads as the network does. The residual sum
// and the norm after it are one operation (nn::ResidualStream), so a layer is 13 operations and 4 views.
#include "models/decoder.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hearth::models {
namespace {

// Sizes far beyond any model: products of two stay within 64 bits, and an absurd file fails here, by name.
constexpr weights::IntRange kWidth{.min = 1, .max = 1 << 20};
constexpr weights::IntRange kCount{.min = 1, .max = 4096};
constexpr weights::IntRange kLength{.min = 1, .max = 1 << 30};
constexpr weights::IntRange kWindow{.min = 0, .max = 1 << 30};  // 0: none

// The layers that layer_types names sliding see a window, unless use_sliding_window (Qwen's key) says no.
std::vector<int> read_windows(const weights::ConfigReader& config, int layers) {
  std::vector<int> windows(static_cast<size_t>(layers), 0);
  const auto types = config.strings("layer_types");
  if (types.empty() || !config.boolean_or("use_sliding_window", true)) return windows;
  if (types.size() != windows.size()) config.refuse("layer_types", "needs one entry for each of num_hidden_layers");
  for (size_t i = 0; i < windows.size(); ++i) {
    if (types[i] == "sliding_attention") {
      windows[i] = config.integer("sliding_window", kWindow);
    } else if (types[i] != "full_attention") {
      config.refuse("layer_types", "\"" + types[i] + "\" is not a kind of attention known here");
    }
  }
  return windows;
}

// Here and below parts are made one by one: where an initialiser list throws halfway, g++ 12 can destroy members twice.
nn::Attention load_attention(const DecoderConfig& c, const std::string& path, int window, nn::LayerLoader& loader) {
  const int q_size = c.heads * c.head_dim, kv_size = c.kv_heads * c.head_dim;
  nn::Linear q = loader.linear(path + ".q_proj", c.hidden_size, q_size, c.qkv_bias);
  nn::Linear k = loader.linear(path + ".k_proj", c.hidden_size, kv_size, c.qkv_bias);
  nn::Linear v = loader.linear(path + ".v_proj", c.hidden_size, kv_size, c.qkv_bias);
  nn::Linear o = loader.linear(path + ".o_proj", q_size, c.hidden_size, c.o_bias);
  std::optional<nn::RMSNorm> q_norm, k_norm;
  if (c.qk_norm) {
    q_norm = loader.rms_norm(path + ".q_norm", c.head_dim, c.rms_norm_eps);
    k_norm = loader.rms_norm(path + ".k_norm", c.head_dim, c.rms_norm_eps);
  }
  return {.q_proj = std::move(q),
          .k_proj = std::move(k),
          .v_proj = std::move(v),
          .o_proj = std::move(o),
          .q_norm = std::move(q_norm),
          .k_norm = std::move(k_norm),
          .heads = c.heads,
          .kv_heads = c.kv_heads,
          .head_dim = c.head_dim,
          .window = window};
}

nn::GatedMLP load_mlp(const DecoderConfig& c, const std::string& path, nn::LayerLoader& loader) {
  nn::Linear gate = loader.linear(path + ".gate_proj", c.hidden_size, c.intermediate_size, c.mlp_bias);
  nn::Linear up = loader.linear(path + ".up_proj", c.hidden_size, c.intermediate_size, c.mlp_bias);
  nn::Linear down = loader.linear(path + ".down_proj", c.intermediate_size, c.hidden_size, c.mlp_bias);
  return {
      .gate_proj = std::move(gate), .up_proj = std::move(up), .down_proj = std::move(down), .activation = c.activation};
}

void read_activation(const weights::ConfigReader& config, DecoderConfig& c) {
  const std::string name = config.string_or("hidden_act", "silu");
  const auto activation = nn::Activation::by_name(name);
  if (!activation) config.refuse("hidden_act", "\"" + name + "\" is not an activation known here");
  c.activation = *activation;
  if (!activation->is_silu())
    c.notes.push_back("hidden_act is " + name +
                      " and computed so; mlx-lm takes silu for this type of model and answers differently.");
}

}  // namespace

DecoderConfig read_decoder_config(const weights::ConfigReader& config) {
  DecoderConfig c;
  c.hidden_size = config.integer("hidden_size", kWidth);
  c.layers = config.integer("num_hidden_layers", kCount);
  c.intermediate_size = config.integer("intermediate_size", kWidth);
  c.heads = config.integer("num_attention_heads", kCount);
  c.kv_heads = config.integer_or("num_key_value_heads", c.heads, kCount);
  c.head_dim = config.integer_or("head_dim", 0, {.min = 0, .max = 256});
  if (c.head_dim == 0) c.head_dim = c.hidden_size / c.heads;
  c.vocab_size = config.integer("vocab_size", {.min = 1, .max = 1 << 24});
  c.rms_norm_eps = static_cast<float>(config.number("rms_norm_eps", {.min = 0.0, .max = 1.0}));
  c.rope.dims = c.head_dim;
  c.rope.traditional = config.boolean_or("rope_traditional", false);
  c.rope.max_position_embeddings = config.integer_or("max_position_embeddings", 0, kLength);
  c.windows = read_windows(config, c.layers);
  read_activation(config, c);
  if (c.heads % c.kv_heads != 0) config.refuse("num_key_value_heads", "must divide num_attention_heads");
  if (c.head_dim % 2 != 0 || c.head_dim < 2 || c.head_dim > 256) {
    config.refuse("head_dim", std::to_string(c.head_dim) + " is not an even number from 2 to 256");
  }
  return c;
}

void read_late_windows(const weights::ConfigReader& config, DecoderConfig& c) {
  const bool window_is_null = config.json().contains("sliding_window") && !config.has("sliding_window");
  if (config.has("layer_types") || window_is_null || !config.boolean_or("use_sliding_window", false)) return;
  const int window = config.integer_or("sliding_window", 4096, kWindow);
  const int first = config.integer_or("max_window_layers", 28, {.min = 0});
  for (int i = first; i < c.layers; ++i) c.windows[static_cast<size_t>(i)] = window;
}

LayerRopes read_ropes(const weights::ConfigReader& config, const DecoderConfig& c) {
  LayerRopes result;
  const auto add = [&](const char* layer_type) {
    result.ropes.push_back(nn::Rope::from_config(config, c.rope, layer_type));
    return result.ropes.size() - 1;
  };
  const bool by_type = nn::Rope::depends_on_layer_type(config);
  std::optional<size_t> full, sliding;
  for (const int window : c.windows) {
    const bool slides = by_type && window > 0;
    std::optional<size_t>& rope = slides ? sliding : full;
    if (!rope) rope = add(slides ? "sliding_attention" : "full_attention");
    result.of_layer.push_back(*rope);
  }
  return result;
}

bool is_head_tied(const weights::ConfigReader& config, nn::LayerLoader& loader) {
  const bool has_head = loader.tensors().contains("lm_head.weight");
  return weights::tie_head(config, loader.tensors(), /*by_default=*/!has_head);
}

Decoder::Layer Decoder::load_layer(const DecoderConfig& c, int index, size_t rope, nn::LayerLoader& loader) {
  const std::string path = "model.layers." + std::to_string(index);
  nn::RMSNorm input_layernorm = loader.rms_norm(path + ".input_layernorm", c.hidden_size, c.rms_norm_eps);
  nn::Attention self_attn = load_attention(c, path + ".self_attn", c.windows[static_cast<size_t>(index)], loader);
  nn::RMSNorm post_norm = loader.rms_norm(path + ".post_attention_layernorm", c.hidden_size, c.rms_norm_eps);
  nn::GatedMLP mlp = load_mlp(c, path + ".mlp", loader);
  return {std::move(input_layernorm), std::move(self_attn), std::move(post_norm), std::move(mlp), rope};
}

Decoder::Decoder(const DecoderConfig& c, LayerRopes ropes, nn::LayerLoader& loader)
    : embed_tokens_(loader.embedding("model.embed_tokens", c.vocab_size, c.hidden_size)),
      norm_(loader.rms_norm("model.norm", c.hidden_size, c.rms_norm_eps)),
      ropes_(std::move(ropes.ropes)) {
  for (const std::string& name : loader.tensors().names()) {
    if (name.ends_with("self_attn.rotary_emb.inv_freq")) loader.tensors().drop(name);  // old files; rope computes it
  }
  layers_.reserve(static_cast<size_t>(c.layers));
  for (int i = 0; i < c.layers; ++i)
    layers_.push_back(load_layer(c, i, ropes.of_layer[static_cast<size_t>(i)], loader));
  if (!c.tied_head) lm_head_ = loader.linear("lm_head", c.hidden_size, c.vocab_size, /*bias=*/false);
  loader.finish();
  const size_t element = mx::size_of(loader.dtype());
  const int kept = nn::Attention::kept_size(c.head_dim);
  const auto shorter = [](const nn::Rope& a, const nn::Rope& b) { return a.context_length() < b.context_length(); };
  info_ = {.vocab_size = c.vocab_size,
           .layers = c.layers,
           .context_length = std::min_element(ropes_.begin(), ropes_.end(), shorter)->context_length(),
           .kv_bytes_per_token = 2 * element * static_cast<size_t>(c.layers) * static_cast<size_t>(c.kv_heads * kept),
           .weight_bytes = loader.bytes_taken(),
           .notes = c.notes};
}

mx::array Decoder::forward(const mx::array& tokens, cache::RaggedBatch& batch) {
  std::vector<nn::Rope::Step> steps;
  for (const nn::Rope& rope : ropes_) steps.push_back(rope.at(batch.positions()));
  nn::ResidualStream h(embed_tokens_(tokens));
  for (int i = 0; i < info_.layers; ++i) {
    const Layer& layer = layers_[static_cast<size_t>(i)];
    h += layer.self_attn(h.normed(layer.input_layernorm), ropes_[layer.rope], steps[layer.rope], batch, i);
    h += layer.mlp(h.normed(layer.post_attention_layernorm));
  }
  return h.normed(norm_);
}

mx::array Decoder::logits(const mx::array& hidden) {
  return lm_head_ ? (*lm_head_)(hidden) : embed_tokens_.as_linear(hidden);
}

std::unique_ptr<cache::SequenceCache> Decoder::make_cache(const CacheOptions& options) const {
  std::vector<int> windows;
  for (const Layer& layer : layers_) windows.push_back(layer.self_attn.window);
  return cache::make_sequence_cache(windows, options);
}

}  // namespace hearth::models
