// What the engine is asked and what it answers: a Request goes in, Events come out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cache/sequence_cache.h"
#include "generate/log_probabilities.h"
#include "generate/logits_processors.h"
#include "generate/sampler.h"

namespace hearth::generate {

// A sequence's keys and values with the tokens they belong to: tokens.size() == cache->offset().
struct KeptSequence {
  std::unique_ptr<cache::SequenceCache> cache = {};  // null: nothing kept
  std::vector<int32_t> tokens = {};
  int max_kv_size = 0;  // of the request it comes from: another one's answer would depend on what had been dropped
};

struct Request {
  std::vector<int32_t> prompt = {};  // at least one token
  int max_tokens = 256;              // -1: until a stop or the context is full; 0: only reads the prompt into the cache
  SamplerOptions sampler = {};
  ProcessorOptions processors = {};
  std::optional<uint64_t> seed = {};      // none: one from the system's entropy
  std::vector<int32_t> stop_tokens = {};  // end the answer; their text is not part of it
  std::vector<std::string> stop_texts =
      {};                 // end the answer where they begin; matched on text, however it is tokenised
  bool logprobs = false;  // report the chosen token's log-probability
  int top_logprobs = 0;   // and of this many most likely tokens
  int max_kv_size = 0;    // > 0: keeps only this many tokens' keys and values: the first four and the latest
  // Kept from an earlier request. The longest true common prefix with the prompt is reused, compared token by token,
  // the rest forgotten. Comes back with Finished.
  KeptSequence kept = {};
};

enum class FinishReason { kStop, kLength, kCancelled, kError };

// Throws RequestError 400 naming the first token that is none of the `vocab_size` that the model has: a tokenizer may
// know more tokens than its model.
void require_in_vocabulary(std::span<const int32_t> tokens, int vocab_size);

// "stop", "length", "cancelled", "error".
const char* name(FinishReason reason);

// `processed` of the prompt's `total` tokens are in the cache. Comes after every chunk.
struct PromptProgress {
  int processed, total;
};

struct TokenEvent {
  int32_t token;
  std::string text = {};             // what became certain with this token; often "", always whole UTF-8
  TokenLogProbability logprob = {};  // only when asked for
};

struct Usage {
  int prompt_tokens = 0;          // as far as the prompt was read
  int reused_tokens = 0;          // of these, taken from the kept sequence
  int generation_tokens = 0;      // every sampled token, the stop token included
  double prompt_seconds = 0;      // from submit to the first token
  double generation_seconds = 0;  // from the first token to the last

  // Tokens per second; 0 when nothing was timed. The first token belongs to the prompt.
  double prompt_tps() const;
  double generation_tps() const;
};

struct Finished {
  FinishReason reason;
  std::string text = {};   // held back until now; joined with all TokenEvent texts it is the answer
  std::string error = {};  // a sentence, for kError
  int status = 0;          // an HTTP status, for kError
  Usage usage;
  KeptSequence sequence = {};  // what was computed, ready for the next request; empty after kError
};

struct Event {
  uint64_t id;
  std::variant<PromptProgress, TokenEvent, Finished> what;
};

}  // namespace hearth::generate
