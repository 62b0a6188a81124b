// Remembers how words were tokenized: most of a text is words seen before.
//
// Open addressing over 2^16 slots; when it fills up, all is forgotten and it starts over. Not for several threads.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/hash.h"
#include "text/tokenizer/token.h"

namespace hearth::text {

class WordCache {
 public:
  static constexpr size_t kMaxWordBytes = 128;

  // Appends the tokens of `word`, moved by `base`, if it is known.
  bool find(std::string_view word, uint64_t hash, uint32_t base, std::vector<Token>& out) const {
    if (slots_.empty()) return false;
    for (size_t at = hash & kMask;; at = (at + 1) & kMask) {
      const Slot& slot = slots_[at];
      if (slot.count == 0) return false;
      if (slot.hash != hash || slot.length != word.size() ||
          std::memcmp(words_.data() + slot.word, word.data(), word.size()) != 0)
        continue;
      const Remembered* tokens = tokens_.data() + slot.tokens;
      for (uint32_t i = 0; i < slot.count; ++i)
        out.push_back({tokens[i].id, base + tokens[i].begin, base + tokens[i].end});
      return true;
    }
  }

  // Requires that `word` is not known, at most kMaxWordBytes long and came to at least one token.
  void insert(std::string_view word, uint64_t hash, uint32_t base, std::span<const Token> tokens) {
    if (slots_.empty()) slots_.resize(kSlots);
    if (size_ >= kSlots / 2 || words_.size() > kMaxBytes) clear();
    size_t at = hash & kMask;
    while (slots_[at].count != 0) at = (at + 1) & kMask;
    const Slot slot = {hash, static_cast<uint32_t>(words_.size()), static_cast<uint32_t>(tokens_.size()),
                       static_cast<uint32_t>(word.size()), static_cast<uint32_t>(tokens.size())};
    words_ += word;
    for (const Token& token : tokens)
      tokens_.push_back({token.id, static_cast<uint16_t>(token.begin - base), static_cast<uint16_t>(token.end - base)});
    slots_[at] = slot;  // last: appending may run out of memory
    ++size_;
  }

 private:
  static constexpr size_t kSlots = 1 << 16, kMask = kSlots - 1, kMaxBytes = 2 << 20;
  struct Slot {
    uint64_t hash = 0;
    uint32_t word = 0, tokens = 0, length = 0, count = 0;
  };
  struct Remembered {
    int32_t id;
    uint16_t begin, end;
  };
  void clear() {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    words_.clear();
    tokens_.clear();
    size_ = 0;
  }

  std::vector<Slot> slots_;
  std::string words_;
  std::vector<Remembered> tokens_;
  size_t size_ = 0;
};

}  // namespace hearth::text
