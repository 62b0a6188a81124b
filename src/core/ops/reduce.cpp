// Reductions bring the reduced axes last through strides and hand the kernel one walk over everything, so no axis order
// needs a copy.
#include "core/ops/reduce.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "core/cpu/kernels.h"
#include "core/cpu/reduce.h"
#include "core/ops/arguments.h"
#include "core/ops/operators.h"
#include "core/strided.h"

namespace hearth::core {

namespace {

using cpu::ReduceOp;

Shape reduced_shape(const Shape& from, const std::vector<int>& axes, bool keepdims) {
  Shape shape;
  for (int i = 0; i < static_cast<int>(from.size()); ++i) {
    const bool gone = std::binary_search(axes.begin(), axes.end(), i);
    if (!gone) shape.push_back(from[i]);
    if (gone && keepdims) shape.push_back(1);
  }
  return shape;
}

// An array's shape and strides with some axes (ascending) moved to the end.
struct AxesLast {
  Shape shape;
  Strides strides;
};
AxesLast axes_last(const array& x, const std::vector<int>& axes) {
  AxesLast out;
  for (int i = 0; i < static_cast<int>(x.ndim()); ++i) {
    if (std::binary_search(axes.begin(), axes.end(), i)) continue;
    out.shape.push_back(x.shape(i));
    out.strides.push_back(x.strides(i));
  }
  for (int axis : axes) {
    out.shape.push_back(x.shape(axis));
    out.strides.push_back(x.strides(axis));
  }
  return out;
}

class Reduce final : public ComparablePrimitive<Reduce> {
 public:
  Reduce(Stream s, ReduceOp op, std::vector<int> axes) : ComparablePrimitive(s), op_(op), axes_(std::move(axes)) {}
  auto state() const { return std::tie(op_, axes_); }
  const char* name() const override {
    constexpr const char* names[] = {"Sum", "Prod", "Max", "Min", "All", "Any"};
    return names[static_cast<int>(op_)];
  }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    return {reduced_shape(inputs[0].shape(), axes_, true)};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    allocate(outputs[0]);
    const AxesLast walk = axes_last(x, axes_);
    cpu::kernels().reduce({.op = op_,
                           .type = kernel_type(x),
                           .out_type = kernel_type(outputs[0]),
                           .x = {x.data<void>(), walk.strides.data()},
                           .out = outputs[0].data<void>(),
                           .shape = walk.shape.data(),
                           .rank = static_cast<int>(walk.shape.size()),
                           .reduced = static_cast<int>(axes_.size())});
  }

 private:
  ReduceOp op_;
  std::vector<int> axes_;
};

class ArgReduce final : public ComparablePrimitive<ArgReduce> {
 public:
  ArgReduce(Stream s, cpu::ArgReduceOp op, int axis) : ComparablePrimitive(s), op_(op), axis_(axis) {}
  auto state() const { return std::tie(op_, axis_); }
  const char* name() const override { return op_ == cpu::ArgReduceOp::kArgMax ? "ArgMax" : "ArgMin"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    return {reduced_shape(inputs[0].shape(), {axis_}, true)};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    allocate(outputs[0]);
    const AxesLast walk = axes_last(x, {axis_});
    cpu::kernels().arg_reduce({.op = op_,
                               .type = kernel_type(x),
                               .x = {x.data<void>(), walk.strides.data()},
                               .out = outputs[0].data<uint32_t>(),
                               .shape = walk.shape.data(),
                               .rank = static_cast<int>(walk.shape.size())});
  }

