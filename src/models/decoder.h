// The pre-norm decoder with rotary attention and gated feed-forward that Llama began and several families share.
//
// A family fills in a DecoderConfig from its config.json; everything else is here.
// Shapes:  T tokens of a step, E model width, R rows, V vocabulary.
#pragma once

#include <string>
#include <vector>

#include "models/model.h"
#include "nn/attention.h"
#include "nn/layer_loader.h"
#include "nn/swiglu.h"
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
  bool tied_head = true;
  bool qkv_bias = false, o_bias = false, mlp_bias = false;
  bool qk_norm = false;
  std::vector<int> windows;  // of each layer; 0: sees all
};

// The keys that all these families have, with Llama's defaults. Throws LoadError naming the key.
DecoderConfig read_decoder_config(const weights::ConfigReader& config);

// Whether the head is the embedding: as the config says, else unless there is a head of its own. Drops the copy of a
// tied head that some folders carry.
bool is_head_tied(const weights::ConfigReader& config, nn::LayerLoader& loader);

class Decoder final : public Model {
 public:
  // Takes the tensors from `loader`, all of them. Throws LoadError naming the tensor that does not fit.
  Decoder(const DecoderConfig& config, nn::Rope rope, nn::LayerLoader& loader);

  mx::array forward(const mx::array& tokens, cache::RaggedBatch& batch) override;
  mx::array logits(const mx::array& hidden) override;
  std::unique_ptr<cache::SequenceCache> make_cache(const CacheOptions& options) const override;

 private:
  struct Layer {
    nn::RMSNorm input_layernorm;
    nn::Attention self_attn;
    nn::RMSNorm post_attention_layernorm;
    nn::SwiGLU mlp;
  };
  static Layer load_layer(const DecoderConfig& config, int index, nn::LayerLoader& loader);

  nn::Embedding embed_tokens_;
  std::vector<Layer> layers_;
  nn::RMSNorm norm_;
  std::optional<nn::Linear> lm_head_;  // nothing: the head is the embedding
  nn::Rope rope_;
};

}  // namespace hearth::models
