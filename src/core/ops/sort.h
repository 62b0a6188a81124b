// Order along an axis, or of the flattened array. NaN comes last; sort and argsort are stable.
//
// Source: mlx/ops.h.
#pragma once

#include "core/array.h"
#include "core/stream.h"

namespace hearth::core {

array sort(const array& a, StreamOrDevice s = {});
array sort(const array& a, int axis, StreamOrDevice s = {});
// Indices are uint32.
array argsort(const array& a, StreamOrDevice s = {});
array argsort(const array& a, int axis, StreamOrDevice s = {});

// The element at kth is where sort would put it, smaller ones before it and larger ones after, in no given order.
array partition(const array& a, int kth, StreamOrDevice s = {});
array partition(const array& a, int kth, int axis, StreamOrDevice s = {});
array argpartition(const array& a, int kth, StreamOrDevice s = {});
array argpartition(const array& a, int kth, int axis, StreamOrDevice s = {});

// The k largest, in no given order.
array topk(const array& a, int k, StreamOrDevice s = {});
array topk(const array& a, int k, int axis, StreamOrDevice s = {});

}  // namespace hearth::core