 private:
  cpu::ArgReduceOp op_;
  int axis_;
};

// Rows are the last axis.
class Softmax final : public ComparablePrimitive<Softmax> {
 public:
  using ComparablePrimitive::ComparablePrimitive;
  auto state() const { return std::tuple(); }
  const char* name() const override { return "Softmax"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    allocate_or_donate(out, inputs[0]);
    const array x = row_contiguous(inputs[0]);
    const int64_t columns = x.shape(-1);
    if (x.size() == 0) return;
    cpu::kernels().softmax({.type = kernel_type(x),
                            .x = x.data<void>(),
                            .out = out.data<void>(),
                            .rows = static_cast<int64_t>(x.size()) / columns,
                            .columns = columns,
                            .x_stride = columns,
                            .out_stride = columns});
  }
};

// Rows are the last axis, which stays with length one.
class LogSumExp final : public ComparablePrimitive<LogSumExp> {
 public:
  using ComparablePrimitive::ComparablePrimitive;
  auto state() const { return std::tuple(); }
  const char* name() const override { return "LogSumExp"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    return {reduced_shape(inputs[0].shape(), {static_cast<int>(inputs[0].ndim()) - 1}, true)};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array x = row_contiguous(inputs[0]);
    allocate(outputs[0]);
    const int64_t columns = x.shape(-1);
    cpu::kernels().log_sum_exp({.type = kernel_type(x),
                                .x = x.data<void>(),
                                .out = outputs[0].data<void>(),
                                .rows = static_cast<int64_t>(outputs[0].size()),
                                .columns = columns,
                                .x_stride = columns});
  }
};

class Scan final : public ComparablePrimitive<Scan> {
 public:
  Scan(Stream s, cpu::ScanOp op, int axis, bool reverse, bool inclusive)
      : ComparablePrimitive(s), op_(op), axis_(axis), reverse_(reverse), inclusive_(inclusive) {}
  auto state() const { return std::tie(op_, axis_, reverse_, inclusive_); }
  const char* name() const override {
    constexpr const char* names[] = {"CumSum", "CumProd", "CumMax", "CumMin"};
    return names[static_cast<int>(op_)];
  }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    allocate_or_donate(outputs[0], inputs[0]);
    const array x = row_contiguous(inputs[0]);
    const auto product = [](auto first, auto last) {
      return std::accumulate(first, last, int64_t{1}, std::multiplies<int64_t>());
    };
    const auto at = x.shape().begin() + axis_;
    cpu::scan({.op = op_,
               .type = kernel_type(x),
               .x = x.data<void>(),
               .out = outputs[0].data<void>(),
               .outer = product(x.shape().begin(), at),
               .length = *at,
               .inner = product(at + 1, x.shape().end()),
               .reverse = reverse_,
               .inclusive = inclusive_});
  }

 private:
  cpu::ScanOp op_;
  int axis_;
  bool reverse_, inclusive_;
};

array reduce(ReduceOp op, const array& a, Dtype out, const std::vector<int>& axes, bool keepdims, const char* name,
             const StreamOrDevice& s) {
  std::vector<int> at = checked_axes(axes, static_cast<int>(a.ndim()), name);
  if (at.empty()) return astype(a, out, s);
  Shape shape = reduced_shape(a.shape(), at, keepdims);
  return array(std::move(shape), out, std::make_shared<Reduce>(to_stream(s), op, std::move(at)), {a});
}

Dtype sum_type(Dtype t) {
  if (t == bool_ || issubdtype(t, signedinteger)) return t.size() <= 4 ? int32 : int64;
  if (issubdtype(t, unsignedinteger)) return t.size() <= 4 ? uint32 : uint64;
  return t;
}

size_t reduced_count(const array& a, const std::vector<int>& axes, const char* name) {
  size_t count = 1;
  for (int axis : checked_axes(axes, static_cast<int>(a.ndim()), name)) count *= a.shape(axis);
  return count;
}

void require_elements(const array& a, const std::vector<int>& axes, const char* name) {
  if (reduced_count(a, axes, name) == 0)
    invalid("[", name, "] Cannot reduce zero elements of an array of shape ", a.shape(), ".");
}

array arg_reduce(cpu::ArgReduceOp op, const array& a, int axis, bool keepdims, const char* name,
                 const StreamOrDevice& s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), std::string("[") + name + "] ");
  if (a.shape(at) == 0) invalid("[", name, "] Cannot reduce an axis of no elements.");
  return array(reduced_shape(a.shape(), {at}, keepdims), uint32, std::make_shared<ArgReduce>(to_stream(s), op, at),
               {a});
}

array arg_reduce_all(cpu::ArgReduceOp op, const array& a, bool keepdims, const char* name, const StreamOrDevice& s) {
  const array out = arg_reduce(op, flatten(a, s), 0, true, name, s);
  return keepdims ? reshape(out, Shape(a.ndim(), 1), s) : squeeze(out, s);
}

// Moves the axes to the end and flattens them into one; for operations on rows.
array rows_of(const array& a, const std::vector<int>& axes, const StreamOrDevice& s) {
  std::vector<int> order;
  for (int i = 0; i < static_cast<int>(a.ndim()); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) order.push_back(i);
  }
  const int kept = static_cast<int>(order.size());
  order.insert(order.end(), axes.begin(), axes.end());
  return flatten(transpose(a, std::move(order), s), kept, -1, s);
}

