#include "ops/add_rms_norm.h"

#include "core/cpu/kernels.h"
#include "core/cpu/norm.h"
#include "core/primitive.h"
#include "ops/kernel_type.h"

namespace hearth::ops {
namespace {

class AddRMSNorm final : public mx::Primitive {
 public:
  AddRMSNorm(mx::Stream stream, float eps) : Primitive(stream), eps_(eps) {}
  const char* name() const override { return "AddRMSNorm"; }
  bool is_equivalent(const Primitive& other) const override {
    const auto* same = dynamic_cast<const AddRMSNorm*>(&other);
    return same && same->eps_ == eps_;
  }
  std::vector<mx::Shape> output_shapes(mx::Arrays inputs) const override {
    return {inputs[0].shape(), inputs[0].shape()};
  }

  void eval_cpu(mx::Arrays inputs, mx::MutableArrays outputs) override {
    mx::array &sum = outputs[0], &normed = outputs[1];
    mx::allocate_or_donate(sum, inputs[0]);
    mx::allocate_or_donate(normed, inputs[1]);
    const mx::array x = mx::row_contiguous(inputs[0]), residual = mx::row_contiguous(inputs[1]);
    const mx::array weight = mx::row_contiguous(inputs[2]);
    const int64_t width = x.shape(-1);
    cpu::kernels().rms_norm({.type = kernel_type(x.dtype()),
                             .x = x.data<void>(),
                             .residual = residual.data<void>(),
                             .weight = weight.data<void>(),
                             .sum = sum.data<void>(),
                             .out = normed.data<void>(),
                             .rows = static_cast<int64_t>(x.size()) / width,
                             .columns = width,
                             .x_stride = width,
                             .residual_stride = width,
                             .sum_stride = width,
                             .out_stride = width,
                             .eps = eps_});
  }

 private:
  float eps_;
};

}  // namespace

std::pair<mx::array, mx::array> add_rms_norm(const mx::array& x, const mx::array& residual, const mx::array& weight,
                                             float eps) {
  require(x.shape() == residual.shape() && x.ndim() >= 1 && x.size() > 0, "add_rms_norm",
          "x and residual must have one shape, and elements");
  require(weight.shape() == mx::Shape{x.shape(-1)}, "add_rms_norm", "weight must have the last dimension of x");
  const bool one_type = x.dtype() == residual.dtype() && x.dtype() == weight.dtype() && is_short_float(x.dtype());
  if (!one_type) return plain::add_rms_norm(x, residual, weight, eps);  // promotes
  auto outputs = mx::array::make_arrays({x.shape(), x.shape()}, {x.dtype(), x.dtype()},
                                        std::make_shared<AddRMSNorm>(mx::to_stream({}), eps), {x, residual, weight});
  return {std::move(outputs[0]), std::move(outputs[1])};
}

std::pair<mx::array, mx::array> plain::add_rms_norm(const mx::array& x, const mx::array& residual,
                                                    const mx::array& weight, float eps) {
  mx::array sum = mx::add(x, residual);
  mx::array normed = mx::fast::rms_norm(sum, weight, eps);
  return {std::move(sum), std::move(normed)};
}

}  // namespace hearth::ops
