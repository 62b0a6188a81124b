// The first `keep` tokens of the sequence and the latest max_size - keep: a sliding window of bounded memory.
//
// A token at position p sees tokens 0..keep-1 and the max_size - keep that end with itself, however it was chunked.
// The ring has kSlack rows more than the window: that many tokens can be written at once before the first of them has
// attended, and that many can be trimmed even after the ring has wrapped.
#pragma once

#include <optional>

#include "cache/kv_cache.h"

namespace hearth::cache {

class RotatingCache final : public KVCache {
 public:
  static constexpr int kSlack = 256;

  // Requires 0 <= keep < max_size, else throws std::invalid_argument.
  explicit RotatingCache(int max_size, int keep = 0);

  int offset() const override { return offset_; }
  void trim(int n) override;
  bool can_trim(int n) const override;
  std::unique_ptr<KVCache> clone() const override;
  size_t bytes() const override;
  KVRows lend(int tokens, const mx::array& k, const mx::array& v) override;
  void give_back(mx::array keys, mx::array values, int tokens) override;

 private:
  int window() const { return max_size_ - keep_; }
  int full_capacity() const { return max_size_ + kSlack; }

  std::optional<mx::array> keys_, values_;
  int max_size_, keep_;
  int offset_ = 0;
  int written_ = 0;  // highest offset there ever was: rows of later tokens have overwritten older ones
};

}  // namespace hearth::cache