array scan(cpu::ScanOp op, const array& a, int axis, bool reverse, bool inclusive, const char* name,
           const StreamOrDevice& s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), std::string("[") + name + "] ");
  return array(a.shape(), a.dtype(), std::make_shared<Scan>(to_stream(s), op, at, reverse, inclusive), {a});
}

}  // namespace

#define HEARTH_ALL_AND_ONE_AXIS(name)                                                                       \
  array name(const array& a, bool keepdims, StreamOrDevice s) { return name(a, all_axes(a), keepdims, s); } \
  array name(const array& a, int axis, bool keepdims, StreamOrDevice s) {                                   \
    return name(a, std::vector<int>{axis}, keepdims, s);                                                    \
  }
HEARTH_ALL_AND_ONE_AXIS(sum)
HEARTH_ALL_AND_ONE_AXIS(prod)
HEARTH_ALL_AND_ONE_AXIS(max)
HEARTH_ALL_AND_ONE_AXIS(min)
HEARTH_ALL_AND_ONE_AXIS(all)
HEARTH_ALL_AND_ONE_AXIS(any)
HEARTH_ALL_AND_ONE_AXIS(mean)
HEARTH_ALL_AND_ONE_AXIS(logsumexp)
#undef HEARTH_ALL_AND_ONE_AXIS

array sum(const array& a, const std::vector<int>& axes, bool keepdims, StreamOrDevice s) {
  return reduce(ReduceOp::kSum, a, sum_type(a.dtype()), axes, keepdims, "sum", s);
}
array prod(const array& a, const std::vector<int>& axes, bool keepdims, StreamOrDevice s) {
  return reduce(ReduceOp::kProduct, a, sum_type(a.dtype()), axes, keepdims, "prod", s);
}
array max(const array& a, const std::vector<int>& axes, bool keepdims, StreamOrDevice s) {
  require_elements(a, axes, "max");
  return reduce(ReduceOp::kMax, a, a.dtype(), axes, keepdims, "max", s);
}
array min(const array& a, const std::vector<int>& axes, bool keepdims, StreamOrDevice s) {
  require_elements(a, axes, "min");
  return reduce(ReduceOp::kMin, a, a.dtype(), axes, keepdims, "min", s);
}
array all(const array& a, const std::vector<int>& axes, bool keepdims, StreamOrDevice s) {
  return reduce(ReduceOp::kAll, a, bool_, axes, keepdims, "all", s);
}
array any(const array& a, const std::vector<int>& axes, bool keepdims, StreamOrDevice s) {
  return reduce(ReduceOp::kAny, a, bool_, axes, keepdims, "any", s);
}

array mean(const array& a, const std::vector<int>& axes, bool keepdims, StreamOrDevice s) {
  const Dtype t = at_least_float(a.dtype());
  const float count = static_cast<float>(reduced_count(a, axes, "mean"));
  return multiply(sum(astype(a, t, s), axes, keepdims, s), array(1.0f / count, t), s);
}

array logsumexp(const array& a, const std::vector<int>& axes, bool keepdims, StreamOrDevice s) {
  const std::vector<int> at = checked_axes(axes, static_cast<int>(a.ndim()), "logsumexp");
  const array x = astype(a, at_least_float(a.dtype()), s);
  if (x.dtype() == complex64) invalid("[logsumexp] Not supported for complex64.");
  if (at.empty()) return x;
  require_elements(a, at, "logsumexp");
  const array rows = rows_of(x, at, s);
  auto primitive = std::make_shared<LogSumExp>(to_stream(s));
  Shape shape = primitive->output_shapes(Arrays(&rows, 1))[0];
  const array out(std::move(shape), x.dtype(), std::move(primitive), {rows});
  return reshape(out, reduced_shape(a.shape(), at, keepdims), s);
}

array var(const array& a, const std::vector<int>& axes, bool keepdims, int ddof, StreamOrDevice s) {
  const Dtype t = at_least_float(a.dtype());
  const array x = astype(a, t, s);
  const float count = static_cast<float>(reduced_count(a, axes, "var"));
  const array squares = sum(square(subtract(x, mean(x, axes, true, s), s), s), axes, keepdims, s);
  return divide(squares, array(std::max(count - static_cast<float>(ddof), 0.0f), t), s);
}
array var(const array& a, bool keepdims, int ddof, StreamOrDevice s) { return var(a, all_axes(a), keepdims, ddof, s); }
array var(const array& a, int axis, bool keepdims, int ddof, StreamOrDevice s) {
  return var(a, std::vector<int>{axis}, keepdims, ddof, s);
}
array std(const array& a, const std::vector<int>& axes, bool keepdims, int ddof, StreamOrDevice s) {
  return sqrt(var(a, axes, keepdims, ddof, s), s);
}
array std(const array& a, bool keepdims, int ddof, StreamOrDevice s) { return sqrt(var(a, keepdims, ddof, s), s); }
array std(const array& a, int axis, bool keepdims, int ddof, StreamOrDevice s) {
  return sqrt(var(a, axis, keepdims, ddof, s), s);
}

