#include "text/detokenizer.h"

#include "text/tokenizer/pipeline.h"

namespace hearth::text {

struct Detokenizer::State {
  State(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special_tokens)
      : tokenizer(std::move(tokenizer)), skip_special_tokens(skip_special_tokens) {
    reset();
  }
  void reset() { chain = tokenizer->pipeline().make_chain(); }

  std::shared_ptr<const Tokenizer> tokenizer;
  bool skip_special_tokens;
  std::unique_ptr<DecoderChain> chain;
};

Detokenizer::Detokenizer(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special_tokens)
    : state_(std::make_unique<State>(std::move(tokenizer), skip_special_tokens)) {}
Detokenizer::~Detokenizer() = default;
Detokenizer::Detokenizer(Detokenizer&&) noexcept = default;
Detokenizer& Detokenizer::operator=(Detokenizer&&) noexcept = default;

std::string Detokenizer::add(int32_t id) {
  const auto text = state_->tokenizer->pipeline().decoder_text(id, state_->skip_special_tokens);
  if (!text) return {};
  state_->chain->add_token(*text);
  return state_->chain->take();
}

std::string Detokenizer::finish() {
  state_->chain->finish();
  std::string rest = state_->chain->take();
  state_->reset();
  return rest;
}

void Detokenizer::reset() { state_->reset(); }

}  // namespace hearth::text
