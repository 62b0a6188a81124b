// Tokens back to text: a chain of stages, each fed token by token.
//
// One implementation serves decode() and streaming, so that both give the same text by construction. A stage keeps back
// only what a later token could still change.
// Source: huggingface/tokenizers decoders.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/component.h"

namespace hearth::text {

// Takes tokens, each in one or more fragments.
class DecoderStage {
 public:
  virtual ~DecoderStage() = default;
  // More of the current token.
  virtual void text(std::string_view fragment) = 0;
  // The current token is complete.
  virtual void end_token() = 0;
  // No more tokens come. The stage is as new afterwards.
  virtual void finish() = 0;

  void set_next(DecoderStage* next) { next_ = next; }

 protected:
  DecoderStage* next_ = nullptr;
};

// The settings of a decoder: what makes its stages. Threads: make_stages() may be called by many at once.
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual void make_stages(std::vector<std::unique_ptr<DecoderStage>>& stages) const = 0;
};

// Throws LoadError for a type it does not know or settings it cannot use.
std::unique_ptr<Decoder> make_decoder(const Component& component);
// What stands in when a tokenizer names no decoder: tokens with spaces between.
std::unique_ptr<Decoder> make_joining_decoder();
// transformers' clean_up_tokenization_spaces: no space before punctuation and English contractions.
std::unique_ptr<Decoder> make_clean_up();

// A chain put together from decoders: text goes in at one end and comes out at the other, as one string.
class DecoderChain {
 public:
  explicit DecoderChain(const std::vector<const Decoder*>& decoders);
  DecoderChain(DecoderChain&&) = delete;

  void add_token(std::string_view token) {
    first_->text(token);
    first_->end_token();
  }
  void finish() { first_->finish(); }
  // What has come out since the last call.
  std::string take() { return std::move(sink_.out); }

 private:
  struct Sink : DecoderStage {
    std::string out;
    void text(std::string_view fragment) override { out += fragment; }
    void end_token() override {}
    void finish() override {}
  };
  std::vector<std::unique_ptr<DecoderStage>> stages_;
  Sink sink_;
  DecoderStage* first_;
};

}  // namespace hearth::text
