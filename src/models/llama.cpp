// Llama 2, 3, 3.1, 3.2, Mistral, SmolLM2 and others that call themselves "llama" or "mistral".
#include "models/decoder.h"
#include "models/families.h"

namespace hearth::models {

std::unique_ptr<Model> load_llama(const weights::ModelFolder& folder) {
  const weights::ConfigReader json = folder.read_config();
  DecoderConfig config = read_decoder_config(json);
  config.qkv_bias = config.o_bias = json.boolean_or("attention_bias", false);
  config.mlp_bias = json.boolean_or("mlp_bias", false);
  if (folder.model_type() == "mistral" && !json.has("layer_types") && json.has("sliding_window")) {
    // Mistral 7B v0.1: every layer sees a window; 0 is none.
    config.windows.assign(config.windows.size(), json.integer("sliding_window", {.min = 0}));
  }

  nn::LayerLoader loader(folder);
  config.tied_head = is_head_tied(json, loader);
  return std::make_unique<Decoder>(config, read_ropes(json, config), loader);
}

}  // namespace hearth::models
