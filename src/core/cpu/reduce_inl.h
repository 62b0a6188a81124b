// The float folds for X, a vector type, included by the ISA files inside their target region, and by reduce_scalar.cpp
// with F32x1.
//
// Sixteen lanes on every instruction set: sums have the same bits on all of them.
#pragma once

namespace hearth::cpu {

// A row's rest is padded with the neutral element.
template <class X, int kOperation, class F>
constexpr Fold float_fold(F) {
  return [](const void* from, size_t n, void* to) {
    constexpr float kNeutral[kFolds] = {0.0f, 1.0f, -__builtin_inff(), __builtin_inff()};
    constexpr int kWidth = X::kWidth, kVectors = kFoldLanes / kWidth;
    const float* x = static_cast<const float*>(from);
    float* lanes = static_cast<float*>(to);
    X joined[kVectors];
    for (int v = 0; v < kVectors; v++) joined[v] = X::load(lanes + v * kWidth);
    size_t i = 0;
    for (; i + kFoldLanes <= n; i += kFoldLanes) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; v++) joined[v] = F{}(joined[v], X::load(x + i + v * kWidth));
    }
    if (i < n) {
      float rest[kFoldLanes];
      for (int lane = 0; lane < kFoldLanes; lane++, i++) rest[lane] = i < n ? x[i] : kNeutral[kOperation];
      for (int v = 0; v < kVectors; v++) joined[v] = F{}(joined[v], X::load(rest + v * kWidth));
    }
    for (int v = 0; v < kVectors; v++) joined[v].store(lanes + v * kWidth);
  };
}

template <class X>
void add_exponentials(const float* x, size_t n, float max, float* lanes) {
  constexpr int kWidth = X::kWidth, kVectors = kFoldLanes / kWidth;
  const X shift = X::all(max);
  X sum[kVectors];
  for (int v = 0; v < kVectors; v++) sum[v] = X::load(lanes + v * kWidth);
  size_t i = 0;
  for (; i + kFoldLanes <= n; i += kFoldLanes) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; v++) sum[v] = sum[v] + exp(X::load(x + i + v * kWidth) - shift);
  }
  if (i < n) {  // padded with what adds nothing
    float rest[kFoldLanes];
    for (int lane = 0; lane < kFoldLanes; lane++, i++) rest[lane] = i < n ? x[i] : -__builtin_inff();
    for (int v = 0; v < kVectors; v++) sum[v] = sum[v] + exp(X::load(rest + v * kWidth) - shift);
  }
  for (int v = 0; v < kVectors; v++) sum[v].store(lanes + v * kWidth);
}

template <class X>
void exponentials(const float* x, size_t n, float max, float factor, float* out) {
  const X shift = X::all(max), scale = X::all(factor);
  for_each_vector<X>(n, [&](int64_t i, auto lanes) { lanes.store(exp(lanes.load(x + i) - shift) * scale, out + i); });
}

template <class X>
constexpr FloatFolds float_folds(const FloatTiles* tiles) {
  return {tiles,
          {float_fold<X, 0>([](X a, X b) { return a + b; }), float_fold<X, 1>([](X a, X b) { return a * b; }),
           float_fold<X, 2>([](X a, X b) { return maximum(a, b); }),
           float_fold<X, 3>([](X a, X b) { return minimum(a, b); })},
          add_exponentials<X>,
          exponentials<X>};
}

}  // namespace hearth::cpu
