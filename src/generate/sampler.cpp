// A row is narrowed step by step: the filters work on a short list of candidates as soon as one of them has made the
// list short. Everything is relative to the largest logit, so no pass over the vocabulary is needed for normalisation
// alone. Orderings are by logit, then by token id, which makes every choice unique.
#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
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

// The logit of the last token that top-p keeps: walking down from the likeliest, the one whose mass makes the sum reach
// `wanted`. Sorts the head of the list only, eight times more of it each time.
float nucleus_threshold(std::vector<Candidate>& candidates, float largest, double wanted) {
  double sum = 0;
  for (size_t done = 0, next = 64; done < candidates.size(); done = next, next *= 8) {
    next = std::min(next, candidates.size());
    const auto begin = candidates.begin() + static_cast<ptrdiff_t>(done);
    const auto end = candidates.begin() + static_cast<ptrdiff_t>(next);
    if (end != candidates.end()) std::nth_element(begin, end, candidates.end(), likelier);
    std::sort(begin, end, likelier);
    for (auto it = begin; it != end; ++it) {
      sum += exp_of_negative(it->logit - largest);
      if (sum >= wanted) return it->logit;
    }
  }
  return -std::numeric_limits<float>::infinity();
}

std::vector<Candidate> top_p_filter(std::span<const float> logits, float largest, float top_p) {
  const double wanted = top_p * exp_sum(logits, largest);
  // The nucleus is nearly always within a few nats of the top; the whole vocabulary is only listed when it is not.
  for (const float depth : {4.0f, 8.0f, std::numeric_limits<float>::infinity()}) {
    std::vector<Candidate> candidates = at_least(logits, largest - depth);
    const float threshold = nucleus_threshold(candidates, largest, wanted);
    if (threshold == -std::numeric_limits<float>::infinity() && depth < 100) continue;
    std::erase_if(candidates, [&](const Candidate& c) { return c.logit < threshold; });
    return candidates;
  }
  return {};
}

void keep_likeliest(std::vector<Candidate>& candidates, size_t count) {
  if (count >= candidates.size()) return;
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(count), candidates.end(), likelier);
  candidates.resize(count);
}

void min_p_filter(std::vector<Candidate>& candidates, float largest, const SamplerOptions& options) {
  const size_t keep = std::min(candidates.size(), static_cast<size_t>(options.min_tokens_to_keep));
  const auto kept_end = candidates.begin() + static_cast<ptrdiff_t>(keep);
  if (kept_end != candidates.end()) std::nth_element(candidates.begin(), kept_end, candidates.end(), likelier);
  const float least = largest + std::log(options.min_p);
  candidates.erase(std::remove_if(kept_end, candidates.end(), [&](const Candidate& c) { return c.logit < least; }),
                   candidates.end());
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
  if (options_.temperature > 0) return draw(filter(logits));
  const int32_t best = argmax(logits);
  if (!std::isfinite(logits[static_cast<size_t>(best)]))
    throw std::runtime_error("The model gave no finite logit to choose a token from.");
  return best;
}

std::vector<Candidate> Sampler::filter(std::span<const float> logits) {
  const float largest = logits[static_cast<size_t>(argmax(logits))];
  if (!std::isfinite(largest)) throw std::runtime_error("The model gave no finite logit to choose a token from.");
  const bool nucleus = options_.top_p > 0 && options_.top_p < 1;
  // Alone, min-p needs no list of the whole vocabulary.
  const bool min_p_alone = !nucleus && options_.min_p > 0 && options_.min_tokens_to_keep == 1;
  std::vector<Candidate> candidates =
      nucleus ? top_p_filter(logits, largest, options_.top_p)
              : at_least(logits, min_p_alone ? largest + std::log(options_.min_p) : -std::numeric_limits<float>::max());
  if (options_.min_p > 0 && !min_p_alone) min_p_filter(candidates, largest, options_);
  if (options_.xtc_probability > 0 && random_.uniform() <= options_.xtc_probability)
    xtc_filter(candidates, largest, options_);
  if (options_.top_k > 0) keep_likeliest(candidates, static_cast<size_t>(options_.top_k));
  return candidates;
}

// Inverts the cumulative distribution, walking the candidates in the order they are listed: one number a token.
int32_t Sampler::draw(std::span<const Candidate> candidates) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const Candidate& c : candidates) largest = std::max(largest, c.logit);
  std::vector<float> weights(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i)
    weights[i] = exp_of_negative((candidates[i].logit - largest) / options_.temperature);
  double total = 0;
  for (const float weight : weights) total += weight;
  double left = random_.uniform() * total;
  size_t last = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (weights[i] == 0) continue;
    last = i;
    left -= weights[i];
    if (left < 0) break;
  }
  return candidates[last].token;
}

}  // namespace hearth::generate
