#include "ops/swiglu.h"

#include "core/cpu/elementwise.h"
#include "core/cpu/kernels.h"
#include "core/primitive.h"
#include "ops/kernel_type.h"

namespace hearth::ops {
namespace {

class SwiGLU final : public mx::Primitive {
 public:
  using Primitive::Primitive;
  const char* name() const override { return "SwiGLU"; }
  bool is_equivalent(const Primitive& other) const override { return dynamic_cast<const SwiGLU*>(&other) != nullptr; }
  std::vector<mx::Shape> output_shapes(mx::Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(mx::Arrays inputs, mx::MutableArrays outputs) override {
    mx::allocate_or_donate(outputs[0], inputs[0]);  // before further handles are made, which would prevent it
    const mx::array gate = mx::row_contiguous(inputs[0]), up = mx::row_contiguous(inputs[1]);
    cpu::kernels().binary({.op = cpu::BinaryOp::kSwiglu,
                           .type = kernel_type(gate.dtype()),
                           .a = {.data = gate.data<void>()},
                           .b = {.data = up.data<void>()},
                           .out = outputs[0].data<void>(),
                           .shape = gate.shape().data(),
                           .rank = static_cast<int>(gate.ndim())});
  }
};

}  // namespace

mx::array swiglu(const mx::array& gate, const mx::array& up) {
  require(gate.shape() == up.shape(), "swiglu", "gate and up must have one shape");
  require(gate.dtype() == up.dtype() && is_short_float(gate.dtype()), "swiglu",
          "gate and up must have one type: float16, bfloat16 or float32");
  return mx::array(gate.shape(), gate.dtype(), std::make_shared<SwiGLU>(mx::to_stream({})), {gate, up});
}

mx::array plain::swiglu(const mx::array& gate, const mx::array& up) {
  const mx::array g = mx::astype(gate, mx::float32), u = mx::astype(up, mx::float32);
  return mx::astype(mx::multiply(mx::multiply(g, mx::sigmoid(g)), u), gate.dtype());
}

}  // namespace hearth::ops
