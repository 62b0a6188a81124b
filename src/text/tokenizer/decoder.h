// Tokens back to text: a chain of stages, each fed token by token.
//
// One implementation serves decode() and streaming, so that both give the same text by construction. A stage keeps back
// only what a later token could still change.
// Source: huggingface/tokenizers decoders.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/component.h"

namespace hearth::text {

// Takes tokens, each whole or in fragments.
class DecoderStage {
 public:
  virtual ~DecoderStage() = default;
  // One whole token.
  virtual void token(std::string_view token) {
    text(token);
    end_token();
  }
  // More of the current token, and its end.
  virtual void text(std::string_view fragment) = 0;
  virtual void end_token() = 0;
  // No more tokens come. The stage is as new afterwards.
  virtual void finish() = 0;

  void set_next(DecoderStage* next) { next_ = next; }

 protected:
  DecoderStage* next_ = nullptr;
};

// The settings of one step of decoding. Threads: const members may be called by many at once.
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual std::unique_ptr<DecoderStage> make_stage() const = 0;
  // What the step makes of a token that stands alone, for steps that look at nothing else; nothing for all others.
  // A tokenizer applies the first such steps to its whole vocabulary once.
  virtual std::optional<std::string> map(std::string_view) const { return std::nullopt; }
  // Whether the step only joins tokens, ill-formed UTF-8 becoming U+FFFD.
  virtual bool joins_bytes() const { return false; }
};

using DecoderList = std::vector<std::unique_ptr<Decoder>>;

// The steps of a "decoder", sequences unfolded. Throws LoadError for a type it does not know or settings it cannot use.
DecoderList make_decoders(const Component& component);
// What stands in when a tokenizer names no decoder: tokens with spaces between.
DecoderList make_joining_decoder();
// transformers' clean_up_tokenization_spaces: no space before punctuation and English contractions.
DecoderList make_clean_up();

// A chain put together from decoders: text goes in at one end and comes out at the other, as one string.
class DecoderChain {
 public:
  explicit DecoderChain(std::span<const Decoder* const> decoders);
  DecoderChain(DecoderChain&&) = delete;

  void add_token(std::string_view token) { first_->token(token); }
  void finish() { first_->finish(); }
  // What has come out since the last call.
  std::string take() { return std::move(sink_.out); }

 private:
  struct Sink : DecoderStage {
    std::string out;
    void token(std::string_view token) override { text(token); }
    void text(std::string_view fragment) override;  // throws RequestError beyond 1 GiB
    void end_token() override {}
    void finish() override {}
  };
  std::vector<std::unique_ptr<DecoderStage>> stages_;
  Sink sink_;
  DecoderStage* first_;
};

}  // namespace hearth::text
