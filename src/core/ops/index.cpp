// Elements named by arrays of indices. take() along one axis, the usual case, copies whole stretches; the rest walks
// element by element with one counter per axis.
#include "core/ops/index.h"

#include <cstring>
#include <memory>
#include <numeric>

#include "base/thread_pool.h"
#include "core/copy.h"
#include "core/dispatch.h"
#include "core/ops/arguments.h"
#include "core/strided.h"

namespace hearth::core {

namespace {

constexpr int64_t kOutside = INT64_MIN;  // no offset: those may be negative

// Row-major indices as positions in [0, n), or kOutside.
std::vector<int64_t> positions(const array& indices, const Strides& strides, const Shape& shape, int64_t n) {
  int64_t count = 1;
  for (ShapeElem d : shape) count *= d;
  std::vector<int64_t> out(count);
  copy_into(indices, strides, shape, out.data(), int64, row_strides(shape));
  for (int64_t& i : out) {
    if (i < 0) i += n;
    if (i < 0 || i >= n) i = kOutside;
  }
  return out;
}
std::vector<int64_t> positions(const array& indices, int64_t n) {
  return positions(indices, indices.strides(), indices.shape(), n);
}

int64_t product(const Shape& shape, size_t first, size_t last) {
  return std::accumulate(shape.begin() + first, shape.begin() + last, int64_t{1}, std::multiplies<int64_t>());
}

class Take final : public ComparablePrimitive<Take> {
 public:
  Take(Stream s, int axis) : ComparablePrimitive(s), axis_(axis) {}
  auto state() const { return std::tie(axis_); }
  const char* name() const override { return "Take"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    Shape shape = inputs[0].shape();
    shape.erase(shape.begin() + axis_);
    shape.insert(shape.begin() + axis_, inputs[1].shape().begin(), inputs[1].shape().end());
    return {shape};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array x = row_contiguous(inputs[0]);
    array& out = outputs[0];
    allocate(out);
    const int64_t n = x.shape(axis_);
    const std::vector<int64_t> at = positions(inputs[1], n);
    const int64_t outer = product(x.shape(), 0, axis_);
    const size_t stretch = product(x.shape(), axis_ + 1, x.ndim()) * x.itemsize();
    const auto* from = x.data<std::byte>();
    auto* to = out.data<std::byte>();
    const size_t grain = std::max<size_t>(1, (size_t{1} << 16) / std::max<size_t>(stretch, 1));
    parallel_for(outer * at.size(), grain, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const int64_t row = at[i % at.size()];
        if (row == kOutside) {
          std::memset(to + i * stretch, 0, stretch);
        } else {
          std::memcpy(to + i * stretch, from + ((i / at.size()) * n + row) * stretch, stretch);
        }
      }
    });
  }

 private:
  int axis_;
};

// Counts through a shape in row-major order and keeps the offset that several strides give.
class Odometer {
 public:
  Odometer(const Shape& shape, const Strides& strides) : shape_(shape), strides_(strides), at_(shape.size(), 0) {}
  int64_t offset() const { return offset_; }
  void next() {
    for (size_t i = shape_.size(); i-- > 0;) {
      offset_ += strides_[i];
      if (++at_[i] < shape_[i]) return;
      offset_ -= strides_[i] * shape_[i];
      at_[i] = 0;
    }
  }

 private:
  const Shape& shape_;
  const Strides& strides_;
  Shape at_;
  int64_t offset_ = 0;
};

// Where each tuple of broadcast indices points in an array, in elements; kOutside when the slice there does not fit.
std::vector<int64_t> slice_offsets(Arrays indices, const std::vector<int>& axes, const Shape& shape, const array& a,
                                   const Strides& strides, const Shape& slice) {
  std::vector<int64_t> out(product(shape, 0, shape.size()), 0);
  for (size_t k = 0; k < axes.size(); ++k) {
    const int64_t n = a.shape(axes[k]), most = n - slice[axes[k]];
    const auto at = positions(indices[k], broadcast_strides(indices[k], shape), shape, n);
    for (size_t i = 0; i < out.size(); ++i) {
      if (out[i] == kOutside || at[i] == kOutside || at[i] > most) {
        out[i] = kOutside;
      } else {
        out[i] += at[i] * strides[axes[k]];
      }
    }
  }
  return out;
}

