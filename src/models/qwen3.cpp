// Qwen 3, dense: no biases, but a norm over each head of queries and keys.
#include "models/decoder.h"
#include "models/families.h"

namespace hearth::models {

std::unique_ptr<Model> load_qwen3(const weights::ModelFolder& folder) {
  const weights::ConfigReader json = folder.read_config();
  DecoderConfig config = read_decoder_config(json);
  config.qk_norm = true;
  read_late_windows(json, config);

  nn::LayerLoader loader(folder);
  config.tied_head = is_head_tied(json, loader);
  return std::make_unique<Decoder>(config, read_ropes(json, config), loader);
}

}  // namespace hearth::models
