// The first filter narrows the row of logits to a list of candidates, which the others shorten. Where a filter counts
// or sums from the likeliest token down, a histogram over the row says where it ends, so the row is never sorted.
// Everything is relative to the largest logit: no filter needs normalised probabilities.
#include "generate/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "generate/row_math.h"

namespace hearth::generate {
namespace {

using Candidate = Sampler::Candidate;

bool likelier(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

void require(bool condition, const char* option, const char* rule) {
  if (!condition) throw std::invalid_argument(std::string("[sampler] ") + option + " must be " + rule + ".");
}

std::vector<Candidate> at_least(std::span<const float> logits, float least) {
  std::vector<Candidate> result;
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] >= least) result.push_back({static_cast<int32_t>(i), logits[i]});
  return result;
}

// How many logits, and how much probability, lie at each depth below the largest. Says in two passes where a count or a
// mass is reached; only the logits of one narrow range are ever sorted.
class Histogram {
 public:
  Histogram(std::span<const float> logits, float largest) : logits_(logits), largest_(largest) {
    std::array<float, 256> weights;
    for (size_t begin = 0; begin < logits.size(); begin += weights.size()) {
      const size_t count = std::min(weights.size(), logits.size() - begin);
      for (size_t i = 0; i < count; ++i) weights[i] = exp_of_negative(logits[begin + i] - largest);
      for (size_t i = 0; i < count; ++i) {
        const size_t at = range_of(logits[begin + i]);
        ++counts_[at];
        masses_[at] += weights[i];
      }
    }
  }

  double total() const { return std::accumulate(masses_.begin(), masses_.end(), 0.0); }

  // The logit of the token at which the mass of the likeliest tokens reaches `wanted`.
  float where_mass_reaches(double wanted) const {
    double sum = 0;
    size_t range = 0;
    while (range + 1 < kRanges && sum + masses_[range] < wanted) sum += masses_[range++];
    const std::vector<float> sorted = sorted_range(range);
    for (const float logit : sorted) {
      sum += exp_of_negative(logit - largest_);
      if (sum >= wanted) return logit;
    }
    return sorted.empty() ? -std::numeric_limits<float>::max() : sorted.back();
  }

  // The logit of the token that is `count`-th in likelihood; no finite logit is below it when there are fewer.
  float where_count_reaches(size_t count) const {
    size_t above = 0, range = 0;
    while (range + 1 < kRanges && above + counts_[range] < count) above += counts_[range++];
    const std::vector<float> sorted = sorted_range(range);
    return sorted.size() >= count - above ? sorted[count - above - 1] : -std::numeric_limits<float>::max();
  }

 private:
  static constexpr size_t kRanges = 1024;
  static constexpr float kRangesPerNat = 32;  // the last range is everything 32 nats below the top

  size_t range_of(float logit) const {
    const float depth = (largest_ - logit) * kRangesPerNat;
    return depth < static_cast<float>(kRanges - 1) ? static_cast<size_t>(depth) : kRanges - 1;  // NaN: the last
  }

  std::vector<float> sorted_range(size_t range) const {
    std::vector<float> result;
    for (const float logit : logits_)
      if (std::isfinite(logit) && range_of(logit) == range) result.push_back(logit);
    std::sort(result.begin(), result.end(), std::greater<>());
    return result;
  }

  std::span<const float> logits_;
  float largest_;
  std::array<uint32_t, kRanges> counts_{};
  std::array<double, kRanges> masses_{};
};

void keep_likeliest(std::vector<Candidate>& candidates, size_t count) {
  if (count >= candidates.size()) return;
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(count), candidates.end(), likelier);
  candidates.resize(count);
}

std::vector<Candidate> likeliest(std::span<const float> logits, float largest, size_t count) {
  std::vector<Candidate> candidates = at_least(logits, Histogram(logits, largest).where_count_reaches(count));
  keep_likeliest(candidates, count);
  return candidates;
}

// Drops the tokens that are likelier than the least likely one above the threshold.
void xtc_filter(std::vector<Candidate>& candidates, float largest, const SamplerOptions& options) {
  double total = 0;
  for (const Candidate& c : candidates) total += exp_of_negative(c.logit - largest);
  // p > threshold, on logits.
  const double least = largest + std::log(options.xtc_threshold * total);
  double last_choice = std::numeric_limits<double>::infinity();
  for (const Candidate& c : candidates)
    if (c.logit > least) last_choice = std::min<double>(last_choice, c.logit);
  std::erase_if(candidates, [&](const Candidate& c) {
    const auto& special = options.xtc_special_tokens;
    return c.logit > last_choice && std::find(special.begin(), special.end(), c.token) == special.end();
  });
}

}  // namespace