class Gather final : public ComparablePrimitive<Gather> {
 public:
  Gather(Stream s, std::vector<int> axes, Shape slice, Shape index_shape)
      : ComparablePrimitive(s),
        axes_(std::move(axes)),
        slice_(std::move(slice)),
        index_shape_(std::move(index_shape)) {}
  auto state() const { return std::tie(axes_, slice_, index_shape_); }
  const char* name() const override { return "Gather"; }
  std::vector<Shape> output_shapes(Arrays) const override {
    Shape shape = index_shape_;
    shape.insert(shape.end(), slice_.begin(), slice_.end());
    return {shape};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    array& out = outputs[0];
    allocate(out);
    const auto at = slice_offsets(inputs.subspan(1), axes_, index_shape_, x, x.strides(), slice_);
    const int64_t count = product(slice_, 0, slice_.size());
    const size_t item = x.itemsize();
    auto* to = out.data<std::byte>();
    for (const int64_t offset : at) {
      if (offset == kOutside) {
        std::memset(to, 0, count * item);
        to += count * item;
        continue;
      }
      const auto* from = x.data<std::byte>() + offset * static_cast<int64_t>(item);
      Odometer where(slice_, x.strides());
      for (int64_t i = 0; i < count; ++i, where.next(), to += item) {
        std::memcpy(to, from + where.offset() * static_cast<int64_t>(item), item);
      }
    }
  }

 private:
  std::vector<int> axes_;
  Shape slice_, index_shape_;
};

// Copies the source into row-contiguous memory that may be written to, in place when that is allowed.
void writable_copy(array& out, const array& source) {
  if (donate(out, source)) return;
  allocate(out);
  copy_into(source, out.data<void>(), out.dtype(), out.strides());
}

class Scatter final : public ComparablePrimitive<Scatter> {
 public:
  Scatter(Stream s, bool add, std::vector<int> axes, Shape index_shape)
      : ComparablePrimitive(s), add_(add), axes_(std::move(axes)), index_shape_(std::move(index_shape)) {}
  auto state() const { return std::tie(add_, axes_, index_shape_); }
  const char* name() const override { return add_ ? "ScatterAdd" : "Scatter"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }

  // Inputs: the array, the updates, the indices. Repeated positions are written in row-major order of the indices.
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    writable_copy(out, inputs[0]);
    const array updates = row_contiguous(inputs[1]);
    const Shape slice(updates.shape().begin() + index_shape_.size(), updates.shape().end());
    const auto at = slice_offsets(inputs.subspan(2), axes_, index_shape_, out, out.strides(), slice);
    const int64_t count = product(slice, 0, slice.size());
    dispatch_all(out.dtype(), [&]<typename T>(type_tag<T>) {
      const T* from = updates.data<T>();
      for (const int64_t offset : at) {
        if (offset != kOutside) {
          T* to = out.data<T>() + offset;
          Odometer where(slice, out.strides());
          for (int64_t i = 0; i < count; ++i, where.next()) {
            T& element = to[where.offset()];
            element = add_ ? static_cast<T>(element + from[i]) : from[i];
          }
        }
        from += count;
      }
    });
  }

 private:
  bool add_;
  std::vector<int> axes_;
  Shape index_shape_;
};

// Where along an axis each element of a shape lies: calls visit(element of the walk, offset in `strides`, or kOutside).
template <typename Visit>
void along_axis(const array& indices, const Shape& shape, const Shape& of, const Strides& strides, int axis,
                Visit visit) {
  const auto at = positions(indices, broadcast_strides(indices, shape), shape, of[axis]);
  Strides others = strides;
  others[axis] = 0;
  Odometer where(shape, others);
  for (size_t i = 0; i < at.size(); ++i, where.next()) {
    visit(i, at[i] == kOutside ? kOutside : where.offset() + at[i] * strides[axis]);
  }
}

class TakeAlongAxis final : public ComparablePrimitive<TakeAlongAxis> {
 public:
  TakeAlongAxis(Stream s, int axis, Shape shape) : ComparablePrimitive(s), axis_(axis), shape_(std::move(shape)) {}
  auto state() const { return std::tie(axis_, shape_); }
  const char* name() const override { return "TakeAlongAxis"; }
  std::vector<Shape> output_shapes(Arrays) const override { return {shape_}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    allocate(outputs[0]);
    const size_t item = x.itemsize();
    const auto* from = x.data<std::byte>();
    auto* to = outputs[0].data<std::byte>();
    Shape wide = shape_;
    wide[axis_] = x.shape(axis_);
    along_axis(inputs[1], shape_, x.shape(), broadcast_strides_along(x, wide), axis_, [&](size_t i, int64_t offset) {
      if (offset == kOutside) {
        std::memset(to + i * item, 0, item);
      } else {
        std::memcpy(to + i * item, from + offset * static_cast<int64_t>(item), item);
      }
    });
  }

