// The pre-norm decoder with rotary attention and gated feed-forward that Llama began and several families share.
//
// A family fills in a DecoderConfig from its config.json; everything else is here.
// Shapes:  T tokens of a step, E model width, R rows, V vocabulary.
#pragma once

#include <string>
#include <vector>

#include "models/model.h"
#include "nn/attention.h"
#include "nn/gated_mlp.h"
#include "nn/layer_loader.h"
#include "weights/model_folder.h"

namespace hearth::models {

struct DecoderConfig {
  int hidden_size = 0;
  int layers = 0;
  int intermediate_size = 0;
  int heads = 0, kv_heads = 0, head_dim = 0;
  int vocab_size = 0;
  float rms_norm_eps = 1e-6f;
  nn::RopeOptions rope;
  nn::Activation activation;
  bool tied_head = true;
  bool qkv_bias = false, o_bias = false, mlp_bias = false;
  bool qk_norm = false;
  std::vector<int> windows;  // of each layer; 0: sees all
  std::vector<std::string> notes = {};
};

// The keys that all these families have, with Llama's defaults. Throws LoadError naming the key.
DecoderConfig read_decoder_config(const weights::ConfigReader& config);

// Qwen's windows where there are no layer_types: if use_sliding_window is true, of the layers from max_window_layers
// on.
void read_late_windows(const weights::ConfigReader& config, DecoderConfig& decoder);

// The rope of each layer: one for all, or one for each kind of layer.
struct LayerRopes {
  std::vector<nn::Rope> ropes;
  std::vector<size_t> of_layer;
};
LayerRopes read_ropes(const weights::ConfigReader& config, const DecoderConfig& decoder);

// Whether the head is the embedding: as the config says, else unless there is a head of its own. Drops the copy of a
// tied head that some folders carry.
bool is_head_tied(const weights::ConfigReader& config, nn::LayerLoader& loader);

class Decoder final : public Model {
 public:
  // Takes the tensors from `loader`, all of them. Throws LoadError naming the tensor that does not fit.
  Decoder(const DecoderConfig& config, LayerRopes ropes, nn::LayerLoader& loader);

  mx::array forward(const mx::array& tokens, cache::RaggedBatch& batch) override;
  mx::array logits(const mx::array& hidden) override;
  std::unique_ptr<cache::SequenceCache> make_cache(const CacheOptions& options) const override;

 private:
  struct Layer {
    nn::RMSNorm input_layernorm;
    nn::Attention self_attn;
    nn::RMSNorm post_attention_layernorm;
    nn::GatedMLP mlp;
    size_t rope;  // of ropes_
  };
  static Layer load_layer(const DecoderConfig& config, int index, size_t rope, nn::LayerLoader& loader);

  nn::Embedding embed_tokens_;
  std::vector<Layer> layers_;
  nn::RMSNorm norm_;
  std::optional<nn::Linear> lm_head_;  // nothing: the head is the embedding
  std::vector<nn::Rope> ropes_;
};

}  // namespace hearth::models
