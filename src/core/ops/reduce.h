// Many elements to one: over all axes, some, or one; keepdims leaves axes of length 1.
//
// A float sum is taken in float32 (float64 for its own type) in an order that depends on the reduced elements alone.
// Source: mlx/ops.h.
#pragma once

#include <optional>
#include <vector>

#include "core/array.h"
#include "core/stream.h"

namespace hearth::core {

#define HEARTH_REDUCTION(name)                                                                            \
  array name(const array& a, bool keepdims, StreamOrDevice s = {});                                       \
  array name(const array& a, const std::vector<int>& axes, bool keepdims = false, StreamOrDevice s = {}); \
  array name(const array& a, int axis, bool keepdims = false, StreamOrDevice s = {});                     \
  inline array name(const array& a, StreamOrDevice s = {}) { return name(a, false, s); }

HEARTH_REDUCTION(sum)  // integers below 32 bits give int32 / uint32
HEARTH_REDUCTION(prod)
HEARTH_REDUCTION(max)  // NaN wins
HEARTH_REDUCTION(min)
HEARTH_REDUCTION(all)
HEARTH_REDUCTION(any)
HEARTH_REDUCTION(mean)
HEARTH_REDUCTION(logsumexp)
#undef HEARTH_REDUCTION

// Variance and standard deviation, divided by n - ddof.
array var(const array& a, bool keepdims, int ddof = 0, StreamOrDevice s = {});
array var(const array& a, const std::vector<int>& axes, bool keepdims = false, int ddof = 0, StreamOrDevice s = {});
array var(const array& a, int axis, bool keepdims = false, int ddof = 0, StreamOrDevice s = {});
inline array var(const array& a, StreamOrDevice s = {}) { return var(a, false, 0, s); }
array std(const array& a, bool keepdims, int ddof = 0, StreamOrDevice s = {});
array std(const array& a, const std::vector<int>& axes, bool keepdims = false, int ddof = 0, StreamOrDevice s = {});
array std(const array& a, int axis, bool keepdims = false, int ddof = 0, StreamOrDevice s = {});
inline array std(const array& a, StreamOrDevice s = {}) { return std(a, false, 0, s); }

// Index (uint32) of the first extreme, of the flattened array or along an axis.
array argmin(const array& a, bool keepdims, StreamOrDevice s = {});
array argmin(const array& a, int axis, bool keepdims = false, StreamOrDevice s = {});
inline array argmin(const array& a, StreamOrDevice s = {}) { return argmin(a, false, s); }
array argmax(const array& a, bool keepdims, StreamOrDevice s = {});
array argmax(const array& a, int axis, bool keepdims = false, StreamOrDevice s = {});
inline array argmax(const array& a, StreamOrDevice s = {}) { return argmax(a, false, s); }

// exp(a - max) / sum; computed in float32; `precise` is for MLX's sake.
array softmax(const array& a, const std::vector<int>& axes, bool precise = false, StreamOrDevice s = {});
array softmax(const array& a, bool precise = false, StreamOrDevice s = {});
array softmax(const array& a, int axis, bool precise = false, StreamOrDevice s = {});

// Running sums, products, maxima, minima: of the flattened array or along an axis. Exclusive ones start from the
// identity.
array cumsum(const array& a, bool reverse = false, bool inclusive = true, std::optional<Dtype> dtype = std::nullopt,
             StreamOrDevice s = {});
array cumsum(const array& a, int axis, bool reverse = false, bool inclusive = true,
             std::optional<Dtype> dtype = std::nullopt, StreamOrDevice s = {});
array cumprod(const array& a, bool reverse = false, bool inclusive = true, std::optional<Dtype> dtype = std::nullopt,
              StreamOrDevice s = {});
array cumprod(const array& a, int axis, bool reverse = false, bool inclusive = true,
              std::optional<Dtype> dtype = std::nullopt, StreamOrDevice s = {});
array cummax(const array& a, bool reverse = false, bool inclusive = true, StreamOrDevice s = {});
array cummax(const array& a, int axis, bool reverse = false, bool inclusive = true, StreamOrDevice s = {});
array cummin(const array& a, bool reverse = false, bool inclusive = true, StreamOrDevice s = {});
array cummin(const array& a, int axis, bool reverse = false, bool inclusive = true, StreamOrDevice s = {});

}  // namespace hearth::core
