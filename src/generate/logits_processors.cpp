#include "generate/logits_processors.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace hearth::generate {
namespace {

void require(bool condition, const std::string& option, const char* rule) {
  if (!condition) throw std::invalid_argument("[processors] " + option + " must be " + rule + ".");
}

// Calls change(logit, times seen) once for each distinct token of the context.
template <typename Change>
void for_each_seen(std::span<const int32_t> history, int context, std::span<float> logits, Change change) {
  if (context > 0 && history.size() > static_cast<size_t>(context))
    history = history.last(static_cast<size_t>(context));
  std::unordered_map<int32_t, int> seen;
  for (const int32_t token : history)
    if (token >= 0 && static_cast<size_t>(token) < logits.size()) ++seen[token];
  for (const auto& [token, times] : seen) change(logits[static_cast<size_t>(token)], times);
}

}  // namespace

void validate(const ProcessorOptions& o, int vocab_size) {
  for (const auto& [token, bias] : o.logit_bias) {
    require(token >= 0 && token < vocab_size, "logit_bias token " + std::to_string(token), "in the vocabulary");
    require(std::isfinite(bias), "logit_bias", "a finite number");
  }
  require(std::isfinite(o.repetition_penalty) && o.repetition_penalty >= 0, "repetition_penalty",
          "a number of at least 0");
  require(std::isfinite(o.presence_penalty), "presence_penalty", "a finite number");
  require(std::isfinite(o.frequency_penalty), "frequency_penalty", "a finite number");
  require(o.repetition_context >= 0, "repetition_context_size", "at least 0");
  require(o.presence_context >= 0, "presence_context_size", "at least 0");
  require(o.frequency_context >= 0, "frequency_context_size", "at least 0");
}

bool has_effect(const ProcessorOptions& o) {
  return !o.logit_bias.empty() || o.repetition_penalty != 0 || o.presence_penalty != 0 || o.frequency_penalty != 0;
}

void process(const ProcessorOptions& o, std::span<const int32_t> history, std::span<float> logits) {
  for (const auto& [token, bias] : o.logit_bias) logits[static_cast<size_t>(token)] += bias;
  if (o.repetition_penalty != 0)
    for_each_seen(history, o.repetition_context, logits, [&](float& logit, int) {
      logit = logit < 0 ? logit * o.repetition_penalty : logit / o.repetition_penalty;
    });
  if (o.presence_penalty != 0)
    for_each_seen(history, o.presence_context, logits, [&](float& logit, int) { logit -= o.presence_penalty; });
  if (o.frequency_penalty != 0)
    for_each_seen(history, o.frequency_context, logits,
                  [&](float& logit, int times) { logit -= o.frequency_penalty * static_cast<float>(times); });
}

}  // namespace hearth::generate
