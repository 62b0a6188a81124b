// The kernels order rows; an axis in the middle is brought last, ordered and brought back.
#include "core/ops/sort.h"

#include <memory>

#include "core/cpu/sort.h"
#include "core/ops/arguments.h"
#include "core/ops/index.h"

namespace hearth::core {

namespace {

enum class Order { kSort, kArgSort, kPartition, kArgPartition };

// Rows are the last axis.
class SortRows final : public ComparablePrimitive<SortRows> {
 public:
  SortRows(Stream s, Order order, int kth) : ComparablePrimitive(s), order_(order), kth_(kth) {}
  auto state() const { return std::tie(order_, kth_); }
  const char* name() const override {
    constexpr const char* names[] = {"Sort", "ArgSort", "Partition", "ArgPartition"};
    return names[static_cast<int>(order_)];
  }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    if (out.dtype() == inputs[0].dtype()) {
      allocate_or_donate(out, inputs[0]);
    } else {
      allocate(out);
    }
    const array x = row_contiguous(inputs[0]);
    if (x.size() == 0) return;
    const int64_t columns = x.shape(-1);
    const cpu::SortArgs args{kernel_type(x), x.data<void>(), out.data<void>(), static_cast<int64_t>(x.size()) / columns,
                             columns};
    switch (order_) {
      case Order::kSort: return cpu::sort(args);
      case Order::kArgSort: return cpu::argsort(args);
      case Order::kPartition: return cpu::partition(args, kth_);
      case Order::kArgPartition: return cpu::argpartition(args, kth_);
    }
  }

 private:
  Order order_;
  int kth_;
};

array ordered(Order order, const array& a, int kth, int axis, const char* name, const StreamOrDevice& s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), std::string("[") + name + "] ");
  const int last = static_cast<int>(a.ndim()) - 1;
  if (order == Order::kPartition || order == Order::kArgPartition) {
    const int n = a.shape(at);
    if (kth < -n || kth >= n)
      invalid("[", name, "] Received invalid kth ", kth, " along axis ", axis, " for array with shape: ", a.shape());
    if (kth < 0) kth += n;
  }
  const bool indices = order == Order::kArgSort || order == Order::kArgPartition;
  const array x = swapaxes(a, at, last, s);
  const array out(x.shape(), indices ? uint32 : a.dtype(), std::make_shared<SortRows>(to_stream(s), order, kth), {x});
  return swapaxes(out, at, last, s);
}

}  // namespace

array sort(const array& a, int axis, StreamOrDevice s) { return ordered(Order::kSort, a, 0, axis, "sort", s); }
array sort(const array& a, StreamOrDevice s) { return sort(flatten(a, s), 0, s); }
array argsort(const array& a, int axis, StreamOrDevice s) { return ordered(Order::kArgSort, a, 0, axis, "argsort", s); }
array argsort(const array& a, StreamOrDevice s) { return argsort(flatten(a, s), 0, s); }
array partition(const array& a, int kth, int axis, StreamOrDevice s) {
  return ordered(Order::kPartition, a, kth, axis, "partition", s);
}
array partition(const array& a, int kth, StreamOrDevice s) { return partition(flatten(a, s), kth, 0, s); }
array argpartition(const array& a, int kth, int axis, StreamOrDevice s) {
  return ordered(Order::kArgPartition, a, kth, axis, "argpartition", s);
}
array argpartition(const array& a, int kth, StreamOrDevice s) { return argpartition(flatten(a, s), kth, 0, s); }

array topk(const array& a, int k, int axis, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(a.ndim()), "[topk] ");
  const int n = a.shape(at);
  if (k < 0 || k > n)
    invalid("[topk] Received invalid k=", k, " along axis ", axis, " for array with shape: ", a.shape());
  if (k == n) return a;
  Shape start(a.ndim(), 0), stop = a.shape();
  start[at] = n - k;
  if (k == 0) return slice(a, std::move(start), std::move(stop), s);
  return slice(partition(a, -k, at, s), std::move(start), std::move(stop), s);
}
array topk(const array& a, int k, StreamOrDevice s) { return topk(flatten(a, s), k, 0, s); }

}  // namespace hearth::core
