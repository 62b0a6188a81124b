// The model inside a GGUF file, of one of the architectures llama, qwen2 and qwen3: its hyperparameters, and which of
// the file's tensors is which of the model's.
//
// Source: llama.cpp's convert_hf_to_gguf (names, the order of llama's q and k rows, rope_freqs), mlx-lm's models.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "weights/gguf.h"

namespace hearth::weights {

// One tensor of the converted model.
struct ModelTensor {
  std::string name;          // "model.layers.0.self_attn.q_proj.weight"
  const GgufTensor* source;  // null: zeros
  std::vector<int64_t> shape;
  int interleaved_heads = 0;  // q and k: rows of each of so many heads alternate between its two halves
};

// What sets the architectures apart.
struct GgufArchitecture {
  const char* name;        // general.architecture, and the prefix of the metadata's keys
  const char* class_name;  // Hugging Face's; its model_type is `name`
  bool interleaves_rows;   // of each head's q and k
  bool qkv_bias;           // on q, k and v alone, always
  bool qk_norm;            // over each head of q and k
};

class GgufModel {
 public:
  // Throws LoadError when the file is of another architecture, or a key or tensor is missing, unexpected or misshapen.
  explicit GgufModel(const GgufFile& file);

  // In the order of the layers.
  const std::vector<ModelTensor>& tensors() const { return tensors_; }

  int context_length() const { return context_length_; }

  // Hugging Face's config.json, without dtype, quantization and token ids.
  Json config() const;

 private:
  void read_metadata();
  // Whether all four projections of attention have biases, which is an option of the family.
  bool has_attention_bias() const { return has_qkv_bias_ && !architecture_->qkv_bias; }
  std::string key(std::string_view name) const { return std::string(architecture_->name) + "." + std::string(name); }
  void add(std::string name, const std::string& gguf_name, std::vector<int64_t> shape, int heads = 0);
  void add_projection(const std::string& name, const std::string& gguf_name, int64_t rows, int64_t columns, bool bias,
                      int heads = 0);
  void add_attention(const std::string& to, const std::string& from);
  void add_layer(int layer);
  void refuse_leftovers() const;
  Json rope_scaling() const;
  Json rope_scaling_from_metadata() const;
  Json rope_scaling_from_factors(const GgufTensor& factors) const;

  const GgufFile& file_;
  const GgufArchitecture* architecture_;
  int layers_, hidden_, ffn_, heads_, kv_heads_, head_dim_, vocabulary_, context_length_;
  double rms_norm_eps_, rope_theta_;
  bool has_qkv_bias_ = false, mlp_bias_ = false, tied_ = false;
  std::vector<ModelTensor> tensors_;
};

}  // namespace hearth::weights
