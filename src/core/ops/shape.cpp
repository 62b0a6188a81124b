// Views are primitives that share their input's memory under other strides; an operation that strides cannot express
// copies once. The rest is composed of them.
#include "core/ops/shape.h"

#include <algorithm>
#include <memory>

#include "core/copy.h"
#include "core/ops/arguments.h"
#include "core/ops/create.h"
#include "core/ops/index.h"
#include "core/strided.h"

namespace hearth::core {

namespace {

// The strides under which memory read as `from` with `strides` can be read as `to` without moving anything; empty when
// there are none. Walks both shapes from the end, matching groups of axes with equal element counts.
std::optional<Strides> reshaped_strides(const Shape& from, const Strides& strides, const Shape& to) {
  const auto walk = merge_axes<1>(from, {strides});
  Strides out(to.size(), 1);
  int group = static_cast<int>(walk.shape.size()) - 1;
  int64_t left = walk.shape[group], stride = walk.strides[0][group];
  for (size_t i = to.size(); i-- > 0;) {
    if (to[i] == 1) {
      out[i] = stride;
      continue;
    }
    if (left == 1) {
      if (--group < 0) return std::nullopt;
      left = walk.shape[group];
      stride = walk.strides[0][group];
    }
    if (left % to[i] != 0) return std::nullopt;
    out[i] = stride;
    stride *= to[i];
    left /= to[i];
  }
  return left == 1 && group == 0 ? std::optional(out) : std::nullopt;
}

class Reshape final : public ComparablePrimitive<Reshape> {
 public:
  Reshape(Stream s, Shape shape) : ComparablePrimitive(s), shape_(std::move(shape)) {}
  auto state() const { return std::tie(shape_); }
  const char* name() const override { return "Reshape"; }
  std::vector<Shape> output_shapes(Arrays) const override { return {shape_}; }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    if (x.flags().row_contiguous || x.size() == 0) return share(outputs[0], x);
    if (const auto strides = reshaped_strides(x.shape(), x.strides(), shape_)) return share(outputs[0], x, *strides);
    share(outputs[0], dense_copy(x, x.dtype()));
  }

 private:
  Shape shape_;
};

class Transpose final : public ComparablePrimitive<Transpose> {
 public:
  Transpose(Stream s, std::vector<int> axes) : ComparablePrimitive(s), axes_(std::move(axes)) {}
  auto state() const { return std::tie(axes_); }
  const char* name() const override { return "Transpose"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    Shape shape;
    for (int axis : axes_) shape.push_back(inputs[0].shape(axis));
    return {shape};
  }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    Strides strides;
    for (int axis : axes_) strides.push_back(inputs[0].strides(axis));
    share(outputs[0], inputs[0], strides);
  }

 private:
  std::vector<int> axes_;
};

class Broadcast final : public ComparablePrimitive<Broadcast> {
 public:
  Broadcast(Stream s, Shape shape) : ComparablePrimitive(s), shape_(std::move(shape)) {}
  auto state() const { return std::tie(shape_); }
  const char* name() const override { return "Broadcast"; }
  std::vector<Shape> output_shapes(Arrays) const override { return {shape_}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    share(outputs[0], inputs[0], broadcast_strides(inputs[0], shape_));
  }

 private:
  Shape shape_;
};

class AsStrided final : public ComparablePrimitive<AsStrided> {
 public:
  AsStrided(Stream s, Shape shape, Strides strides, size_t offset)
      : ComparablePrimitive(s), shape_(std::move(shape)), strides_(std::move(strides)), offset_(offset) {}
  auto state() const { return std::tie(shape_, strides_, offset_); }
  const char* name() const override { return "AsStrided"; }
  std::vector<Shape> output_shapes(Arrays) const override { return {shape_}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    share(outputs[0], row_contiguous(inputs[0]), strides_, static_cast<int64_t>(offset_));
  }

 private:
  Shape shape_;
  Strides strides_;
  size_t offset_;
};

