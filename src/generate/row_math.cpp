#include "generate/row_math.h"

#include <algorithm>
#include <array>
#include <limits>

namespace hearth::generate {

double exp_sum(std::span<const float> logits, float largest) {
  std::array<float, 256> weights;
  double total = 0;
  for (size_t begin = 0; begin < logits.size(); begin += weights.size()) {
    const size_t count = std::min(weights.size(), logits.size() - begin);
    for (size_t i = 0; i < count; ++i) weights[i] = exp_of_negative(logits[begin + i] - largest);
    // Eight partial sums, so that additions need not wait for each other.
    std::array<double, 8> sums{};
    std::fill(weights.begin() + static_cast<ptrdiff_t>(count), weights.end(), 0.0f);
    for (size_t i = 0; i < weights.size(); i += sums.size())
      for (size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += weights[i + lane];
    for (const double sum : sums) total += sum;
  }
  return total;
}

int32_t argmax(std::span<const float> values) {
  // Blocks first: the maximum of a block vectorises, the search for its place runs in one block only.
  constexpr size_t kBlock = 1024;
  float best = -std::numeric_limits<float>::infinity();
  size_t best_block = 0;
  for (size_t begin = 0; begin < values.size(); begin += kBlock) {
    const std::span<const float> block = values.subspan(begin, std::min(kBlock, values.size() - begin));
    float lanes[16];
    std::fill_n(lanes, 16, -std::numeric_limits<float>::infinity());
    size_t i = 0;
    for (; i + 16 <= block.size(); i += 16)
      for (size_t lane = 0; lane < 16; ++lane)
        lanes[lane] = block[i + lane] > lanes[lane] ? block[i + lane] : lanes[lane];
    float largest = *std::max_element(lanes, lanes + 16);
    for (; i < block.size(); ++i) largest = block[i] > largest ? block[i] : largest;
    if (largest > best) {
      best = largest;
      best_block = begin;
    }
  }
  for (size_t i = best_block; i < values.size(); ++i)
    if (values[i] == best) return static_cast<int32_t>(i);
  return 0;
}

}  // namespace hearth::generate