 private:
  // As broadcast_strides, but keeps the stride of the indexed axis even if its length is one.
  Strides broadcast_strides_along(const array& x, const Shape& wide) const {
    Strides strides = broadcast_strides(x, wide);
    strides[axis_] = x.strides(axis_);
    return strides;
  }

  int axis_;
  Shape shape_;
};

class PutAlongAxis final : public ComparablePrimitive<PutAlongAxis> {
 public:
  PutAlongAxis(Stream s, bool add, int axis, Shape shape)
      : ComparablePrimitive(s), add_(add), axis_(axis), shape_(std::move(shape)) {}
  auto state() const { return std::tie(add_, axis_, shape_); }
  const char* name() const override { return add_ ? "ScatterAddAxis" : "PutAlongAxis"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    writable_copy(out, inputs[0]);
    array values(Storage::allocate(product(shape_, 0, shape_.size()) * out.itemsize()), shape_, out.dtype());
    copy_into(inputs[2], broadcast_strides(inputs[2], shape_), shape_, values.data<void>(), out.dtype(),
              values.strides());
    dispatch_all(out.dtype(), [&]<typename T>(type_tag<T>) {
      const T* from = values.data<T>();
      T* to = out.data<T>();
      along_axis(inputs[1], shape_, out.shape(), out.strides(), axis_, [&](size_t i, int64_t offset) {
        if (offset == kOutside) return;
        to[offset] = add_ ? static_cast<T>(to[offset] + from[i]) : from[i];
      });
    });
  }

 private:
  bool add_;
  int axis_;
  Shape shape_;
};

void require_integers(const array& indices, const char* op) {
  if (!is_integer(indices.dtype())) {
    invalid("[", op, "] Got indices with invalid dtype ", indices.dtype(), ". Indices must be integral.");
  }
}

// Checks gather's and scatter's indices against their axes; returns the indices' broadcast shape.
Shape checked_indices(const array& a, const std::vector<array>& indices, std::vector<int>& axes, const char* op) {
  if (indices.size() != axes.size())
    invalid("[", op, "] Needs as many axes as index arrays, got ", axes.size(), " and ", indices.size(), ".");
  checked_axes(axes, static_cast<int>(a.ndim()), op);
  Shape shape;
  for (size_t i = 0; i < axes.size(); ++i) {
    axes[i] = normalize_axis_index(axes[i], static_cast<int>(a.ndim()));
    require_integers(indices[i], op);
    shape = broadcast_shapes(shape, indices[i].shape(), op);
  }
  return shape;
}

array scattered(bool add, const array& a, const std::vector<array>& indices, const array& updates,
                std::vector<int> axes, const StreamOrDevice& s) {
  const char* op = add ? "scatter_add" : "scatter";
  Shape index_shape = checked_indices(a, indices, axes, op);
  bool fits = updates.ndim() == index_shape.size() + a.ndim();
  for (size_t i = 0; fits && i < updates.ndim(); ++i) {
    const ShapeElem n = updates.shape()[i];
    fits = i < index_shape.size() ? n == index_shape[i] : n <= a.shape()[i - index_shape.size()];
  }
  if (!fits) {
    invalid("[", op, "] Updates of shape ", updates.shape(), " do not match indices of shape ", index_shape,
            " into an array of shape ", a.shape(), ".");
  }
  Inputs inputs{a, astype(updates, a.dtype(), s)};
  for (const array& i : indices) inputs.push_back(i);
  return array(a.shape(), a.dtype(),
               std::make_shared<Scatter>(to_stream(s), add, std::move(axes), std::move(index_shape)),
               std::move(inputs));
}

// The shape in which an array's other axes and the indices meet along one axis.
Shape along_shape(const array& a, const array& indices, int axis, const char* op) {
  require_integers(indices, op);
  if (indices.ndim() != a.ndim()) {
    invalid("[", op, "] Indices of dimension ", indices.ndim(), " does not match array of dimension ", a.ndim(), ".");
  }
  Shape x = a.shape(), i = indices.shape();
  x[axis] = i[axis] = 1;
  Shape shape = broadcast_shapes(x, i, op);
  shape[axis] = indices.shape(axis);
  return shape;
}