class Diagonal final : public ComparablePrimitive<Diagonal> {
 public:
  Diagonal(Stream s, int offset, int axis1, int axis2)
      : ComparablePrimitive(s), offset_(offset), axis1_(axis1), axis2_(axis2) {}
  auto state() const { return std::tie(offset_, axis1_, axis2_); }
  const char* name() const override { return "Diagonal"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    const array& x = inputs[0];
    Shape shape;
    for (int i = 0; i < static_cast<int>(x.ndim()); ++i) {
      if (i != axis1_ && i != axis2_) shape.push_back(x.shape(i));
    }
    const int rows = x.shape(axis1_) + std::min(offset_, 0), columns = x.shape(axis2_) - std::max(offset_, 0);
    shape.push_back(std::max(0, std::min(rows, columns)));
    return {shape};
  }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    Strides strides;
    for (int i = 0; i < static_cast<int>(x.ndim()); ++i) {
      if (i != axis1_ && i != axis2_) strides.push_back(x.strides(i));
    }
    strides.push_back(x.strides(axis1_) + x.strides(axis2_));
    share(outputs[0], x, strides, offset_ < 0 ? -offset_ * x.strides(axis1_) : offset_ * x.strides(axis2_));
  }

 private:
  int offset_, axis1_, axis2_;
};

class Contiguous final : public ComparablePrimitive<Contiguous> {
 public:
  Contiguous(Stream s, bool allow_col_major) : ComparablePrimitive(s), allow_col_major_(allow_col_major) {}
  auto state() const { return std::tie(allow_col_major_); }
  const char* name() const override { return "Contiguous"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    if (allow_col_major_ && x.flags().col_contiguous) return share(outputs[0], x, x.strides());
    share(outputs[0], row_contiguous(x));
  }

 private:
  bool allow_col_major_;
};

class Concatenate final : public ComparablePrimitive<Concatenate> {
 public:
  Concatenate(Stream s, int axis) : ComparablePrimitive(s), axis_(axis) {}
  auto state() const { return std::tie(axis_); }
  const char* name() const override { return "Concatenate"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    Shape shape = inputs[0].shape();
    shape[axis_] = 0;
    for (const array& x : inputs) shape[axis_] += x.shape(axis_);
    return {shape};
  }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    allocate(out);
    auto* to = out.data<std::byte>();
    for (const array& x : inputs) {
      copy_into(x, to, out.dtype(), out.strides());
      to += static_cast<size_t>(x.shape(axis_)) * out.strides(axis_) * out.itemsize();
    }
  }

 private:
  int axis_;
};

array transposed(const array& a, std::vector<int> axes, const StreamOrDevice& s) {
  Shape shape;
  for (int axis : axes) shape.push_back(a.shape(axis));
  return array(std::move(shape), a.dtype(), std::make_shared<Transpose>(to_stream(s), std::move(axes)), {a});
}

array reshaped(const array& a, Shape shape, const StreamOrDevice& s) {
  return array(shape, a.dtype(), std::make_shared<Reshape>(to_stream(s), shape), {a});
}

}  // namespace

array reshape(const array& a, Shape shape, StreamOrDevice s) {
  if (a.shape() == shape) return a;
  size_t known = 1;
  int open = -1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1) {
      if (open >= 0) invalid("[reshape] Reshape can only infer one dimension.");
      open = static_cast<int>(i);
    } else if (shape[i] < 0 || __builtin_mul_overflow(known, static_cast<size_t>(shape[i]), &known)) {
      invalid("[reshape] Cannot reshape array of size ", a.size(), " into shape ", shape, ".");
    }
  }
  if (open >= 0 && known > 0) {
    shape[open] = static_cast<ShapeElem>(a.size() / known);
    known *= shape[open];
  }
  if (open >= 0 && shape[open] < 0) invalid("[reshape] Cannot infer the shape of an empty array.");
  if (known != a.size()) invalid("[reshape] Cannot reshape array of size ", a.size(), " into shape ", shape, ".");
  return a.shape() == shape ? a : reshaped(a, std::move(shape), s);
}

array flatten(const array& a, int start_axis, int end_axis, StreamOrDevice s) {
  const int n = static_cast<int>(a.ndim());
  if (n == 0) return reshape(a, {1}, s);
  const int first = std::max(0, start_axis < 0 ? start_axis + n : start_axis);
  const int last = std::min(n - 1, end_axis < 0 ? end_axis + n : end_axis);
  if (last < first) invalid("[flatten] start_axis must be less than or equal to end_axis");
  if (first >= n || last < 0) invalid("[flatten] Axes are out of bounds for array with ", n, " dimensions.");
  Shape shape(a.shape().begin(), a.shape().begin() + first);
  ShapeElem size = 1;
  for (int i = first; i <= last; ++i) size *= a.shape(i);
  shape.push_back(size);
  shape.insert(shape.end(), a.shape().begin() + last + 1, a.shape().end());
  return reshape(a, std::move(shape), s);
}
array flatten(const array& a, StreamOrDevice s) { return flatten(a, 0, -1, s); }

