// A slice is a view. An update of a slice takes over its source's memory when nobody else sees it, and then writes only
// the slice; otherwise it copies the source first.
#include <algorithm>
#include <memory>

#include "core/copy.h"
#include "core/ops/arguments.h"
#include "core/ops/index.h"
#include "core/strided.h"

namespace hearth::core {

namespace {

// A slice with bounds made non-negative and clamped, and the shape it has.
struct Bounds {
  Shape start, strides, shape;
  auto operator<=>(const Bounds&) const = delete;
  bool operator==(const Bounds&) const = default;
};

Bounds normalized(const array& a, Shape start, const Shape& stop, Shape strides, const char* op) {
  if (start.size() != a.ndim() || stop.size() != a.ndim() || strides.size() != a.ndim()) {
    invalid("[", op, "] Invalid number of indices or strides for array with dimension ", a.ndim(), ".");
  }
  Bounds out{std::move(start), std::move(strides), Shape(a.ndim())};
  for (size_t i = 0; i < a.ndim(); ++i) {
    const ShapeElem n = a.shape()[i], step = out.strides[i];
    const ShapeElem from = out.start[i] < 0 ? out.start[i] + n : out.start[i];
    const ShapeElem to = stop[i] < 0 ? stop[i] + n : stop[i];
    if (step == 0) invalid("[", op, "] Stride cannot be zero.");
    if (step > 0) {
      const ShapeElem first = std::clamp(from, 0, n), end = std::max(std::clamp(to, 0, n), first);
      out.start[i] = first;
      out.shape[i] = static_cast<ShapeElem>((int64_t{end} - first + step - 1) / step);
    } else {
      const ShapeElem first = std::min(from, n - 1), end = std::min(std::max(to, -1), first);
      out.start[i] = std::max(first, 0);
      out.shape[i] = static_cast<ShapeElem>((int64_t{first} - end - int64_t{step} - 1) / -int64_t{step});
    }
  }
  return out;
}

int64_t first_element(const Bounds& bounds, const Strides& strides) {
  int64_t offset = 0;
  for (size_t i = 0; i < strides.size(); ++i) offset += bounds.start[i] * strides[i];
  return offset;
}

Strides stepped(const Bounds& bounds, Strides strides) {
  for (size_t i = 0; i < strides.size(); ++i) strides[i] *= bounds.strides[i];
  return strides;
}

// The source's own memory if it may be overwritten, else a copy.
void take_over(array& out, const array& source) {
  const bool whole = source.data_size() == source.size() && source.flags().contiguous;
  if (whole && source.is_donatable()) {
    return out.set_data(source.storage(), source.data_size(), source.strides(), source.flags(), source.offset());
  }
  allocate(out);
  copy_into(source, out.data<void>(), out.dtype(), out.strides());
}

class Slice final : public ComparablePrimitive<Slice> {
 public:
  Slice(Stream s, Bounds bounds) : ComparablePrimitive(s), bounds_(std::move(bounds)) {}
  auto state() const { return std::tie(bounds_); }
  const char* name() const override { return "Slice"; }
  std::vector<Shape> output_shapes(Arrays) const override { return {bounds_.shape}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    share(outputs[0], x, stepped(bounds_, x.strides()), x.size() ? first_element(bounds_, x.strides()) : 0);
  }

 private:
  Bounds bounds_;
};

class SliceUpdate final : public ComparablePrimitive<SliceUpdate> {
 public:
  SliceUpdate(Stream s, Bounds bounds) : ComparablePrimitive(s), bounds_(std::move(bounds)) {}
  auto state() const { return std::tie(bounds_); }
  const char* name() const override { return "SliceUpdate"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& update = inputs[1];
    array& out = outputs[0];
    take_over(out, inputs[0]);
    auto* to = out.data<std::byte>() + first_element(bounds_, out.strides()) * static_cast<int64_t>(out.itemsize());
    copy_into(update, broadcast_strides(update, bounds_.shape), bounds_.shape, to, out.dtype(),
              stepped(bounds_, out.strides()));
  }

 private:
  Bounds bounds_;
};

// Start positions for some axes, read when evaluated and clamped so that the slice fits.
int64_t dynamic_offset(const array& start, const std::vector<int>& axes, const array& whole, const Shape& part,
                       const Strides& strides) {
  std::vector<int64_t> at(axes.size());
  copy_into(start, start.strides(), start.shape(), at.data(), int64, row_strides(start.shape()));
  int64_t offset = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t n = whole.shape(axes[i]), most = n - part[axes[i]];
    offset += std::clamp<int64_t>(at[i] < 0 ? at[i] + n : at[i], 0, most) * strides[axes[i]];
  }
  return offset;
}

class DynamicSlice final : public ComparablePrimitive<DynamicSlice> {
 public:
  DynamicSlice(Stream s, std::vector<int> axes, Shape size)
      : ComparablePrimitive(s), axes_(std::move(axes)), size_(std::move(size)) {}
  auto state() const { return std::tie(axes_, size_); }
  const char* name() const override { return "DynamicSlice"; }
  std::vector<Shape> output_shapes(Arrays) const override { return {size_}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    share(outputs[0], x, x.strides(), dynamic_offset(inputs[1], axes_, x, size_, x.strides()));
  }

