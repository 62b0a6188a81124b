#include "core/ops/create.h"

#include <cmath>
#include <memory>

#include "core/copy.h"
#include "core/cpu/elementwise.h"
#include "core/ops/arguments.h"
#include "core/ops/operators.h"
#include "core/strided.h"

namespace hearth::core {

namespace {

class Arange final : public ComparablePrimitive<Arange> {
 public:
  Arange(Stream s, double start, double step, int count)
      : ComparablePrimitive(s), start_(start), step_(step), count_(count) {}
  auto state() const { return std::tie(start_, step_, count_); }
  const char* name() const override { return "Arange"; }
  std::vector<Shape> output_shapes(Arrays) const override { return {{count_}}; }
  void eval_cpu(Arrays, MutableArrays outputs) override {
    allocate(outputs[0]);
    cpu::arange({kernel_type(outputs[0]), start_, step_, outputs[0].data<void>(), count_});
  }

 private:
  double start_, step_;
  int count_;
};

class Full final : public ComparablePrimitive<Full> {
 public:
  Full(Stream s, Shape shape) : ComparablePrimitive(s), shape_(std::move(shape)) {}
  auto state() const { return std::tie(shape_); }
  const char* name() const override { return "Full"; }
  std::vector<Shape> output_shapes(Arrays) const override { return {shape_}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& value = inputs[0];
    allocate(outputs[0]);
    copy_into(value, broadcast_strides(value, shape_), shape_, outputs[0].data<void>(), outputs[0].dtype(),
              outputs[0].strides());
  }

