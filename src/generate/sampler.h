// Chooses the next token from a row of logits: the filters of mlx-lm's make_sampler, in its order
// (top-p, min-p, XTC, top-k), then a draw from what is left at the temperature.
//
// Filters see the distribution before the temperature and are not renormalised in between. No filter sorts the whole
// vocabulary. Ties that a count cuts through (top-k, min_tokens_to_keep) keep the smaller token ids.
// Threads: one caller at a time. Source: mlx_lm/sample_utils.py, make_sampler.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "generate/random_stream.h"

namespace hearth::generate {

struct SamplerOptions {
  float temperature = 0;       // 0: the most likely token, and nothing below matters; else > 0
  float top_p = 0;             // keeps the likeliest tokens that together reach this mass; 0 or 1: all
  float min_p = 0;             // drops tokens below this share of the likeliest one's probability; [0, 1]
  int min_tokens_to_keep = 1;  // tokens that min_p never drops; >= 1
  int top_k = 0;               // keeps the k likeliest; 0, or the vocabulary's size and more: all
  float xtc_probability = 0;   // how often XTC runs; [0, 1]
  float xtc_threshold = 0.1f;  // XTC drops all tokens above this probability but the least likely of them; [0, 0.5]
  std::vector<int32_t> xtc_special_tokens = {};  // never dropped by XTC
};

// Throws std::invalid_argument naming the option that is out of range.
void validate(const SamplerOptions& options);

class Sampler {
 public:
  // A token that may be drawn.
  struct Candidate {
    int32_t token;
    float logit;
  };

  // Throws std::invalid_argument as validate() does. The same seed gives the same draws on the same logits.
  Sampler(SamplerOptions options, uint64_t seed);

  // The next token. logits [V], not empty. Throws std::runtime_error when none of them is finite.
  int32_t sample(std::span<const float> logits);

  // The tokens the filters leave, in no particular order, before the temperature. Draws once if XTC may run.
  // Requires temperature > 0.
  std::vector<Candidate> filter(std::span<const float> logits);

 private:
  bool narrows() const;
  std::vector<Candidate> filter(std::span<const float> logits, float largest);
  int32_t draw(std::span<const Candidate> candidates);
  int32_t draw_from_row(std::span<const float> logits, float largest);

  SamplerOptions options_;
  RandomStream random_;
};

}  // namespace hearth::generate
