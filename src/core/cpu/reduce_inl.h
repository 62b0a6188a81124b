// The float folds for X, a vector type (included by the ISA files inside their target region) or float.
//
// Sixteen lanes on every instruction set and no fused operations: sums have the same bits on all of them.
#pragma once

namespace hearth::cpu {

template <class X>
constexpr int width_of() {
  if constexpr (std::is_floating_point_v<X>) {
    return 1;
  } else {
    return X::kWidth;
  }
}

template <class X>
inline X load_lanes(const float* p) {
  if constexpr (std::is_floating_point_v<X>) {
    return *p;
  } else {
    return X::load(p);
  }
}

template <class X>
inline void store_lanes(X x, float* p) {
  if constexpr (std::is_floating_point_v<X>) {
    *p = x;
  } else {
    x.store(p);
  }
}

// A row's rest is padded with the neutral element.
template <class X, int kOperation, class F>
constexpr Fold float_fold(F) {
  return [](const void* from, size_t n, void* to) {
    constexpr float kNeutral[kFolds] = {0.0f, 1.0f, -__builtin_inff(), __builtin_inff()};
    constexpr int kWidth = width_of<X>(), kVectors = kFoldLanes / kWidth;
    const float* x = static_cast<const float*>(from);
    float* lanes = static_cast<float*>(to);
    X joined[kVectors];
    for (int v = 0; v < kVectors; v++) joined[v] = load_lanes<X>(lanes + v * kWidth);
    size_t i = 0;
    for (; i + kFoldLanes <= n; i += kFoldLanes) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; v++) joined[v] = F{}(joined[v], load_lanes<X>(x + i + v * kWidth));
    }
    if (i < n) {
      float rest[kFoldLanes];
      for (int lane = 0; lane < kFoldLanes; lane++, i++) rest[lane] = i < n ? x[i] : kNeutral[kOperation];
      for (int v = 0; v < kVectors; v++) joined[v] = F{}(joined[v], load_lanes<X>(rest + v * kWidth));
    }
    for (int v = 0; v < kVectors; v++) store_lanes(joined[v], lanes + v * kWidth);
  };
}

template <class X>
void add_exponentials(const float* x, size_t n, float max, float* lanes) {
  constexpr int kWidth = width_of<X>(), kVectors = kFoldLanes / kWidth;
  const X shift = constant<X>(max);
  X sum[kVectors];
  for (int v = 0; v < kVectors; v++) sum[v] = load_lanes<X>(lanes + v * kWidth);
  size_t i = 0;
  for (; i + kFoldLanes <= n; i += kFoldLanes) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; v++) sum[v] = sum[v] + exp(load_lanes<X>(x + i + v * kWidth) - shift);
  }
  if (i < n) {  // padded with what adds nothing
    float rest[kFoldLanes];
    for (int lane = 0; lane < kFoldLanes; lane++, i++) rest[lane] = i < n ? x[i] : -__builtin_inff();
    for (int v = 0; v < kVectors; v++) sum[v] = sum[v] + exp(load_lanes<X>(rest + v * kWidth) - shift);
  }
  for (int v = 0; v < kVectors; v++) store_lanes(sum[v], lanes + v * kWidth);
}

template <class X>
void exponentials(const float* x, size_t n, float max, float factor, float* out) {
  const X shift = constant<X>(max), scale = constant<X>(factor);
  if constexpr (std::is_floating_point_v<X>) {
    for (size_t i = 0; i < n; i++) out[i] = exp(x[i] - shift) * scale;
  } else {
    for_each_vector<X>(n, [&](int64_t i, auto lanes) { lanes.store(exp(lanes.load(x + i) - shift) * scale, out + i); });
  }
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
