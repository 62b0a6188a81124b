// Every key and value of the sequence, in one table per head that grows.
//
// Capacity grows by at least 256 tokens and an eighth, so n tokens cost O(n) copying and at most an eighth is unused;
// layers grow one after the other, so that growing needs one layer's old table beside the cache, not a second cache.
#pragma once

#include <optional>

#include "cache/kv_cache.h"

namespace hearth::cache {

class FullCache final : public KVCache {
 public:
  static constexpr int kStep = 256;

  // `expected` tokens are made room for at the first write, which saves growing; memory is touched as it fills.
  explicit FullCache(int expected = 0) : expected_(expected) {}

  int offset() const override { return offset_; }
  void trim(int n) override;
  bool can_trim(int n) const override { return n >= 0 && n <= offset_; }
  std::unique_ptr<KVCache> clone() const override;
  size_t bytes() const override;
  KVRows lend(int tokens, const mx::array& k, const mx::array& v) override;
  void give_back(mx::array keys, mx::array values, int tokens) override;

 private:
  std::optional<mx::array> keys_, values_;
  int offset_ = 0;
  int expected_;
};

}  // namespace hearth::cache
