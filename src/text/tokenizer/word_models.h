// The two models that look whole words up: WordPiece, which cuts unknown ones, and WordLevel, which does not.
//
// Source: Wu et al. 2016, arXiv:1609.08144 (WordPiece); huggingface/tokenizers models/wordpiece, models/wordlevel.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/model.h"

namespace hearth::text {

class WordPiece : public Model {
 public:
  WordPiece(Vocabulary vocabulary, std::string_view unk_token, std::string prefix, size_t max_characters);
  // The longest token first, then the longest that continues it; one unknown token if that fails anywhere.
  void tokenize(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const override;

 private:
  bool cut(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const;
  std::string unk_token_;
  int32_t unk_id_;
  std::string prefix_;
  size_t max_characters_;
};

class WordLevel : public Model {
 public:
  WordLevel(Vocabulary vocabulary, std::string_view unk_token);
  void tokenize(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const override;

 private:
  std::string unk_token_;
  int32_t unk_id_;
};

}  // namespace hearth::text