array unflatten(const array& a, int axis, Shape shape, StreamOrDevice s) {
  if (shape.empty()) invalid("[unflatten] Shape to unflatten to cannot be empty.");
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), "[unflatten] ");
  size_t known = 1;
  ShapeElem* open = nullptr;
  for (ShapeElem& n : shape) {
    if (n == -1) {
      open = &n;
    } else {
      known *= n;
    }
  }
  if (open && known > 0) known *= * open = static_cast<ShapeElem>(a.shape(at) / known);
  if (known != static_cast<size_t>(a.shape(at))) {
    invalid("[unflatten] Cannot unflatten axis ", axis, " with size ", a.shape(at), " into shape ", shape, ".");
  }
  Shape full(a.shape().begin(), a.shape().begin() + at);
  full.insert(full.end(), shape.begin(), shape.end());
  full.insert(full.end(), a.shape().begin() + at + 1, a.shape().end());
  return reshape(a, std::move(full), s);
}

array squeeze(const array& a, const std::vector<int>& axes, StreamOrDevice s) {
  const std::vector<int> gone = checked_axes(axes, static_cast<int>(a.ndim()), "squeeze");
  Shape shape;
  for (int i = 0; i < static_cast<int>(a.ndim()); ++i) {
    if (!std::binary_search(gone.begin(), gone.end(), i)) {
      shape.push_back(a.shape(i));
    } else if (a.shape(i) != 1) {
      invalid("[squeeze] Cannot squeeze axis ", i, " with size ", a.shape(i), " which is not equal to 1.");
    }
  }
  return reshape(a, std::move(shape), s);
}
array squeeze(const array& a, int axis, StreamOrDevice s) { return squeeze(a, std::vector<int>{axis}, s); }
array squeeze(const array& a, StreamOrDevice s) {
  Shape shape;
  for (ShapeElem n : a.shape()) {
    if (n != 1) shape.push_back(n);
  }
  return reshape(a, std::move(shape), s);
}

array expand_dims(const array& a, const std::vector<int>& axes, StreamOrDevice s) {
  const int n = static_cast<int>(a.ndim() + axes.size());
  Shape shape = a.shape();
  for (int axis : checked_axes(axes, n, "expand_dims")) shape.insert(shape.begin() + axis, 1);
  return reshape(a, std::move(shape), s);
}
array expand_dims(const array& a, int axis, StreamOrDevice s) { return expand_dims(a, std::vector<int>{axis}, s); }

array atleast_1d(const array& a, StreamOrDevice s) { return a.ndim() >= 1 ? a : reshape(a, {1}, s); }
array atleast_2d(const array& a, StreamOrDevice s) {
  return a.ndim() >= 2 ? a : reshape(a, {1, static_cast<ShapeElem>(a.size())}, s);
}
array atleast_3d(const array& a, StreamOrDevice s) {
  if (a.ndim() >= 3) return a;
  if (a.ndim() == 2) return expand_dims(a, 2, s);
  return reshape(a, {1, static_cast<ShapeElem>(a.size()), 1}, s);
}

array transpose(const array& a, std::vector<int> axes, StreamOrDevice s) {
  if (axes.size() != a.ndim()) {
    invalid("[transpose] Received ", axes.size(), " axes for array with ", a.ndim(), " dimensions.");
  }
  checked_axes(axes, static_cast<int>(a.ndim()), "transpose");
  bool identity = true;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0) axes[i] += static_cast<int>(a.ndim());
    identity &= axes[i] == static_cast<int>(i);
  }
  return identity ? a : transposed(a, std::move(axes), s);
}
array transpose(const array& a, StreamOrDevice s) {
  std::vector<int> axes = all_axes(a);
  std::reverse(axes.begin(), axes.end());
  return transpose(a, std::move(axes), s);
}
array matrix_transpose(const array& a, StreamOrDevice s) {
  if (a.ndim() < 2) invalid("[matrix_transpose] Needs at least 2 dimensions, got shape ", a.shape(), ".");
  return swapaxes(a, -1, -2, s);
}
array swapaxes(const array& a, int axis1, int axis2, StreamOrDevice s) {
  const int n = static_cast<int>(a.ndim());
  const int x = normalize_axis_index(axis1, n, "[swapaxes] "), y = normalize_axis_index(axis2, n, "[swapaxes] ");
  if (x == y) return a;
  std::vector<int> axes = all_axes(a);
  std::swap(axes[x], axes[y]);
  return transposed(a, std::move(axes), s);
}
array moveaxis(const array& a, int source, int destination, StreamOrDevice s) {
  const int n = static_cast<int>(a.ndim());
  const int from = normalize_axis_index(source, n, "[moveaxis] "),
            to = normalize_axis_index(destination, n, "[moveaxis] ");
  if (from == to) return a;
  std::vector<int> axes = all_axes(a);
  axes.erase(axes.begin() + from);
  axes.insert(axes.begin() + to, from);
  return transposed(a, std::move(axes), s);
}

