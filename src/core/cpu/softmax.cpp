// Softmax and log-sum-exp of rows in one pass over memory for the sum: a tile's maximum first, then its exponentials
// while it is in L1; when the maximum grows, the lanes so far are scaled down.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "core/cpu/folds.h"
#include "core/cpu/scalar_types.h"
#include "core/cpu/tile_walk.h"

namespace hearth::cpu {
namespace {

constexpr int64_t kGrain = 8 * kTile;  // elements a thread takes at a time: some 3 us of exponentials

struct MaxAndSum {
  double max, sum;  // sum of exp(x - max); both are floats for float rows
};

template <class T>
MaxAndSum sum_exponentials(const FloatFolds& folds, const T* row, int64_t columns) {
  const UnaryTile widen = widening(*folds.tiles, std::is_same_v<T, Float16>    ? Dtype::kFloat16
                                                 : std::is_same_v<T, Bfloat16> ? Dtype::kBfloat16
                                                                               : Dtype::kFloat32);
  const FoldFunctions edges = folds_of(Dtype::kFloat32)[static_cast<int>(ReduceOp::kMax)];
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  alignas(64) float sums[kFoldLanes] = {}, wide[kTile];
  float max = kLowest;
  for (int64_t i = 0; i < columns; i += kTile) {
    const size_t n = std::min<int64_t>(kTile, columns - i);
    if (widen) widen(row + i, wide, n);
    const float* tile = widen ? wide : reinterpret_cast<const float*>(row + i);
    alignas(64) float lanes[kFoldLanes];
    edges.start(lanes);
    folds.fold[static_cast<int>(ReduceOp::kMax)](tile, n, lanes);
    edges.finish(lanes);
    if (!(lanes[0] <= max)) {  // larger, or NaN
      float scale = 0.0f;
      if (max != kLowest) folds.exponentials(&max, 1, lanes[0], 1.0f, &scale);
      for (float& sum : sums) sum *= scale;
      max = lanes[0];
    }
    if (max != kLowest) folds.add_exponentials(tile, n, max, sums);
  }
  folds_of(Dtype::kFloat32)[static_cast<int>(ReduceOp::kSum)].finish(sums);
  return {max, sums[0]};
}

MaxAndSum sum_exponentials(const FloatFolds&, const double* row, int64_t columns) {
  double max = -std::numeric_limits<double>::infinity(), sum = 0;
  for (int64_t i = 0; i < columns; i++) max = std::isnan(row[i]) || row[i] > max ? row[i] : max;
  for (int64_t i = 0; i < columns; i++) sum += std::exp(row[i] - max);
  return {max, sum};
}

template <class T>
void softmax_row(const FloatFolds& folds, const T* x, T* out, int64_t columns) {
  const auto [max, sum] = sum_exponentials(folds, x, columns);
  constexpr Dtype kType = std::is_same_v<T, Float16>    ? Dtype::kFloat16
                          : std::is_same_v<T, Bfloat16> ? Dtype::kBfloat16
                                                        : Dtype::kFloat32;
  const UnaryTile widen = widening(*folds.tiles, kType), narrow = narrowing(*folds.tiles, kType);
  const float shift = static_cast<float>(max), factor = 1.0f / static_cast<float>(sum);
  alignas(64) float wide[kTile];
  for (int64_t i = 0; i < columns; i += kTile) {
    const size_t n = std::min<int64_t>(kTile, columns - i);
    if (widen) widen(x + i, wide, n);
    const float* tile = widen ? wide : reinterpret_cast<const float*>(x + i);
    folds.exponentials(tile, n, shift, factor, narrow ? wide : reinterpret_cast<float*>(out + i));
    if (narrow) narrow(wide, out + i, n);
  }
}

void softmax_row(const FloatFolds& folds, const double* x, double* out, int64_t columns) {
  const auto [max, sum] = sum_exponentials(folds, x, columns);
  for (int64_t i = 0; i < columns; i++) out[i] = std::exp(x[i] - max) / sum;
}

// Calls f with a value of the type of `type`'s elements.
template <class F>
void with_float(Dtype type, F&& f) {
  if (type == Dtype::kFloat64) return f(double{});
  with_short_float(type, f);
}

void store(float* out, double value) { *out = static_cast<float>(value); }
void store(double* out, double value) { *out = value; }
template <class Half>
void store(Half* out, double value) {
  *out = from_float<Half>(static_cast<float>(value));
}

double log_sum_exp_of(const MaxAndSum& m, bool in_float) {
  if (std::isinf(m.max)) return m.max;
  return in_float ? static_cast<float>(m.max) + std::log(static_cast<float>(m.sum)) : m.max + std::log(m.sum);
}

}  // namespace

void softmax_on(const FloatFolds& folds, const SoftmaxArgs& args) {
  const size_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, args.columns));
  with_float(args.type, [&](auto zero) {
    using T = decltype(zero);
    parallel_for(args.rows, grain, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; row++) {
        softmax_row(folds, static_cast<const T*>(args.x) + row * args.x_stride,
                    static_cast<T*>(args.out) + row * args.out_stride, args.columns);
      }
    });
  });
}

void log_sum_exp_on(const FloatFolds& folds, const LogSumExpArgs& args) {
  const size_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, args.columns));
  with_float(args.type, [&](auto zero) {
    using T = decltype(zero);
    parallel_for(args.rows, grain, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; row++) {
        const MaxAndSum m = sum_exponentials(folds, static_cast<const T*>(args.x) + row * args.x_stride, args.columns);
        store(static_cast<T*>(args.out) + row, log_sum_exp_of(m, args.type != Dtype::kFloat64));
      }
    });
  });
}

}  // namespace hearth::cpu
