// The norms for a vector type V, included by the ISA files inside their target region.
//
// Two passes over a row, the second from L1. Sums run in four vectors of 16 (element i in lane i % 64), which hides the
// adder's latency.
#pragma once

#include "core/cpu/extrema.h"

namespace hearth::cpu {

// Rows a thread takes at a time: about 16k elements, some 2 us.
static size_t norm_grain(int64_t columns) { return max_of<int64_t>(1, 16384 / max_of<int64_t>(1, columns)); }

template <class V>
struct FourSums {
  V part[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
  float total() const { return sum_lanes((part[0] + part[1]) + (part[2] + part[3])); }
};

template <class V, class T>
void rms_norm_row(const RmsNormArgs& args, int64_t row) {
  const T* x = static_cast<const T*>(args.x) + row * args.x_stride;
  FourSums<V> squares;
  if (args.residual) {
    const T* residual = static_cast<const T*>(args.residual) + row * args.residual_stride;
    T* sum = static_cast<T*>(args.sum) + row * args.sum_stride;
    for_each_vector<V>(args.columns, [&](int64_t i, auto lanes) {
      lanes.store(lanes.load(x + i) + lanes.load(residual + i), sum + i);
      const V rounded = lanes.load(sum + i);
      V& part = squares.part[i / V::kWidth % 4];
      part = fma(rounded, rounded, part);
    });
    x = sum;
  } else {
    for_each_vector<V>(args.columns, [&](int64_t i, auto lanes) {
      const V value = lanes.load(x + i);
      V& part = squares.part[i / V::kWidth % 4];
      part = fma(value, value, part);
    });
  }
  const float mean = squares.total() / static_cast<float>(args.columns);
  const V scale = V::all(1.0f / __builtin_sqrtf(mean + args.eps));
  const T* weight = static_cast<const T*>(args.weight);
  T* out = static_cast<T*>(args.out) + row * args.out_stride;
  for_each_vector<V>(args.columns, [&](int64_t i, auto lanes) {
    const V y = lanes.load(x + i) * scale;
    lanes.store(weight ? y * lanes.load(weight + i) : y, out + i);
  });
}

template <class V, class T>
void layer_norm_row(const LayerNormArgs& args, int64_t row) {
  const T* x = static_cast<const T*>(args.x) + row * args.x_stride;
  const float count = static_cast<float>(args.columns);
  FourSums<V> sums;
  for_each_vector<V>(args.columns, [&](int64_t i, auto lanes) {
    V& part = sums.part[i / V::kWidth % 4];
    part = part + lanes.load(x + i);
  });
  const V mean = V::all(sums.total() / count);
  FourSums<V> squares;
  for_each_vector<V>(args.columns, [&](int64_t i, auto lanes) {
    const V difference = lanes.only(lanes.load(x + i) - mean);
    V& part = squares.part[i / V::kWidth % 4];
    part = fma(difference, difference, part);
  });
  const V scale = V::all(1.0f / __builtin_sqrtf(squares.total() / count + args.eps));
  const T *weight = static_cast<const T*>(args.weight), *bias = static_cast<const T*>(args.bias);
  T* out = static_cast<T*>(args.out) + row * args.out_stride;
  for_each_vector<V>(args.columns, [&](int64_t i, auto lanes) {
    V y = (lanes.load(x + i) - mean) * scale;
    if (weight) y = y * lanes.load(weight + i);
    if (bias) y = y + lanes.load(bias + i);
    lanes.store(y, out + i);
  });
}

template <class V>
void rms_norm(const RmsNormArgs& args) {
  with_short_float(args.type, [&](auto zero) {
    parallel_for(args.rows, norm_grain(args.columns), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; row++) rms_norm_row<V, decltype(zero)>(args, row);
    });
  });
}

template <class V>
void layer_norm(const LayerNormArgs& args) {
  with_short_float(args.type, [&](auto zero) {
    parallel_for(args.rows, norm_grain(args.columns), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; row++) layer_norm_row<V, decltype(zero)>(args, row);
    });
  });
}

}  // namespace hearth::cpu
