// A sequence owns the cache while it runs and gives it away, with the tokens it holds, when it ends. The last sampled
// token has not been through the model by then, so it is not among them.
#include "generate/sequence.h"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>

#include "base/error.h"

namespace hearth::generate {
namespace {

uint64_t entropy() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

void require(bool condition, const std::string& rule) {
  if (!condition) throw std::invalid_argument("[request] " + rule);
}

int common_prefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<int>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

Sequence::Sequence(uint64_t id, Request request, const models::Model& model,
                   const std::shared_ptr<const text::Tokenizer>& tokenizer, int context_length)
    : id_(id),
      request_(std::move(request)),
      context_length_(context_length),
      sampler_(request_.sampler, request_.seed ? *request_.seed : entropy()),
      stop_text_(request_.stop_texts),
      submitted_(Clock::now()) {
  validate(model, tokenizer != nullptr);
  if (tokenizer) detokenizer_.emplace(tokenizer, /*skip_special_tokens=*/false);
  tokens_ = request_.prompt;
  usage_.prompt_tokens = static_cast<int>(tokens_.size());
  reuse_kept();
  if (!cache_) cache_ = make_cache(model);
}

void Sequence::validate(const models::Model& model, bool has_tokenizer) const {
  const Request& r = request_;
  const int vocab = model.vocab_size();
  if (r.prompt.empty()) throw RequestError(400, "The prompt is empty.");
  require_in_vocabulary(r.prompt, vocab);
  // A token that is wanted needs a place of its own.
  if (context_length_ > 0 && r.prompt.size() + (r.max_tokens != 0) > static_cast<size_t>(context_length_))
    throw RequestError(413, "The prompt has " + std::to_string(r.prompt.size()) +
                                " tokens, too many for the model's context of " + std::to_string(context_length_) +
                                ".");
  require(r.max_tokens >= -1, "max_tokens must be at least -1.");
  require(r.top_logprobs >= 0 && r.top_logprobs <= vocab, "top_logprobs must be between 0 and the vocabulary's size.");
  require(r.max_kv_size == 0 || r.max_kv_size > cache::CacheOptions{}.keep,
          "max_kv_size must be 0 or more than the first four tokens, which are always kept.");
  require(has_tokenizer || r.stop_texts.empty(), "stop_texts need a tokenizer.");
  require(!r.kept.cache || r.kept.cache->offset() == static_cast<int>(r.kept.tokens.size()),
          "kept must hold as many tokens as its cache.");
  generate::validate(r.processors, vocab);
}

// Goes on from the kept cache where its tokens and the prompt's agree; drops it where it cannot be cut back to there.
void Sequence::reuse_kept() {
  KeptSequence kept = std::move(request_.kept);
  if (!kept.cache || kept.max_kv_size != request_.max_kv_size) return;
  // The last token of the prompt is always computed: its logits are wanted.
  const int usable = static_cast<int>(tokens_.size()) - (wants_token() ? 1 : 0);
  const int common = std::min(common_prefix(kept.tokens, tokens_), usable);
  const int surplus = kept.cache->offset() - common;
  if (!kept.cache->can_trim(surplus)) return;
  kept.cache->trim(surplus);
  cache_ = std::move(kept.cache);
  usage_.reused_tokens = reported_ = common;
}

std::unique_ptr<cache::SequenceCache> Sequence::make_cache(const models::Model& model) const {
  size_t expected = tokens_.size() + static_cast<size_t>(std::max(request_.max_tokens, 0));
  if (context_length_ > 0) expected = std::min(expected, static_cast<size_t>(context_length_));
  // Room for a long answer is made when it comes.
  expected = std::min(expected, tokens_.size() + 4096);
  return model.make_cache({.max_kv_size = request_.max_kv_size, .expected_tokens = static_cast<int>(expected)});
}

std::span<const int32_t> Sequence::pending() const {
  return std::span<const int32_t>(tokens_).subspan(static_cast<size_t>(cache_->offset()));
}

void Sequence::report_progress(std::vector<Event>& events) {
  const int total = usage_.prompt_tokens, processed = std::min(cache_->offset(), total);
  if (processed <= reported_) return;
  reported_ = processed;
  events.push_back({id_, PromptProgress{processed, total}});
}

int32_t Sequence::choose(std::span<const float> logits, TokenLogProbability& logprob) {
  std::vector<float> processed;
  if (has_effect(request_.processors)) {
    processed.assign(logits.begin(), logits.end());
    process(request_.processors, tokens_, processed);
    logits = processed;
  }
  const int32_t token = sampler_.sample(logits);
  if (request_.logprobs || request_.top_logprobs > 0) logprob = log_probabilities(logits, token, request_.top_logprobs);
  return token;
}

void Sequence::accept(std::span<const float> logits, std::vector<Event>& events) {
  TokenEvent event{};
  event.token = choose(logits, event.logprob);
  tokens_.push_back(event.token);
  const Clock::time_point now = Clock::now();
  if (++usage_.generation_tokens == 1) {
    first_token_ = now;
    usage_.prompt_seconds = std::chrono::duration<double>(now - submitted_).count();
  }
  usage_.generation_seconds = std::chrono::duration<double>(now - first_token_).count();

  const bool stop =
      std::find(request_.stop_tokens.begin(), request_.stop_tokens.end(), event.token) != request_.stop_tokens.end();
  if (detokenizer_ && !stop) event.text = stop_text_.push(detokenizer_->add(event.token));
  events.push_back({id_, std::move(event)});

  const bool full = context_length_ > 0 && tokens_.size() >= static_cast<size_t>(context_length_);
  if (stop || stop_text_.stopped())
    finish(FinishReason::kStop, events);
  else if (usage_.generation_tokens == request_.max_tokens || full)
    finish(FinishReason::kLength, events);
}

void Sequence::finish(FinishReason reason, std::vector<Event>& events) {
  over_ = true;
  Finished finished{};
  if (detokenizer_ && !stop_text_.stopped()) {
    finished.text = stop_text_.push(detokenizer_->finish());
    if (stop_text_.stopped())
      reason = FinishReason::kStop;
    else
      finished.text += stop_text_.finish();
  }
  finished.reason = reason;
  if (usage_.generation_tokens == 0) {
    usage_.prompt_seconds = std::chrono::duration<double>(Clock::now() - submitted_).count();
    usage_.prompt_tokens = std::min(usage_.prompt_tokens, cache_->offset());
  }
  finished.usage = usage_;
  tokens_.resize(static_cast<size_t>(cache_->offset()));
  finished.sequence = {std::move(cache_), std::move(tokens_), request_.max_kv_size};
  events.push_back({id_, std::move(finished)});
}

void Sequence::fail(std::exception_ptr thrown, std::vector<Event>& events) {
  over_ = true;
  Finished finished{};
  finished.reason = FinishReason::kError;
  finished.usage = usage_;
  finished.status = 500;
  try {
    std::rethrow_exception(thrown);
  } catch (const RequestError& error) {
    finished.status = error.status();
    finished.error = error.what();
  } catch (const OutOfMemory& error) {
    finished.status = 507;
    finished.error = error.what();
  } catch (const std::bad_alloc&) {
    finished.status = 507;
    finished.error = "There is not enough memory for this request.";
  } catch (const std::exception& error) {
    finished.error = error.what();
  } catch (...) {
    finished.error = "The request failed for an unknown reason.";
  }
  events.push_back({id_, std::move(finished)});
}

void Sequence::restart(const models::Model& model) {
  cache_.reset();  // its memory first: what failed may have been an allocation
  cache_ = make_cache(model);
  alone = true;
}

}  // namespace hearth::generate
