// Qwen 2 and 2.5, dense: biases on queries, keys and values.
#include "models/decoder.h"
#include "models/families.h"

namespace hearth::models {

std::unique_ptr<Model> load_qwen2(const weights::ModelFolder& folder) {
  const weights::ConfigReader json = folder.read_config();
  DecoderConfig config = read_decoder_config(json);
  config.qkv_bias = true;
  read_late_windows(json, config);

  nn::LayerLoader loader(folder);
  config.tied_head = is_head_tied(json, loader);
  return std::make_unique<Decoder>(config, read_ropes(json, config), loader);
}

}  // namespace hearth::models
