// Changes made to a row of logits before sampling, by what has been said so far: logit bias, then repetition, presence
// and frequency penalty, in mlx-lm's order.
//
// The history is the whole prompt and every token generated since, whatever batch or chunk they came in.
// Source: mlx_lm/sample_utils.py, make_logits_processors.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace hearth::generate {

// A context is the number of last tokens that count; 0: all.
struct ProcessorOptions {
  std::vector<std::pair<int32_t, float>> logit_bias = {};  // token, added to its logit
  float repetition_penalty = 0;                            // 0: off; else > 0: logits of seen tokens are divided by it,
  int repetition_context = 20;                             //   negative ones multiplied
  float presence_penalty = 0;                              // subtracted once from every seen token
  int presence_context = 20;
  float frequency_penalty = 0;  // subtracted for every time a token was seen
  int frequency_context = 20;
};

// Throws std::invalid_argument naming the option that is out of range; a bias must name a token in [0, vocab_size).
void validate(const ProcessorOptions& options, int vocab_size);

// Whether process() would change anything.
bool has_effect(const ProcessorOptions& options);

// Changes logits [V] in place. Tokens of `history` outside [0, V) are ignored.
void process(const ProcessorOptions& options, std::span<const int32_t> history, std::span<float> logits);

}  // namespace hearth::generate
