// The tokens of a model: spelling to id and back.
//
// Spellings lie end to end in one string; the table is open addressing over ids. 150,000 tokens load in about 5 ms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/hash.h"

namespace hearth::text {

class Vocabulary {
 public:
  static constexpr int32_t kMaxId = (1 << 24) - 1;
  static constexpr size_t kMaxTokens = 1'200'000;

  enum class Added { kYes, kSpellingTaken, kIdTaken, kRefused };

  void reserve(size_t tokens, size_t bytes);
  // Adds one token; kRefused when a limit is passed. Requires 0 <= id <= kMaxId.
  Added add(std::string_view token, int32_t id);
  // The same, but a spelling may come again under another id, and find() then gives the later one.
  Added add_again(std::string_view token, int32_t id);

  // The id, or -1.
  int32_t find(std::string_view token) const { return find(token, hash_bytes(token)); }
  // The same in two steps, for looking many up: fetch(hash) brings the place where the token will be looked for nearer.
  int32_t find(std::string_view token, uint64_t hash) const;
  void fetch(uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  // A while after fetch(hash): the spelling that lies there.
  void fetch_spelling(uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(bytes_.data() + slots_[hash & (slots_.size() - 1)].spelling.offset);
  }
  // "" for an id that stands for nothing. Lifetime: until the next add().
  std::string_view token(int32_t id) const {
    if (!contains(id)) return {};
    return spelling(entries_[static_cast<size_t>(id)]);
  }
  bool contains(int32_t id) const {
    return id >= 0 && static_cast<size_t>(id) < entries_.size() && entries_[static_cast<size_t>(id)].offset != kAbsent;
  }
  // Tokens held; and one more than the largest id.
  size_t size() const { return size_; }
  int32_t end_id() const { return static_cast<int32_t>(entries_.size()); }
  size_t longest_token() const { return longest_; }
  // Whether some spelling stands for several ids.
  bool has_repeats() const { return has_repeats_; }

 private:
  static constexpr uint32_t kAbsent = ~uint32_t{0};
  struct Entry {
    uint32_t offset = kAbsent, length = 0;
  };
  struct Slot {
    uint32_t tag = 0;
    int32_t id = -1;
    Entry spelling{0, 0};  // a copy: one place in memory less to wait for
  };
  void grow();
  Added add(std::string_view token, int32_t id, bool again);
  size_t slot_of(std::string_view token, uint64_t hash) const;
  std::string_view spelling(const Entry& entry) const { return {bytes_.data() + entry.offset, entry.length}; }

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;
  size_t size_ = 0, longest_ = 0;
  bool has_repeats_ = false;
};

}  // namespace hearth::text
