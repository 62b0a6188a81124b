// Keys and values that one attention layer has seen of one sequence.
//
// Shapes:  Hkv key/value heads, C rows allocated, D head size (docs/shapes.md).
// Threads: one caller at a time; different caches are independent.
#pragma once

#include <memory>

#include "core/mx.h"

namespace hearth::cache {

// What a step does with a cache: ops::ragged_attention writes to the arrays and attends over them.
struct KVRows {
  mx::array keys, values;  // [Hkv, C, D], in the layout of ops/ragged_attention.h
  int keep = 0;            // rows before the ring
  int window = 0;          // latest tokens that are seen; 0: all
};

class KVCache {
 public:
  virtual ~KVCache() = default;

  // Tokens seen, including any that a window has dropped. Also the position of the next token.
  virtual int offset() const = 0;

  // Forgets the last n tokens: what follows has the bits it would have had if they had never come.
  // Requires can_trim(n), else throws std::invalid_argument.
  virtual void trim(int n) = 0;
  virtual bool can_trim(int n) const = 0;

  // A deep copy. Named, because it is as large as the cache.
  virtual std::unique_ptr<KVCache> clone() const = 0;

  // Bytes of the rows held now, filled or not (the arrays' nbytes()).
  virtual size_t bytes() const = 0;

  // Makes room for `tokens` more, which look like `k` and `v` ([T, Hkv, D]: only shape and dtype count), and hands
  // the arrays over. Until give_back the cache holds none, so that an operation may write to them in place.
  virtual KVRows lend(int tokens, const mx::array& k, const mx::array& v) = 0;
  // Takes the arrays back after `tokens` were added.
  virtual void give_back(mx::array keys, mx::array values, int tokens) = 0;
};

}  // namespace hearth::cache
