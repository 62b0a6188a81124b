// Rotary position embedding as a model's config describes it: base frequency and one of the scalings that stretch it
// over longer contexts.
//
// Row law: every scaling is a function of the token's own position. `dynamic`, which elsewhere depends on the longest
//          length seen, takes the length at the token: what decoding one token at a time gives.
// Source:  transformers' modeling_rope_utils; Peng et al. 2023 (yarn), Ding et al. 2024 (longrope).
#pragma once

#include <optional>
#include <string_view>

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

  // Reads a model's config as transformers 5 does: `rope_scaling`, or else `rope_parameters`, of type default, linear,
  // dynamic, llama3, yarn, longrope or proportional; rope_theta inside goes before the config's own. Where these have a
  // part for each kind of layer, that of `layer_type`.
  // Throws LoadError naming the key for other types and for missing or absurd values.
  static Rope from_config(const weights::ConfigReader& config, const RopeOptions& options,
                          std::string_view layer_type = "full_attention");
  // Whether they have.
  static bool depends_on_layer_type(const weights::ConfigReader& config);

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
  void set_dynamic(const weights::ConfigReader& scaling, int length);
  mx::array dynamic_freqs(const mx::array& positions) const;

  RopeOptions options_;
  int context_length_;
  mx::array freqs_;  // float32 [dims / 2]: a pair turns by position / freq
  float mscale_ = 1.0f;
  std::optional<Dynamic> dynamic_;
};

}  // namespace hearth::nn
