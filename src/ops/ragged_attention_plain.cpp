// The definition: each run by itself, its cache updated by slices and put in the order of positions, a boolean mask of
// what each token sees, softmax over all scores in float32.
#include <cmath>
#include <limits>
#include <numeric>

#include "ops/kernel_type.h"
#include "ops/ragged_attention.h"

namespace hearth::ops {
namespace {

using mx::array;

array int_array(const std::vector<int>& values) {
  return array(values.begin(), {static_cast<int>(values.size())}, mx::int32);
}

int cache_row(const Run& run, int position, int rows) {
  return position < run.keep ? position : run.keep + (position - run.keep) % (rows - run.keep);
}

bool sees(const Run& run, int token, int key) {
  return key <= token && (key < run.keep || run.window == 0 || key > token - run.window);
}

// x [n, Hkv, D] -> cache [Hkv, C, D] with the run's tokens in place; of two with one row the later stays.
array written(array cache, const array& x, const Run& run) {
  const int rows = cache.shape(1);
  for (int t = 0; t < run.tokens; ++t) {
    const int row = cache_row(run, run.position + t, rows);
    const array one = mx::swapaxes(mx::slice(x, {t, 0, 0}, {t + 1, x.shape(1), x.shape(2)}), 0, 1);  // [Hkv, 1, D]
    cache = mx::slice_update(cache, one, mx::Shape{0, row, 0}, mx::Shape{cache.shape(0), row + 1, cache.shape(2)});
  }
  return cache;
}

// Positions that any token of the run sees, and that are in the cache or among the new ones.
std::vector<int> visible_keys(const Run& run) {
  std::vector<int> keys;
  for (int p = 0; p < run.position + run.tokens; ++p) {
    if (sees(run, std::max(p, run.position), p)) keys.push_back(p);
  }
  return keys;
}

// The keys (or values) at `positions`, [Hkv, n, D]: old ones from the cache as it was, new ones from x.
array gathered(const array& cache, const array& x, const Run& run, const std::vector<int>& positions) {
  std::vector<int> rows;
  const int capacity = cache.shape(1);
  for (const int p : positions) {
    rows.push_back(p < run.position ? cache_row(run, p, capacity) : capacity + p - run.position);
  }
  return mx::take(mx::concatenate({cache, mx::swapaxes(x, 0, 1)}, 1), int_array(rows), 1);
}

array attend(const array& q, const array& k, const array& v, const Run& run, const std::vector<int>& positions,
             const AttentionOptions& options, const std::optional<array>& sinks) {
  const int tokens = run.tokens, heads = q.shape(1), kv_heads = k.shape(0), keys = k.shape(1);
  const auto grouped = [&](const array& a) {  // [Hkv, n, D] -> float32 [H, n, D]
    return mx::repeat(mx::astype(a, mx::float32), heads / kv_heads, 0);
  };
  const array queries = mx::swapaxes(mx::astype(q, mx::float32), 0, 1);
  array scores = mx::multiply(mx::matmul(queries, mx::swapaxes(grouped(k), 1, 2)), array(options.scale));
  if (options.softcap > 0) {
    scores = mx::multiply(mx::tanh(mx::divide(scores, array(options.softcap))), array(options.softcap));
  }
  std::vector<bool> mask;
  for (int t = 0; t < tokens; ++t) {
    for (const int p : positions) mask.push_back(sees(run, run.position + t, p));
  }
  scores = mx::where(array(mask.begin(), {1, tokens, keys}, mx::bool_), scores,
                     array(-std::numeric_limits<float>::infinity()));
  if (sinks) {
    const array column = mx::reshape(mx::astype(*sinks, mx::float32), {heads, 1, 1});
    scores = mx::concatenate({scores, mx::broadcast_to(column, {heads, tokens, 1})}, 2);
  }
  const array weights = mx::slice(mx::softmax(scores, -1), {0, 0, 0}, {heads, tokens, keys});
  return mx::astype(mx::swapaxes(mx::matmul(weights, grouped(v)), 0, 1), q.dtype());
}

}  // namespace

std::vector<mx::array> plain::ragged_attention(const mx::array& q, const mx::array& k, const mx::array& v,
                                               std::vector<mx::array> caches, const mx::array& runs,
                                               const AttentionOptions& options, const std::optional<mx::array>& sinks) {
  array packed = runs;
  packed.eval();
  std::vector<array> outs, results{q};
  for (int i = 0; i < packed.shape(0); ++i) {
    const int32_t* fields = packed.data<int32_t>() + 5 * i;
    const Run run{fields[0], fields[1], fields[2], fields[3], fields[4]};
    const auto rows_of = [&](const array& x) {
      return mx::slice(x, {run.row, 0, 0}, {run.row + run.tokens, x.shape(1), x.shape(2)});
    };
    array &keys = caches[2 * static_cast<size_t>(i)], &values = caches[2 * static_cast<size_t>(i) + 1];
    const std::vector<int> positions = visible_keys(run);
    outs.push_back(attend(rows_of(q), gathered(keys, rows_of(k), run, positions),
                          gathered(values, rows_of(v), run, positions), run, positions, options, sinks));
    results.push_back(written(keys, rows_of(k), run));
    results.push_back(written(values, rows_of(v), run));
  }
  results[0] = mx::concatenate(std::move(outs), 0);
  return results;
}

}  // namespace hearth::ops
