#include "generate/log_probabilities.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "generate/row_math.h"

namespace hearth::generate {

double log_sum_exp(std::span<const float> logits) {
  const float largest = logits[static_cast<size_t>(argmax(logits))];
  return static_cast<double>(largest) + std::log(exp_sum(logits, largest));
}

TokenLogProbability log_probabilities(std::span<const float> logits, int32_t token, int count) {
  const double normalizer = log_sum_exp(logits);
  const auto logprob = [&](int32_t id) { return static_cast<float>(logits[static_cast<size_t>(id)] - normalizer); };
  TokenLogProbability result;
  result.logprob = logprob(token);
  if (count <= 0) return result;

  std::vector<int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto end = ids.begin() + std::min<ptrdiff_t>(count, static_cast<ptrdiff_t>(ids.size()));
  std::partial_sort(ids.begin(), end, ids.end(), [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  });
  for (auto it = ids.begin(); it != end; ++it) result.top.emplace_back(*it, logprob(*it));
  return result;
}

}  // namespace hearth::generate
