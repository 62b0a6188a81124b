// Unigram language model: of all ways to cut a piece into tokens, the one with the best sum of scores.
//
// Source: Kudo 2018, arXiv:1804.10959; sentencepiece unigram_model.cc, EncodeOptimized.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer/model.h"

namespace hearth::text {

// Finds every token that a text begins with.
class PrefixTree {
 public:
  // False when it is full (2^24 nodes).
  bool add(std::string_view token, int32_t id);
  // Calls visit(length, id) for each, the shortest first.
  template <typename Visit>
  void prefixes(std::string_view text, Visit&& visit) const {
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      node = child(node, static_cast<uint8_t>(text[i]));
      if (node == 0) return;
      if (ids_[node] >= 0) visit(i + 1, ids_[node]);
    }
  }

 private:
  struct Slot {
    uint32_t key = 0, child = 0;  // key: parent's number and the byte; child 0: free
  };
  uint32_t child(uint32_t node, uint8_t byte) const;
  void grow();
  std::vector<Slot> slots_;
  std::vector<int32_t> ids_ = {-1};  // by node
};

struct UnigramOptions {
  std::optional<int32_t> unk_id;
  bool byte_fallback = false;
  // As SentencePiece itself: sums are rounded to float, and only tokens that `findable` marks are found in texts.
  bool sentencepiece = false;
  std::vector<uint8_t> findable;
};

class Unigram : public Model {
 public:
  // scores[id] is the logarithm of a token's probability. Requires as many scores as tokens.
  // Throws std::invalid_argument when there are too many tokens.
  Unigram(Vocabulary vocabulary, std::vector<double> scores, const UnigramOptions& options);

  void tokenize(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const override;
  bool spells_unknown_as_text(int32_t id) const override { return id == unk_id_; }

 private:
  void find_best_path(std::string_view piece, ModelScratch& scratch) const;
  void add_token(std::string_view piece, const Token& token, uint32_t base, std::vector<Token>& out) const;

  std::vector<double> scores_;
  int32_t unk_id_;
  bool byte_fallback_, sentencepiece_;
  double unknown_score_ = 0;
  PrefixTree tree_;
  std::array<int32_t, 256> fallback_;
};

}  // namespace hearth::text