array put_along(bool add, const array& a, const array& indices, const array& values, int axis,
                const StreamOrDevice& s) {
  const char* op = add ? "scatter_add_axis" : "put_along_axis";
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), std::string("[") + op + "] ");
  Shape shape = along_shape(a, indices, at, op);
  for (int i = 0; i < static_cast<int>(a.ndim()); ++i) {
    if (i != at && shape[i] != a.shape(i))
      invalid("[", op, "] Indices of shape ", indices.shape(), " exceed array of shape ", a.shape(), ".");
  }
  if (broadcast_shapes(values.shape(), shape, op) != shape) {
    invalid("[", op, "] Values of shape ", values.shape(), " do not broadcast to ", shape, ".");
  }
  return array(a.shape(), a.dtype(), std::make_shared<PutAlongAxis>(to_stream(s), add, at, std::move(shape)),
               {a, indices, astype(values, a.dtype(), s)});
}

}  // namespace

array take(const array& a, const array& indices, int axis, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), "[take] ");
  require_integers(indices, "take");
  if (a.size() == 0 && indices.size() != 0)
    invalid("[take] Cannot do a non-empty take from an array with zero elements.");
  auto primitive = std::make_shared<Take>(to_stream(s), at);
  const array both[] = {a, indices};
  Shape shape = primitive->output_shapes(both)[0];
  return array(std::move(shape), a.dtype(), std::move(primitive), {a, indices});
}
array take(const array& a, int index, int axis, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), "[take] ");
  const int n = a.shape(at), i = index < 0 ? index + n : index;
  if (i < 0 || i >= n)
    invalid("[take] Index ", index, " is out of bounds for axis ", axis, " of shape ", a.shape(), ".");
  Shape start(a.ndim(), 0), stop = a.shape();
  start[at] = i;
  stop[at] = i + 1;
  return squeeze(slice(a, std::move(start), std::move(stop), s), at, s);
}
array take(const array& a, const array& indices, StreamOrDevice s) { return take(flatten(a, s), indices, 0, s); }
array take(const array& a, int index, StreamOrDevice s) { return take(flatten(a, s), index, 0, s); }

array gather(const array& a, const std::vector<array>& indices, const std::vector<int>& axes, const Shape& slice_sizes,
             StreamOrDevice s) {
  std::vector<int> at = axes;
  Shape index_shape = checked_indices(a, indices, at, "gather");
  bool fits = slice_sizes.size() == a.ndim();
  for (size_t i = 0; fits && i < slice_sizes.size(); ++i) fits = slice_sizes[i] >= 0 && slice_sizes[i] <= a.shape()[i];
  if (!fits) invalid("[gather] Slice sizes ", slice_sizes, " do not match array of shape ", a.shape(), ".");
  Inputs inputs{a};
  for (const array& i : indices) inputs.push_back(i);
  auto primitive = std::make_shared<Gather>(to_stream(s), std::move(at), slice_sizes, std::move(index_shape));
  Shape shape = primitive->output_shapes({})[0];
  return array(std::move(shape), a.dtype(), std::move(primitive), std::move(inputs));
}

array take_along_axis(const array& a, const array& indices, int axis, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), "[take_along_axis] ");
  Shape shape = along_shape(a, indices, at, "take_along_axis");
  return array(shape, a.dtype(), std::make_shared<TakeAlongAxis>(to_stream(s), at, shape), {a, indices});
}
array put_along_axis(const array& a, const array& indices, const array& values, int axis, StreamOrDevice s) {
  return put_along(false, a, indices, values, axis, s);
}
array scatter_add_axis(const array& a, const array& indices, const array& values, int axis, StreamOrDevice s) {
  return put_along(true, a, indices, values, axis, s);
}

array scatter(const array& a, const std::vector<array>& indices, const array& updates, const std::vector<int>& axes,
              StreamOrDevice s) {
  return scattered(false, a, indices, updates, axes, s);
}
array scatter_add(const array& a, const std::vector<array>& indices, const array& updates, const std::vector<int>& axes,
                  StreamOrDevice s) {
  return scattered(true, a, indices, updates, axes, s);
}

}  // namespace hearth::core
