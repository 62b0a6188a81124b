// Private to the engine: one request on its way, from its prompt to its last token.
//
// Its tokens are the prompt and what was generated since; those the cache does not hold yet are pending. Reading the
// prompt, decoding and recovering from a failed step are the same thing: a run of pending tokens.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "generate/request.h"
#include "generate/stop_text.h"
#include "models/model.h"
#include "text/detokenizer.h"

namespace hearth::generate {

class Sequence {
 public:
  // `tokenizer` may be null. Throws as Engine::submit does.
  Sequence(uint64_t id, Request request, const models::Model& model,
           const std::shared_ptr<const text::Tokenizer>& tokenizer, int context_length);

  uint64_t id() const { return id_; }
  cache::SequenceCache& cache() { return *cache_; }
  bool over() const { return over_; }

  // Tokens the cache does not hold yet. None are left when a request only reads its prompt.
  std::span<const int32_t> pending() const;
  // Whether the logits behind the last pending token are wanted.
  bool wants_token() const { return request_.max_tokens != 0; }

  // Reports tokens of the prompt that are in the cache since.
  void report_progress(std::vector<Event>& events);
  // Takes the logits [V] behind the last token: chooses the next one and reports it, and the end if it was the last.
  void accept(std::span<const float> logits, std::vector<Event>& events);
  void finish(FinishReason reason, std::vector<Event>& events);
  // Ends the request with what was thrown.
  void fail(std::exception_ptr thrown, std::vector<Event>& events);

  // Forgets the cache, whose state is not known after a failed step; all tokens are pending again.
  void restart(const models::Model& model);

  // Runs in steps of its own until it has a token: it was in a step that failed, and may be the reason.
  bool alone = false;

 private:
  using Clock = std::chrono::steady_clock;

  void validate(const models::Model& model, bool has_tokenizer) const;
  void reuse_kept();
  std::unique_ptr<cache::SequenceCache> make_cache(const models::Model& model) const;
  int32_t choose(std::span<const float> logits, TokenLogProbability& logprob);

  uint64_t id_;
  Request request_;
  int context_length_;
  Sampler sampler_;
  std::optional<text::Detokenizer> detokenizer_;
  StopText stop_text_;
  std::vector<int32_t> tokens_;
  std::unique_ptr<cache::SequenceCache> cache_;
  int reported_ = 0;  // tokens of the prompt
  bool over_ = false;
  Usage usage_;
  Clock::time_point submitted_, first_token_;
};

}  // namespace hearth::generate
