// Rotary position embedding as a model's config describes it: base frequency and one of the scalings that stretch it
// over longer contexts.
//
// Row law: every scaling is a function of the token's own position. `dynamic`, which elsewhere depends on the longest
//          length seen, takes the length at the token: what decoding one token at a time gives.
// Source:  mlx-lm's rope_utils; transformers' modeling_rope_utils; Peng et al. 2023 (yarn), Ding et al. 2024
//          (longrope).
#pragma once

#include <optional>

#include "core/mx.h"
#include "weights/config_reader.h"

namespace hearth::nn {

struct RopeOptions {
  int dims = 0;           // rotated numbers of a head, even
  double base = 10000.0;  // rope_theta where the config has none
  bool traditional = false;
  int max_position_embeddings = 0;  // 0: the config does not say
};

class Rope {
 public:
  // Plain rope, no scaling.
  explicit Rope(const RopeOptions& options);

  // Reads `rope_scaling`, or `rope_parameters` with the base inside, from a model's config: default, linear, dynamic,
  // llama3, yarn, longrope. Throws LoadError naming the key for other types and for missing or absurd values.
  static Rope from_config(const weights::ConfigReader& config, const RopeOptions& options);

  // Tokens that a sequence may have: max_position_embeddings, or what a scaling by a factor (linear, dynamic, yarn)
  // makes of it where the config still gives the length before; 0: the config does not say.
  int context_length() const { return context_length_; }

  // What a step's tokens are turned by, from their positions, int32 [T]: made once a step, used by every layer.
  struct Step {
    mx::array positions;  // [T]
    mx::array freqs;      // float32 [dims / 2], or [T, dims / 2]
  };
  Step at(const mx::array& positions) const;

  // For each layer's queries and keys, x [T, H, D].
  mx::array operator()(const mx::array& x, const Step& step) const;

 private:
  // Dynamic NTK scaling: from `length` on the base grows with the position.
  struct Dynamic {
    double base, factor;
    int length;
  };
  mx::array dynamic_freqs(const mx::array& positions) const;

  RopeOptions options_;
  int context_length_;
  mx::array freqs_;  // float32 [dims / 2]: a pair turns by position / freq
  float mscale_ = 1.0f;
  std::optional<Dynamic> dynamic_;
};

}  // namespace hearth::nn