array flip(const array& a, const std::vector<int>& axes, StreamOrDevice s) {
  Shape start(a.ndim(), 0), stop = a.shape(), step(a.ndim(), 1);
  for (int axis : checked_axes(axes, static_cast<int>(a.ndim()), "flip")) {
    start[axis] = a.shape(axis) - 1;
    stop[axis] = -a.shape(axis) - 1;
    step[axis] = -1;
  }
  return slice(a, std::move(start), std::move(stop), std::move(step), s);
}
array flip(const array& a, int axis, StreamOrDevice s) { return flip(a, std::vector<int>{axis}, s); }
array flip(const array& a, StreamOrDevice s) { return flip(a, all_axes(a), s); }

array broadcast_to(const array& a, const Shape& shape, StreamOrDevice s) {
  if (a.shape() == shape) return a;
  if (broadcast_shapes(a.shape(), shape, "broadcast_to") != shape) {
    invalid("[broadcast_to] Shape ", a.shape(), " cannot be broadcast to ", shape, ".");
  }
  return array(shape, a.dtype(), std::make_shared<Broadcast>(to_stream(s), shape), {a});
}

std::vector<array> broadcast_arrays(const std::vector<array>& inputs, StreamOrDevice s) {
  Shape shape;
  for (const array& a : inputs) shape = broadcast_shapes(shape, a.shape(), "broadcast_arrays");
  std::vector<array> outputs;
  for (const array& a : inputs) outputs.push_back(broadcast_to(a, shape, s));
  return outputs;
}

array as_strided(array a, Shape shape, Strides strides, size_t offset, StreamOrDevice s) {
  if (shape.size() != strides.size()) invalid("[as_strided] Needs as many strides as dimensions.");
  int64_t low = static_cast<int64_t>(offset), high = low;
  bool empty = false;
  for (size_t i = 0; i < shape.size(); ++i) {
    (strides[i] < 0 ? low : high) += strides[i] * (shape[i] - 1);
    empty |= shape[i] == 0;
  }
  if (!empty && (low < 0 || high >= static_cast<int64_t>(a.size()))) {
    invalid("[as_strided] Shape ", shape, " with strides ", strides, " and offset ", offset,
            " reaches beyond an array of size ", a.size(), ".");
  }
  return array(shape, a.dtype(), std::make_shared<AsStrided>(to_stream(s), shape, std::move(strides), offset), {a});
}

array contiguous(const array& a, bool allow_col_major, StreamOrDevice s) {
  return array(a.shape(), a.dtype(), std::make_shared<Contiguous>(to_stream(s), allow_col_major), {a});
}

array concatenate(std::vector<array> arrays, int axis, StreamOrDevice s) {
  if (arrays.empty()) invalid("[concatenate] No arrays provided for concatenation");
  const int at = normalize_axis_index(axis, static_cast<int>(arrays[0].ndim()), "[concatenate] ");
  if (arrays.size() == 1) return arrays[0];
  Shape shape = arrays[0].shape();
  const Dtype t = result_type(arrays);
  int64_t length = 0;
  for (const array& a : arrays) {
    bool matches = a.ndim() == shape.size();
    for (int i = 0; matches && i < static_cast<int>(shape.size()); ++i) matches = i == at || a.shape(i) == shape[i];
    if (!matches) {
      invalid("[concatenate] All the input array dimensions must match exactly except for the concatenation axis ", at,
              ". However, the provided shapes are ", arrays[0].shape(), " and ", a.shape(), ".");
    }
    length += a.shape(at);
  }
  if (length > INT32_MAX) invalid("[concatenate] The result's axis ", at, " would have ", length, " elements.");
  shape[at] = static_cast<ShapeElem>(length);
  for (array& a : arrays) a = astype(a, t, s);
  return array(std::move(shape), t, std::make_shared<Concatenate>(to_stream(s), at), Inputs(std::move(arrays)));
}
array concatenate(std::vector<array> arrays, StreamOrDevice s) {
  for (array& a : arrays) a = flatten(a, s);
  return concatenate(std::move(arrays), 0, s);
}

