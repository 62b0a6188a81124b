// Private to core: checking and preparing what operations are given.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

#include "core/cpu/dtype.h"
#include "core/ops/elementwise.h"
#include "core/ops/shape.h"
#include "core/primitive.h"

namespace hearth::core {

// Throws std::invalid_argument with the parts joined.
template <typename... Parts>
[[noreturn]] void invalid(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw std::invalid_argument(message.str());
}

inline Dtype at_least_float(Dtype t) { return issubdtype(t, inexact) ? t : promote_types(t, float32); }
inline bool is_integer(Dtype t) { return issubdtype(t, integer); }
inline bool is_floating(Dtype t) { return issubdtype(t, floating); }

inline cpu::Dtype kernel_type(Dtype t) { return static_cast<cpu::Dtype>(t.val()); }
inline cpu::Dtype kernel_type(const array& a) { return kernel_type(a.dtype()); }

// broadcast_shapes for two of an operation's arguments, with the operation's name in the error.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op);

// 0 to a.ndim() - 1.
std::vector<int> all_axes(const array& a);

// All axes, or the given ones in ascending order. Throws when one is out of range or given twice.
std::vector<int> checked_axes(const std::vector<int>& axes, int ndim, const char* op);

}  // namespace hearth::core
