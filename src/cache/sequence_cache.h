// What a model remembers of one sequence: one KVCache for each layer.
//
// Threads: one caller at a time; different sequences are independent.
// Lifetime: outlives every RaggedBatch it was added to.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cache/kv_cache.h"

namespace hearth::cache {

struct CacheOptions {
  int max_kv_size = 0;      // tokens kept per layer; 0: all. Layers with a smaller window of their own keep theirs
  int keep = 4;             // first tokens that max_kv_size never drops
  int expected_tokens = 0;  // room made at the first token, so that the caches need not grow
};

class SequenceCache {
 public:
  explicit SequenceCache(std::vector<std::unique_ptr<KVCache>> layers);

  // Tokens seen; the position of the next token.
  int offset() const;

  // Forgets the last n tokens in every layer. Requires can_trim(n), else throws std::invalid_argument.
  void trim(int n);
  // False when n is negative or more than offset(), or when a window has dropped tokens that would be seen again.
  bool can_trim(int n) const;

  // A deep copy, as large as the cache.
  std::unique_ptr<SequenceCache> clone() const;

  // Bytes of memory held now.
  size_t bytes() const;

  int layers() const { return static_cast<int>(layers_.size()); }
  KVCache& layer(int index) { return *layers_.at(static_cast<size_t>(index)); }

 private:
  std::vector<std::unique_ptr<KVCache>> layers_;
};

// An empty memory for a model whose layer i sees windows[i] tokens (0 or less: all of them).
// Throws std::invalid_argument when one of the options is negative or 0 < max_kv_size <= keep.
std::unique_ptr<SequenceCache> make_sequence_cache(std::span<const int> windows, const CacheOptions& options);

}  // namespace hearth::cache
