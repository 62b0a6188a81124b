#include "cache/full_cache.h"

#include <algorithm>
#include <stdexcept>

#include "cache/cache_arrays.h"

namespace hearth::cache {

void FullCache::trim(int n) {
  if (!can_trim(n)) throw std::invalid_argument("[KVCache::trim] there are fewer tokens than that");
  offset_ -= n;
}

std::unique_ptr<KVCache> FullCache::clone() const {
  auto copy = std::make_unique<FullCache>(expected_);
  copy->keys_ = copied(keys_);
  copy->values_ = copied(values_);
  copy->offset_ = offset_;
  return copy;
}

size_t FullCache::bytes() const { return bytes_of(keys_) + bytes_of(values_); }

KVRows FullCache::lend(int tokens, const mx::array& k, const mx::array& v) {
  const int rows = keys_ ? keys_->shape(1) : 0, needed = offset_ + tokens;
  if (needed > rows) {
    const int wanted = std::max({needed, rows + rows / 8, rows == 0 ? expected_ : 0});
    const int grown = (wanted + kStep - 1) / kStep * kStep;
    keys_ = with_rows(std::move(keys_), k, grown);
    values_ = with_rows(std::move(values_), v, grown);
  }
  KVRows lent{*std::move(keys_), *std::move(values_)};
  keys_.reset();
  values_.reset();
  return lent;
}

void FullCache::give_back(mx::array keys, mx::array values, int tokens) {
  keys_ = std::move(keys);
  values_ = std::move(values);
  offset_ += tokens;
}

}  // namespace hearth::cache