 private:
  Shape shape_;
};

array arange_of(double start, double step, double count, Dtype dtype, const StreamOrDevice& s) {
  const int n = count > 0 ? static_cast<int>(count) : 0;
  return array(Shape{n}, dtype, std::make_shared<Arange>(to_stream(s), start, step, n), {});
}

array constant(const Shape& shape, float value, Dtype dtype, const StreamOrDevice& s) {
  return full(shape, array(value, dtype), dtype, s);
}

}  // namespace

array arange(double start, double stop, double step, Dtype dtype, StreamOrDevice s) {
  if (dtype == bool_) invalid("[arange] bool is not supported.");
  if (std::isnan(start) || std::isnan(step) || std::isnan(stop)) invalid("[arange] Cannot compute length.");
  if (std::isinf(start) || std::isinf(stop)) invalid("[arange] Cannot compute length.");
  if (step == 0) invalid("[arange] step must not be zero.");
  if (std::isinf(step)) return arange_of(start, 1, (step > 0 ? start < stop : start > stop) ? 1 : 0, dtype, s);
  const double count = std::ceil((stop - start) / step);
  if (count > INT32_MAX) invalid("[arange] Maximum size exceeded.");
  if (is_integer(dtype)) {  // the first element and the step are truncated, as MLX does
    return arange_of(std::trunc(start), std::trunc(start + step) - std::trunc(start), count, dtype, s);
  }
  return arange_of(start, step, count, dtype, s);
}
array arange(double start, double stop, double step, StreamOrDevice s) { return arange(start, stop, step, float32, s); }
array arange(double start, double stop, Dtype dtype, StreamOrDevice s) { return arange(start, stop, 1.0, dtype, s); }
array arange(double start, double stop, StreamOrDevice s) { return arange(start, stop, 1.0, float32, s); }
array arange(double stop, Dtype dtype, StreamOrDevice s) { return arange(0.0, stop, 1.0, dtype, s); }
array arange(double stop, StreamOrDevice s) { return arange(0.0, stop, 1.0, float32, s); }
array arange(int start, int stop, int step, StreamOrDevice s) {
  return arange(double(start), double(stop), double(step), int32, s);
}
array arange(int start, int stop, StreamOrDevice s) { return arange(double(start), double(stop), 1.0, int32, s); }
array arange(int stop, StreamOrDevice s) { return arange(0.0, double(stop), 1.0, int32, s); }

array linspace(double start, double stop, int num, bool endpoint, Dtype dtype, StreamOrDevice s) {
  if (num < 0) invalid("[linspace] number of samples, ", num, ", must be non-negative.");
  const int steps = endpoint ? num - 1 : num;
  if (num == 1 || steps < 1)
    return num == 0 ? zeros({0}, dtype, s) : astype(array({static_cast<float>(start)}), dtype, s);
  const array t = arange(0.0, double(num), 1.0, float32, s) / double(steps);
  const array value = (array(1.0f) - t) * array(start, float32) + t * array(stop, float32);
  return astype(value, dtype, s);
}
array linspace(double start, double stop, int num, Dtype dtype, StreamOrDevice s) {
  return linspace(start, stop, num, true, dtype, s);
}

array full(Shape shape, array vals, Dtype dtype, StreamOrDevice s) {
  if (broadcast_shapes(vals.shape(), shape, "full") != shape) {
    invalid("[full] Values of shape ", vals.shape(), " cannot be broadcast to ", shape, ".");
  }
  auto primitive = std::make_shared<Full>(to_stream(s), shape);
  return array(std::move(shape), dtype, std::move(primitive), {std::move(vals)});
}
array full(Shape shape, array vals, StreamOrDevice s) {
  const Dtype dtype = vals.dtype();
  return full(std::move(shape), std::move(vals), dtype, s);
}
array full_like(const array& a, array vals, Dtype dtype, StreamOrDevice s) {
  return full(a.shape(), std::move(vals), dtype, s);
}
array full_like(const array& a, array vals, StreamOrDevice s) { return full(a.shape(), std::move(vals), a.dtype(), s); }

array zeros(const Shape& shape, Dtype dtype, StreamOrDevice s) { return constant(shape, 0, dtype, s); }
array zeros(const Shape& shape, StreamOrDevice s) { return zeros(shape, float32, s); }
array zeros_like(const array& a, StreamOrDevice s) { return zeros(a.shape(), a.dtype(), s); }
array zeros_like(const array& a, Dtype dtype, StreamOrDevice s) { return zeros(a.shape(), dtype, s); }
array ones(const Shape& shape, Dtype dtype, StreamOrDevice s) { return constant(shape, 1, dtype, s); }
array ones(const Shape& shape, StreamOrDevice s) { return ones(shape, float32, s); }
array ones_like(const array& a, StreamOrDevice s) { return ones(a.shape(), a.dtype(), s); }
array ones_like(const array& a, Dtype dtype, StreamOrDevice s) { return ones(a.shape(), dtype, s); }

namespace {

// Column minus row of every element of an [n, m] matrix.
array column_minus_row(int n, int m, const StreamOrDevice& s) {
  return subtract(expand_dims(arange(m, s), 0, s), expand_dims(arange(n, s), 1, s), s);
}

}  // namespace

array eye(int n, int m, int k, Dtype dtype, StreamOrDevice s) {
  if (n < 0 || m < 0) invalid("[eye] N and M must be non-negative.");
  return astype(equal(column_minus_row(n, m, s), array(k), s), dtype, s);
}
array eye(int n, Dtype dtype, StreamOrDevice s) { return eye(n, n, 0, dtype, s); }
array eye(int n, int m, StreamOrDevice s) { return eye(n, m, 0, float32, s); }
array eye(int n, int m, int k, StreamOrDevice s) { return eye(n, m, k, float32, s); }
array eye(int n, StreamOrDevice s) { return eye(n, n, 0, float32, s); }
array identity(int n, Dtype dtype, StreamOrDevice s) { return eye(n, n, 0, dtype, s); }
array identity(int n, StreamOrDevice s) { return identity(n, float32, s); }

array tri(int n, int m, int k, Dtype type, StreamOrDevice s) {
  if (n < 0 || m < 0) invalid("[tri] N and M must be non-negative.");
  return astype(less_equal(column_minus_row(n, m, s), array(k), s), type, s);
}
array tri(int n, Dtype type, StreamOrDevice s) { return tri(n, n, 0, type, s); }
array tril(array x, int k, StreamOrDevice s) {
  if (x.ndim() < 2) invalid("[tril] array must be at least 2-D.");
  return where(tri(x.shape(-2), x.shape(-1), k, bool_, s), x, zeros_like(array(0, x.dtype()), s), s);
}
array triu(array x, int k, StreamOrDevice s) {
  if (x.ndim() < 2) invalid("[triu] array must be at least 2-D.");
  return where(tri(x.shape(-2), x.shape(-1), k - 1, bool_, s), zeros_like(array(0, x.dtype()), s), x, s);
}

}  // namespace hearth::core
