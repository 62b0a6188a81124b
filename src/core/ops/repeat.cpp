#include <cstdlib>
#include <numeric>

#include "core/ops/arguments.h"
#include "core/ops/create.h"
#include "core/ops/index.h"

namespace hearth::core {

array repeat(const array& arr, int repeats, int axis, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(arr.ndim()), "[repeat] ");
  if (repeats < 0) invalid("[repeat] Number of repeats cannot be negative");
  if (repeats == 1) return arr;
  Shape wide = arr.shape(), shape = arr.shape();
  wide.insert(wide.begin() + at + 1, repeats);
  shape[at] *= repeats;
  return reshape(broadcast_to(expand_dims(arr, at + 1, s), wide, s), std::move(shape), s);
}
array repeat(const array& arr, int repeats, StreamOrDevice s) { return repeat(flatten(arr, s), repeats, 0, s); }

array tile(const array& arr, std::vector<int> reps, StreamOrDevice s) {
  Shape shape = arr.shape();
  while (reps.size() < shape.size()) reps.insert(reps.begin(), 1);
  while (shape.size() < reps.size()) shape.insert(shape.begin(), 1);
  Shape narrow, wide, out;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (reps[i] < 0) invalid("[tile] Repetitions cannot be negative.");
    if (reps[i] != 1) {
      narrow.push_back(1);
      wide.push_back(reps[i]);
    }
    narrow.push_back(shape[i]);
    wide.push_back(shape[i]);
    out.push_back(reps[i] * shape[i]);
  }
  return reshape(broadcast_to(reshape(arr, std::move(narrow), s), wide, s), std::move(out), s);
}

array roll(const array& a, int shift, int axis, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), "[roll] ");
  const int n = a.shape(at);
  if (n == 0) return a;
  const int by = (shift % n + n) % n;
  if (by == 0) return a;
  const std::vector<array> parts = split(a, Shape{n - by}, at, s);
  return concatenate({parts[1], parts[0]}, at, s);
}
array roll(const array& a, int shift, StreamOrDevice s) {
  return reshape(roll(flatten(a, s), shift, 0, s), a.shape(), s);
}

namespace {

// Copies the outermost slices of the original into the margins, one axis at a time so that corners come out right.
array pad_edges(array out, const Shape& original, const std::vector<int>& axes, const Shape& low, StreamOrDevice s) {
  for (size_t i = 0; i < axes.size(); ++i) {
    const int axis = axes[i];
    const ShapeElem first = low[i], end = low[i] + original[axis];
    const auto between = [&](ShapeElem from, ShapeElem to) {
      Shape start(out.ndim(), 0), stop = out.shape();
      start[axis] = from;
      stop[axis] = to;
      return std::pair(start, stop);
    };
    const auto fill = [&](std::pair<Shape, Shape> margin, std::pair<Shape, Shape> edge) {
      if (margin.first[axis] == margin.second[axis]) return;
      out = slice_update(out, slice(out, edge.first, edge.second, s), margin.first, margin.second, s);
    };
    fill(between(0, first), between(first, first + 1));
    fill(between(end, out.shape(axis)), between(end - 1, end));
  }
  return out;
}

}  // namespace

array pad(const array& a, const std::vector<int>& axes, const Shape& low_pad_size, const Shape& high_pad_size,
          const array& pad_value, const std::string& mode, StreamOrDevice s) {
  if (axes.size() != low_pad_size.size() || axes.size() != high_pad_size.size()) {
    invalid("[pad] Invalid number of padding sizes for ", axes.size(), " axes.");
  }
  if (mode != "constant" && mode != "edge") invalid("[pad] Invalid padding mode ", mode, ".");
  std::vector<int> at;
  Shape shape = a.shape(), start(a.ndim(), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    if (low_pad_size[i] < 0 || high_pad_size[i] < 0) invalid("[pad] Padding sizes cannot be negative.");
    at.push_back(normalize_axis_index(axes[i], static_cast<int>(a.ndim()), "[pad] "));
    shape[at.back()] += low_pad_size[i] + high_pad_size[i];
    start[at.back()] += low_pad_size[i];
  }
  Shape stop = start;
  for (size_t i = 0; i < stop.size(); ++i) stop[i] += a.shape()[i];
  if (shape == a.shape()) return a;
  const array background = full(shape, astype(pad_value, a.dtype(), s), s);
  array out = slice_update(background, a, std::move(start), std::move(stop), s);
  return mode == "edge" && a.size() > 0 ? pad_edges(out, a.shape(), at, low_pad_size, s) : out;
}

array pad(const array& a, const std::vector<std::pair<int, int>>& pad_width, const array& pad_value,
          const std::string& mode, StreamOrDevice s) {
  std::vector<int> axes(a.ndim());
  std::iota(axes.begin(), axes.end(), 0);
  Shape low, high;
  for (const auto& [before, after] : pad_width) {
    low.push_back(before);
    high.push_back(after);
  }
  return pad(a, axes, low, high, pad_value, mode, s);
}
array pad(const array& a, const std::pair<int, int>& pad_width, const array& pad_value, const std::string& mode,
          StreamOrDevice s) {
  return pad(a, std::vector(a.ndim(), pad_width), pad_value, mode, s);
}
array pad(const array& a, int pad_width, const array& pad_value, const std::string& mode, StreamOrDevice s) {
  return pad(a, std::pair(pad_width, pad_width), pad_value, mode, s);
}

}  // namespace hearth::core
