#include "core/ops/arguments.h"

#include <algorithm>
#include <numeric>

namespace hearth::core {

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op) {
  if (a == b) return a;
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const size_t lead = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    const ShapeElem x = longer[lead + i], y = shorter[i];
    if (x != y && x != 1 && y != 1) invalid("[", op, "] Shapes ", a, " and ", b, " cannot be broadcast.");
    out[lead + i] = x == 1 ? y : x;
  }
  return out;
}

Shape broadcast_shapes(const Shape& a, const Shape& b) { return broadcast_shapes(a, b, "broadcast_shapes"); }

Dtype result_type(const array& a, const array& b) { return promote_types(a.dtype(), b.dtype()); }
Dtype result_type(const array& a, const array& b, const array& c) {
  return promote_types(result_type(a, b), c.dtype());
}
Dtype result_type(const std::vector<array>& arrays) {
  Dtype t = bool_;
  for (const array& a : arrays) t = promote_types(t, a.dtype());
  return t;
}

int normalize_axis_index(int axis, int ndim, const std::string& msg_prefix) {
  if (axis < -ndim || axis >= ndim)
    invalid(msg_prefix, "Axis ", axis, " is out of bounds for array with ", ndim, " dimensions.");
  return axis < 0 ? axis + ndim : axis;
}

std::vector<int> all_axes(const array& a) {
  std::vector<int> axes(a.ndim());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

std::vector<int> checked_axes(const std::vector<int>& axes, int ndim, const char* op) {
  std::vector<int> out;
  for (int axis : axes) out.push_back(normalize_axis_index(axis, ndim, std::string("[") + op + "] "));
  std::sort(out.begin(), out.end());
  if (std::adjacent_find(out.begin(), out.end()) != out.end()) invalid("[", op, "] Received duplicate axes.");
  return out;
}

}  // namespace hearth::core