array argmin(const array& a, bool keepdims, StreamOrDevice s) {
  return arg_reduce_all(cpu::ArgReduceOp::kArgMin, a, keepdims, "argmin", s);
}
array argmin(const array& a, int axis, bool keepdims, StreamOrDevice s) {
  return arg_reduce(cpu::ArgReduceOp::kArgMin, a, axis, keepdims, "argmin", s);
}
array argmax(const array& a, bool keepdims, StreamOrDevice s) {
  return arg_reduce_all(cpu::ArgReduceOp::kArgMax, a, keepdims, "argmax", s);
}
array argmax(const array& a, int axis, bool keepdims, StreamOrDevice s) {
  return arg_reduce(cpu::ArgReduceOp::kArgMax, a, axis, keepdims, "argmax", s);
}

// The kernel knows rows of real numbers, and is always precise: it computes in float32.
array softmax(const array& a, const std::vector<int>& axes, bool precise, StreamOrDevice s) {
  const std::vector<int> at = checked_axes(axes, static_cast<int>(a.ndim()), "softmax");
  const Dtype t = at_least_float(a.dtype());
  if (a.size() == 0) return astype(a, t, s);
  if (at.size() == 1 && at[0] == static_cast<int>(a.ndim()) - 1 && t != complex64) {
    return array(a.shape(), t, std::make_shared<Softmax>(to_stream(s)), {astype(a, t, s)});
  }
  const array x = astype(a, precise && is_floating(t) ? promote_types(t, float32) : t, s);
  const array e = exp(subtract(x, max(x, at, true, s), s), s);
  return astype(divide(e, sum(e, at, true, s), s), t, s);
}
array softmax(const array& a, bool precise, StreamOrDevice s) { return softmax(a, all_axes(a), precise, s); }
array softmax(const array& a, int axis, bool precise, StreamOrDevice s) {
  return softmax(a, std::vector<int>{axis}, precise, s);
}

array cumsum(const array& a, int axis, bool reverse, bool inclusive, std::optional<Dtype> dtype, StreamOrDevice s) {
  const Dtype t = dtype.value_or(a.dtype() == bool_ ? int32 : a.dtype());
  return scan(cpu::ScanOp::kSum, astype(a, t, s), axis, reverse, inclusive, "cumsum", s);
}
array cumsum(const array& a, bool reverse, bool inclusive, std::optional<Dtype> dtype, StreamOrDevice s) {
  return cumsum(flatten(a, s), 0, reverse, inclusive, dtype, s);
}
array cumprod(const array& a, int axis, bool reverse, bool inclusive, std::optional<Dtype> dtype, StreamOrDevice s) {
  const Dtype t = dtype.value_or(a.dtype() == bool_ ? int32 : a.dtype());
  return scan(cpu::ScanOp::kProduct, astype(a, t, s), axis, reverse, inclusive, "cumprod", s);
}
array cumprod(const array& a, bool reverse, bool inclusive, std::optional<Dtype> dtype, StreamOrDevice s) {
  return cumprod(flatten(a, s), 0, reverse, inclusive, dtype, s);
}
array cummax(const array& a, int axis, bool reverse, bool inclusive, StreamOrDevice s) {
  return scan(cpu::ScanOp::kMax, a, axis, reverse, inclusive, "cummax", s);
}
array cummax(const array& a, bool reverse, bool inclusive, StreamOrDevice s) {
  return cummax(flatten(a, s), 0, reverse, inclusive, s);
}
array cummin(const array& a, int axis, bool reverse, bool inclusive, StreamOrDevice s) {
  return scan(cpu::ScanOp::kMin, a, axis, reverse, inclusive, "cummin", s);
}
array cummin(const array& a, bool reverse, bool inclusive, StreamOrDevice s) {
  return cummin(flatten(a, s), 0, reverse, inclusive, s);
}

}  // namespace hearth::core
