// A model on disk in MLX's format: config.json, model*.safetensors, generation_config.json.
//
// The files are mapped, not read: opening costs the headers, pages of weights come in as they are used.
// Threads: const once constructed. Lifetime: arrays keep their mapping; they may outlive the folder object.
// Source:  mlx-lm's utils.load_model; an index file is not needed; where there is one, what it
//          names must be there, and other files are no part of the model.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "weights/config_reader.h"
#include "weights/quantization.h"
#include "weights/tensor_set.h"

namespace hearth::weights {

class ModelFolder {
 public:
  // Throws LoadError naming file and key when the folder, a file or a value in the config is missing or damaged.
  explicit ModelFolder(const std::filesystem::path& path);
  ~ModelFolder();
  ModelFolder(ModelFolder&&) noexcept;

  const std::filesystem::path& path() const;

  // config.json as it is, and a reader of it.
  const Json& config() const;
  ConfigReader read_config() const;
  // config.json's model_type.
  const std::string& model_type() const;

  // A copy (of handles) for a model to take from.
  TensorSet tensors() const;
  // Bytes of all tensors.
  size_t bytes() const;

  // How the weights of a layer ("model.layers.0.mlp.up_proj") with rows of `inputs` numbers are stored; nothing when
  // they are plain numbers. A layer is quantized if it has an entry of its own in the config, or if `<layer>.scales` is
  // among the tensors: then as the config says of all layers or, where its tensors do not have those shapes, as their
  // shapes say. Throws LoadError when there are scales but the config does not say of what kind.
  std::optional<Quantization> quantization(std::string_view layer, int inputs) const;

  // The tokens that end an answer: generation_config.json's eos_token_id if it has one, else config.json's. May be
  // empty.
  const std::vector<int>& eos_token_ids() const;

  // One sentence for each thing that was wrong with the folder and could be passed over.
  const std::vector<std::string>& warnings() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether the head shares the embedding's weights (tie_word_embeddings). If so, drops the copy of them, `lm_head.*`,
// that some folders carry. `by_default` is the family's answer for a config that does not say.
bool tie_head(const ConfigReader& config, TensorSet& tensors, bool by_default);

}  // namespace hearth::weights