array stack(const std::vector<array>& arrays, int axis, StreamOrDevice s) {
  if (arrays.empty()) invalid("[stack] No arrays provided for stacking");
  std::vector<array> expanded;
  for (const array& a : arrays) {
    if (a.shape() != arrays[0].shape()) invalid("[stack] All arrays must have the same shape");
    expanded.push_back(expand_dims(a, axis, s));
  }
  const int at = normalize_axis_index(axis, static_cast<int>(arrays[0].ndim()) + 1, "[stack] ");
  return concatenate(std::move(expanded), at, s);
}
array stack(const std::vector<array>& arrays, StreamOrDevice s) { return stack(arrays, 0, s); }

std::vector<array> split(const array& a, const Shape& indices, int axis, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), "[split] ");
  std::vector<array> parts;
  Shape start(a.ndim(), 0), stop = a.shape();
  for (size_t i = 0; i <= indices.size(); ++i) {
    start[at] = i == 0 ? 0 : indices[i - 1];
    stop[at] = i == indices.size() ? a.shape(at) : indices[i];
    parts.push_back(slice(a, start, stop, s));
  }
  return parts;
}
std::vector<array> split(const array& a, const Shape& indices, StreamOrDevice s) { return split(a, indices, 0, s); }
std::vector<array> split(const array& a, int num_splits, int axis, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), "[split] ");
  if (num_splits <= 0 || a.shape(at) % num_splits != 0) {
    invalid("[split] Array split does not result in sub arrays with equal size: attempting ", num_splits,
            " splits along axis ", at, " for shape ", a.shape(), ".");
  }
  Shape indices;
  for (int i = 1; i < num_splits; ++i) indices.push_back(i * (a.shape(at) / num_splits));
  return split(a, indices, at, s);
}
std::vector<array> split(const array& a, int num_splits, StreamOrDevice s) { return split(a, num_splits, 0, s); }

std::vector<array> unstack(const array& a, int axis, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), "[unstack] ");
  std::vector<array> parts;
  if (a.shape(at) == 0) return parts;
  for (const array& part : split(a, a.shape(at), at, s)) parts.push_back(squeeze(part, at, s));
  return parts;
}
std::vector<array> unstack(const array& a, StreamOrDevice s) { return unstack(a, 0, s); }

array diagonal(const array& a, int offset, int axis1, int axis2, StreamOrDevice s) {
  const int n = static_cast<int>(a.ndim());
  if (n < 2) invalid("[diagonal] Array must have at least two dimensions, but got shape ", a.shape(), ".");
  const int x = normalize_axis_index(axis1, n, "[diagonal] "), y = normalize_axis_index(axis2, n, "[diagonal] ");
  if (x == y) invalid("[diagonal] axis1 and axis2 cannot be the same axis");
  auto primitive = std::make_shared<Diagonal>(to_stream(s), offset, x, y);
  Shape shape = primitive->output_shapes(Arrays(&a, 1))[0];
  if (shape.back() == 0) return zeros(shape, a.dtype(), s);
  return array(std::move(shape), a.dtype(), std::move(primitive), {a});
}

array diag(const array& a, int k, StreamOrDevice s) {
  if (a.ndim() == 2) return diagonal(a, k, 0, 1, s);
  if (a.ndim() != 1) invalid("[diag] array must be 1-D or 2-D, got shape ", a.shape(), ".");
  // Element i of the diagonal is element first + i * (n + 1) of the flattened square.
  const int count = a.shape(0), n = count + std::abs(k);
  const int first = k >= 0 ? k : -k * n;
  const array flat = zeros({n * n}, a.dtype(), s);
  if (count == 0) return reshape(flat, {n, n}, s);
  return reshape(slice_update(flat, a, {first}, {first + (count - 1) * (n + 1) + 1}, {n + 1}, s), {n, n}, s);
}

}  // namespace hearth::core