void validate(const SamplerOptions& o) {
  require(std::isfinite(o.temperature) && o.temperature >= 0, "temperature", "a number of at least 0");
  require(o.top_p >= 0 && o.top_p <= 1, "top_p", "in [0, 1]");
  require(o.min_p >= 0 && o.min_p <= 1, "min_p", "in [0, 1]");
  require(o.min_tokens_to_keep >= 1, "min_tokens_to_keep", "at least 1");
  require(o.top_k >= 0, "top_k", "at least 0");
  require(o.xtc_probability >= 0 && o.xtc_probability <= 1, "xtc_probability", "in [0, 1]");
  require(o.xtc_threshold >= 0 && o.xtc_threshold <= 0.5f, "xtc_threshold", "in [0, 0.5]");
}

Sampler::Sampler(SamplerOptions options, uint64_t seed) : options_(std::move(options)), random_(seed) {
  validate(options_);
}

int32_t Sampler::sample(std::span<const float> logits) {
  if (logits.empty()) throw std::invalid_argument("[sampler] needs at least one logit.");
  const float largest = logits[static_cast<size_t>(argmax(logits))];
  if (!std::isfinite(largest)) throw std::runtime_error("The model gave no finite logit to choose a token from.");
  if (options_.temperature == 0) return argmax(logits);
  if (!narrows()) return draw_from_row(logits, largest);
  return draw(filter(logits, largest));
}

std::vector<Candidate> Sampler::filter(std::span<const float> logits) {
  return filter(logits, logits[static_cast<size_t>(argmax(logits))]);
}

bool Sampler::narrows() const {
  const SamplerOptions& o = options_;
  return (o.top_p > 0 && o.top_p < 1) || o.min_p > 0 || o.xtc_probability > 0 || o.top_k > 0;
}

std::vector<Candidate> Sampler::filter(std::span<const float> logits, float largest) {
  const SamplerOptions& o = options_;
  const float min_p_least = largest + std::log(o.min_p);
  const size_t min_p_count = static_cast<size_t>(o.min_tokens_to_keep);
  std::vector<Candidate> candidates;
  // The first filter works on the row, the others on what it leaves.
  if (o.top_p > 0 && o.top_p < 1) {
    const Histogram histogram(logits, largest);
    candidates = at_least(logits, histogram.where_mass_reaches(o.top_p * histogram.total()));
    if (o.min_p > 0) {
      const auto survive = [&](const Candidate& c) { return c.logit >= min_p_least; };
      const auto survivors = static_cast<size_t>(std::count_if(candidates.begin(), candidates.end(), survive));
      keep_likeliest(candidates, std::max(survivors, min_p_count));
    }
  } else if (o.min_p > 0) {
    candidates = at_least(logits, min_p_least);
    if (candidates.size() < min_p_count) candidates = likeliest(logits, largest, min_p_count);
  } else if (o.xtc_probability > 0) {
    candidates = at_least(logits, -std::numeric_limits<float>::max());
  } else {
    return likeliest(logits, largest, o.top_k > 0 ? static_cast<size_t>(o.top_k) : logits.size());
  }
  if (o.xtc_probability > 0 && random_.uniform() <= o.xtc_probability) xtc_filter(candidates, largest, o);
  if (o.top_k > 0) keep_likeliest(candidates, static_cast<size_t>(o.top_k));
  return candidates;
}

// Inverts the cumulative distribution, walking the candidates in the order they are listed: one number a token.
int32_t Sampler::draw(std::span<const Candidate> candidates) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const Candidate& c : candidates) largest = std::max(largest, c.logit);
  std::vector<float> logits;
  for (const Candidate& c : candidates) logits.push_back(c.logit);
  return candidates[static_cast<size_t>(draw_from_row(logits, largest))].token;
}

// First the sums of blocks, then a walk through the block in which the drawn point lies.
int32_t Sampler::draw_from_row(std::span<const float> logits, float largest) {
  constexpr size_t kBlock = 256;
  const auto weights_of = [&](size_t begin, std::array<float, kBlock>& weights) {
    const size_t count = std::min(kBlock, logits.size() - begin);
    for (size_t i = 0; i < count; ++i)
      weights[i] = exp_of_negative((logits[begin + i] - largest) / options_.temperature);
    return std::span<const float>(weights).first(count);
  };
  std::array<float, kBlock> weights;
  std::vector<double> sums;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const auto block = weights_of(begin, weights);
    sums.push_back(std::accumulate(block.begin(), block.end(), 0.0));
  }
  double left = random_.uniform() * std::accumulate(sums.begin(), sums.end(), 0.0);
  size_t block = 0;
  while (block + 1 < sums.size() && left >= sums[block]) left -= sums[block++];
  size_t chosen = block * kBlock, last = static_cast<size_t>(argmax(logits));
  for (const float weight : weights_of(chosen, weights)) {
    if (weight > 0) last = chosen;
    left -= weight;
    if (left < 0 && weight > 0) break;
    ++chosen;
  }
  return static_cast<int32_t>(last);
}

}  // namespace hearth::generate
