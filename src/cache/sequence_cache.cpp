#include "cache/sequence_cache.h"

#include <algorithm>
#include <stdexcept>

#include "cache/full_cache.h"
#include "cache/rotating_cache.h"

namespace hearth::cache {

SequenceCache::SequenceCache(std::vector<std::unique_ptr<KVCache>> layers) : layers_(std::move(layers)) {}

int SequenceCache::offset() const { return layers_.empty() ? 0 : layers_.front()->offset(); }

bool SequenceCache::can_trim(int n) const {
  return n >= 0 && n <= offset() &&
         std::all_of(layers_.begin(), layers_.end(), [n](const auto& layer) { return layer->can_trim(n); });
}

void SequenceCache::trim(int n) {
  if (!can_trim(n)) throw std::invalid_argument("[SequenceCache::trim] cannot forget that many tokens");
  for (const auto& layer : layers_) layer->trim(n);
}

std::unique_ptr<SequenceCache> SequenceCache::clone() const {
  std::vector<std::unique_ptr<KVCache>> copies;
  copies.reserve(layers_.size());
  for (const auto& layer : layers_) copies.push_back(layer->clone());
  return std::make_unique<SequenceCache>(std::move(copies));
}

size_t SequenceCache::bytes() const {
  size_t sum = 0;
  for (const auto& layer : layers_) sum += layer->bytes();
  return sum;
}

std::unique_ptr<SequenceCache> make_sequence_cache(std::span<const int> windows, const CacheOptions& options) {
  const auto& [max_kv_size, keep, expected_tokens] = options;
  if (max_kv_size < 0 || keep < 0 || expected_tokens < 0 || (max_kv_size > 0 && max_kv_size <= keep)) {
    throw std::invalid_argument("[make_cache] max_kv_size must be 0 or greater than keep, and nothing negative");
  }
  std::vector<std::unique_ptr<KVCache>> layers;
  layers.reserve(windows.size());
  for (const int window : windows) {
    const bool own_window = window > 0 && (max_kv_size == 0 || window <= max_kv_size);
    if (own_window) {
      layers.push_back(std::make_unique<RotatingCache>(window));
    } else if (max_kv_size > 0) {
      layers.push_back(std::make_unique<RotatingCache>(max_kv_size, keep));
    } else {
      layers.push_back(std::make_unique<FullCache>(expected_tokens));
    }
  }
  return std::make_unique<SequenceCache>(std::move(layers));
}

}  // namespace hearth::cache
