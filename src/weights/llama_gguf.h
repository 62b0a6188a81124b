// The Llama architecture as llama.cpp stores it: its hyperparameters, and which GGUF tensor is which of the model's.
//
// Source: llama.cpp's convert_hf_to_gguf (names, the order of q's and k's rows, rope_freqs), mlx-lm's models/llama.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "weights/gguf.h"

namespace hearth::weights {

// One tensor of the converted model.
struct LlamaTensor {
  std::string name;          // "model.layers.0.self_attn.q_proj.weight"
  const GgufTensor* source;  // null: zeros
  std::vector<int64_t> shape;
  int interleaved_heads = 0;  // q and k: rows of each of so many heads alternate between its two halves
};

class LlamaGguf {
 public:
  // Throws LoadError when the file is of another architecture, or a key or tensor is missing, unexpected or misshapen.
  explicit LlamaGguf(const GgufFile& file);

  // In the order of the layers.
  const std::vector<LlamaTensor>& tensors() const { return tensors_; }

  int context_length() const { return context_length_; }

  // Hugging Face's config.json, without dtype, quantization and token ids.
  Json config() const;

 private:
  void read_metadata();
  void add(std::string name, const std::string& gguf_name, std::vector<int64_t> shape, int interleaved_heads = 0);
  void add_projection(const std::string& name, const std::string& gguf_name, int64_t rows, int64_t columns, bool bias,
                      int interleaved_heads = 0);
  void add_layer(int layer);
  void refuse_leftovers() const;
  Json rope_scaling() const;
  Json rope_scaling_from_metadata() const;
  Json rope_scaling_from_factors(const GgufTensor& factors) const;

  const GgufFile& file_;
  int layers_, hidden_, ffn_, heads_, kv_heads_, head_dim_, vocabulary_, context_length_;
  double rms_norm_eps_, rope_theta_;
  bool attention_bias_ = false, mlp_bias_ = false, tied_ = false;
  std::vector<LlamaTensor> tensors_;
};

}  // namespace hearth::weights
