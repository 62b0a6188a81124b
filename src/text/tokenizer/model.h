// What turns one pre-tokenized piece into tokens: BPE, Unigram, WordPiece, WordLevel.
//
// Threads: tokenize() may be called by many at once, each with a scratch of its own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/tokenizer/token.h"
#include "text/tokenizer/vocabulary.h"
#include "text/tokenizer/word_cache.h"

namespace hearth::text {

// What a thread keeps from piece to piece while it encodes.
struct ModelScratch {
  bool pieces_are_bytes = false;  // BPE: pieces are raw bytes, not their byte-level spelling
  WordCache cache, byte_cache;    // the latter for pieces that are bytes
  std::vector<Token> symbols;
  std::vector<uint32_t> ranks;     // BPE: rank of the pair that begins at each symbol
  std::vector<int32_t> bucket_of;  // BPE, long pieces: by rank
  std::vector<double> best;        // Unigram: score of the best path to each byte
  std::vector<Token> path;         // Unigram: its last token
  std::string text;
};

class Model {
 public:
  virtual ~Model() = default;

  // Appends the tokens of `piece` to `out`, offsets moved by `base`. The piece is not empty.
  virtual void tokenize(std::string_view piece, uint32_t base, std::vector<Token>& out,
                        ModelScratch& scratch) const = 0;

  // Whether a token of this id is shown as the text it stands for, not as the vocabulary spells it.
  virtual bool spells_unknown_as_text(int32_t) const { return false; }

  const Vocabulary& vocabulary() const { return vocabulary_; }

 protected:
  explicit Model(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  // Throws RequestError: a text has what only the unknown token could stand for, and there is none.
  [[noreturn]] static void fail_unknown(std::string_view unk_token);
  Vocabulary vocabulary_;
};

}  // namespace hearth::text