 private:
  std::vector<int> axes_;
  Shape size_;
};

class DynamicSliceUpdate final : public ComparablePrimitive<DynamicSliceUpdate> {
 public:
  DynamicSliceUpdate(Stream s, std::vector<int> axes) : ComparablePrimitive(s), axes_(std::move(axes)) {}
  auto state() const { return std::tie(axes_); }
  const char* name() const override { return "DynamicSliceUpdate"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& update = inputs[1];
    array& out = outputs[0];
    take_over(out, inputs[0]);
    const int64_t offset = dynamic_offset(inputs[2], axes_, out, update.shape(), out.strides());
    auto* to = out.data<std::byte>() + offset * static_cast<int64_t>(out.itemsize());
    copy_into(update, to, out.dtype(), out.strides());
  }

 private:
  std::vector<int> axes_;
};

void check_dynamic(const array& a, const array& start, std::vector<int>& axes, const Shape& size, const char* op) {
  if (!is_integer(start.dtype()) || start.size() != axes.size() || start.ndim() > 1) {
    invalid("[", op, "] The start must be integers, one for each of the ", axes.size(), " axes, got shape ",
            start.shape(), " of ", start.dtype(), ".");
  }
  if (size.size() != a.ndim())
    invalid("[", op, "] Slice of shape ", size, " does not match array with shape ", a.shape(), ".");
  for (size_t i = 0; i < size.size(); ++i) {
    if (size[i] < 0 || size[i] > a.shape()[i])
      invalid("[", op, "] Slice of shape ", size, " exceeds array with shape ", a.shape(), ".");
  }
  const std::vector<int> sorted = checked_axes(axes, static_cast<int>(a.ndim()), op);
  for (int& axis : axes) axis = normalize_axis_index(axis, static_cast<int>(a.ndim()));
}

}  // namespace

array slice(const array& a, Shape start, Shape stop, Shape strides, StreamOrDevice s) {
  Bounds bounds = normalized(a, std::move(start), stop, std::move(strides), "slice");
  const bool forward = std::all_of(bounds.strides.begin(), bounds.strides.end(), [](int step) { return step > 0; });
  if (forward && bounds.shape == a.shape()) return a;
  Shape shape = bounds.shape;
  return array(std::move(shape), a.dtype(), std::make_shared<Slice>(to_stream(s), std::move(bounds)), {a});
}
array slice(const array& a, Shape start, Shape stop, StreamOrDevice s) {
  return slice(a, std::move(start), std::move(stop), Shape(a.ndim(), 1), s);
}
array slice(const array& a, const array& start, std::vector<int> axes, Shape slice_size, StreamOrDevice s) {
  check_dynamic(a, start, axes, slice_size, "slice");
  Shape shape = slice_size;
  return array(std::move(shape), a.dtype(),
               std::make_shared<DynamicSlice>(to_stream(s), std::move(axes), std::move(slice_size)), {a, start});
}

array slice_update(const array& src, const array& update, Shape start, Shape stop, Shape strides, StreamOrDevice s) {
  Bounds bounds = normalized(src, std::move(start), stop, std::move(strides), "slice_update");
  if (broadcast_shapes(update.shape(), bounds.shape, "slice_update") != bounds.shape) {
    invalid("[slice_update] Update of shape ", update.shape(), " does not fit a slice of shape ", bounds.shape, ".");
  }
  const array values = astype(update, src.dtype(), s);
  if (bounds.shape == src.shape() && update.shape() == src.shape() && bounds.strides == Shape(src.ndim(), 1))
    return values;
  if (std::find(bounds.shape.begin(), bounds.shape.end(), 0) != bounds.shape.end()) return src;
  return array(src.shape(), src.dtype(), std::make_shared<SliceUpdate>(to_stream(s), std::move(bounds)), {src, values});
}
array slice_update(const array& src, const array& update, Shape start, Shape stop, StreamOrDevice s) {
  return slice_update(src, update, std::move(start), std::move(stop), Shape(src.ndim(), 1), s);
}
array slice_update(const array& src, const array& update, const array& start, std::vector<int> axes, StreamOrDevice s) {
  // Leading axes that the update lacks are repeated, but for those that the start names: there it is one long.
  const size_t lacking = src.ndim() - std::min(src.ndim(), update.ndim());
  Shape size(src.shape().begin(), src.shape().begin() + lacking);
  size.insert(size.end(), update.shape().begin(), update.shape().end());
  check_dynamic(src, start, axes, size, "slice_update");
  for (const int axis : axes) {
    if (static_cast<size_t>(axis) < lacking) size[axis] = 1;
  }
  const array values = broadcast_to(astype(update, src.dtype(), s), size, s);
  return array(src.shape(), src.dtype(), std::make_shared<DynamicSliceUpdate>(to_stream(s), std::move(axes)),
               {src, values, start});
}

}  // namespace hearth::core
