// Log-probabilities of tokens, from a row of logits.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace hearth::generate {

// log(sum(exp(logits))), nats. The order of the sum is fixed by the row's length alone. logits not empty.
double log_sum_exp(std::span<const float> logits);

struct TokenLogProbability {
  float logprob = 0;                                // of the chosen token, nats
  std::vector<std::pair<int32_t, float>> top = {};  // the most likely tokens, likeliest first
};

// Requires 0 <= token < V. `count` is cut to V.
TokenLogProbability log_probabilities(std::span<const float> logits, int32_t token, int count);

}  // namespace hearth::generate
