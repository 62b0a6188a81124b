// Until full_capacity() tokens have come the arrays are a plain table that grows; from then on a ring behind the kept
// rows. Both have one layout (ops/ragged_attention.h), so nothing moves when the one becomes the other.
#include "cache/rotating_cache.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "cache/cache_arrays.h"
#include "cache/full_cache.h"

namespace hearth::cache {

RotatingCache::RotatingCache(int max_size, int keep)
    : max_size_(std::min(max_size, std::numeric_limits<int>::max() - kSlack)), keep_(keep) {
  if (keep < 0 || max_size <= keep) {
    throw std::invalid_argument("[RotatingCache] max_size must be greater than keep, keep at least 0");
  }
}

bool RotatingCache::can_trim(int n) const {
  if (n < 0 || n > offset_) return false;
  const int oldest_seen = offset_ - n - window() + 1;            // by the next token, of those behind `keep`
  const int oldest_held = written_ - (full_capacity() - keep_);  // later tokens have overwritten the others
  return oldest_held <= keep_ || oldest_seen >= oldest_held;
}

void RotatingCache::trim(int n) {
  if (!can_trim(n))
    throw std::invalid_argument("[KVCache::trim] the window has dropped tokens that would be seen again");
  offset_ -= n;
}

std::unique_ptr<KVCache> RotatingCache::clone() const {
  auto copy = std::make_unique<RotatingCache>(max_size_, keep_);
  copy->keys_ = copied(keys_);
  copy->values_ = copied(values_);
  copy->offset_ = offset_;
  copy->written_ = written_;
  return copy;
}

size_t RotatingCache::bytes() const { return bytes_of(keys_) + bytes_of(values_); }

KVRows RotatingCache::lend(int tokens, const mx::array& k, const mx::array& v) {
  const int rows = keys_ ? keys_->shape(1) : 0, needed = std::min(offset_ + tokens, full_capacity());
  if (needed > rows) {
    const int wanted = std::max(needed, rows + rows / 8);
    const int grown = std::min((wanted + FullCache::kStep - 1) / FullCache::kStep * FullCache::kStep, full_capacity());
    keys_ = with_rows(std::move(keys_), k, grown);
    values_ = with_rows(std::move(values_), v, grown);
  }
  KVRows lent{*std::move(keys_), *std::move(values_), keep_, window()};
  keys_.reset();
  values_.reset();
  return lent;
}

void RotatingCache::give_back(mx::array keys, mx::array values, int tokens) {
  keys_ = std::move(keys);
  values_ = std::move(values);
  offset_ += tokens;
  written_ = std::max(written_, offset_);
}

}  // namespace hearth::cache
