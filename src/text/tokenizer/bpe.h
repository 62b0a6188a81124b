// Byte pair encoding: characters (or bytes) joined pair by pair, the best-ranked pair first, the leftmost of equals.
//
// Source: Sennrich et al. 2016, arXiv:1508.07909; huggingface/tokenizers models/bpe, whose order of merges, unknown
//         tokens and byte fallback are followed to the letter.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/model.h"

namespace hearth::text {

struct BpeOptions {
  std::optional<std::string> unk_token;
  std::string continuing_subword_prefix;
  std::string end_of_word_suffix;
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;
};

// (left id, right id) -> rank and the id of both joined. Open addressing.
class MergeTable {
 public:
  static constexpr size_t kMaxMerges = 2'000'000;
  struct Merge {
    uint32_t rank = ~uint32_t{0};
    int32_t id = -1;
  };

  void reserve(size_t merges);
  // A later merge of the same pair replaces an earlier one. False when the table refuses (a limit).
  bool add(int32_t left, int32_t right, Merge merge);
  // Brings the place of a pair nearer, for add() soon after.
  void fetch(int32_t left, int32_t right) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash_integer(key_of(left, right)) & mask_], 1);
  }
  // rank is ~0 when the pair does not merge.
  Merge find(int32_t left, int32_t right) const {
    if (slots_.empty()) return {};
    const uint64_t key = key_of(left, right);
    for (size_t at = hash_integer(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return slots_[at].merge;
      if (slots_[at].key == kFree) return {};
    }
  }
  size_t size() const { return size_; }
  uint32_t end_rank() const { return end_rank_; }

 private:
  static constexpr uint64_t kFree = ~uint64_t{0};
  struct Slot {
    uint64_t key = kFree;
    Merge merge;
  };
  static uint64_t key_of(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  std::vector<Slot> slots_;
  size_t mask_ = 0, size_ = 0;
  uint32_t end_rank_ = 0;
};

class Bpe : public Model {
 public:
  Bpe(Vocabulary vocabulary, MergeTable merges, BpeOptions options);

  // Whether pieces may be raw bytes instead of their byte-level spelling (ModelScratch::pieces_are_bytes); offsets then
  // count raw bytes. With has_all_bytes() these are the offsets that the spelling would give; otherwise a byte without
  // a token is dropped and moves those behind it.
  bool can_read_bytes() const;
  bool has_all_bytes() const;

  // For pieces that are whole texts: lets tokenize() take words one by one where no merge can cross `mark` (U+2581 or a
  // space). Does nothing where one can.
  void split_words_at(std::string_view mark);

  void tokenize(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const override;

  const BpeOptions& options() const { return options_; }

 private:
  void tokenize_word(std::string_view word, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const;
  void add_symbols(std::string_view word, std::vector<Token>& symbols, ModelScratch& scratch) const;
  bool add_bytes(std::string_view spelling, uint32_t& position, std::vector<Token>& symbols) const;
  void merge_short(std::vector<Token>& symbols, std::vector<uint32_t>& ranks) const;
  bool merge_rows(std::vector<Token>& symbols) const;
  bool merge_everywhere(std::vector<Token>& symbols, int32_t left, int32_t right) const;
  void merge_long(std::vector<Token>& symbols, ModelScratch& scratch) const;

  MergeTable merges_;
  BpeOptions options_;
  int32_t unk_id_ = -1;
  std::array<int32_t, 256> fallback_;  // id of <0xNN>, or -1
  std::array<int32_t, 256> byte_ids_;  // id of each byte's stand-in, or -1
  std::string word_mark_;
};

}  // namespace hearth::text
