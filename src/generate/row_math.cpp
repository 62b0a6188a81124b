#include "generate/row_math.h"

#include <algorithm>
#include <limits>

namespace hearth::generate {

double exp_sum(std::span<const float> logits, float largest) {
  constexpr size_t kLanes = 16;
  float sums[kLanes] = {};
  double total = 0;
  size_t i = 0;
  while (i + kLanes <= logits.size()) {
    // Float sums of at most 64 terms each, then double: the error stays near that of one exp.
    for (int block = 0; block < 64 && i + kLanes <= logits.size(); ++block, i += kLanes)
      for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += exp_of_negative(logits[i + lane] - largest);
    for (float& sum : sums) {
      total += sum;
      sum = 0;
    }
  }
  for (; i < logits.size(); ++i) total += exp_of_negative(logits[i] - largest);
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
