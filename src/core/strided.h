// Private to core: what a kernel needs to walk several operands of one shape together.
#pragma once

#include <array>

#include "core/primitive.h"

namespace hearth::core {

// The strides by which an array is read as if it had been broadcast to a shape.
Strides broadcast_strides(const array& a, const Shape& shape);

// Drops axes of length one and merges neighbours that every operand walks with one stride, so that kernels see few and
// long axes. At least one axis is left.
template <size_t N>
struct Walk {
  Shape shape;
  std::array<Strides, N> strides;
};
template <size_t N>
Walk<N> merge_axes(const Shape& shape, const std::array<Strides, N>& strides) {
  Walk<N> out;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    bool mergeable = !out.shape.empty();
    for (size_t k = 0; mergeable && k < N; ++k) {
      mergeable = out.strides[k].back() == strides[k][i] * shape[i];
    }
    mergeable = mergeable && static_cast<int64_t>(out.shape.back()) * shape[i] <= INT32_MAX;
    if (mergeable) {
      out.shape.back() *= shape[i];
      for (size_t k = 0; k < N; ++k) out.strides[k].back() = strides[k][i];
    } else {
      out.shape.push_back(shape[i]);
      for (size_t k = 0; k < N; ++k) out.strides[k].push_back(strides[k][i]);
    }
  }
  if (out.shape.empty()) {
    out.shape.push_back(1);
    for (size_t k = 0; k < N; ++k) out.strides[k].push_back(1);
  }
  return out;
}

}  // namespace hearth::core
