#include "cache/cache_arrays.h"

#include "ops/grow_rows.h"

namespace hearth::cache {

mx::array with_rows(std::optional<mx::array> cache, const mx::array& x, int rows) {
  mx::array none_yet = cache ? *std::move(cache) : mx::zeros({x.shape(1), 0, x.shape(2)}, x.dtype());
  return ops::grow_rows(std::move(none_yet), rows);
}

std::optional<mx::array> copied(const std::optional<mx::array>& cache) {
  if (!cache) return std::nullopt;
  mx::array copy = ops::grow_rows(*cache, cache->shape(1));
  copy.eval();
  return copy;
}

size_t bytes_of(const std::optional<mx::array>& cache) { return cache ? cache->nbytes() : 0; }

}  // namespace hearth::cache
