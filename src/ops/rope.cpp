// The kernel takes one set of frequencies for a call. Where they depend on the position (freqs [T, R/2]) it is called
// once for each token.
#include "ops/rope.h"

#include "core/cpu/kernels.h"
#include "core/cpu/rope.h"
#include "core/primitive.h"
#include "ops/kernel_type.h"

namespace hearth::ops {
namespace {

class Rope final : public mx::Primitive {
 public:
  Rope(mx::Stream stream, bool traditional, float mscale)
      : Primitive(stream), traditional_(traditional), mscale_(mscale) {}
  const char* name() const override { return "PositionedRope"; }
  bool is_equivalent(const Primitive& other) const override {
    const auto* same = dynamic_cast<const Rope*>(&other);
    return same && same->traditional_ == traditional_ && same->mscale_ == mscale_;
  }
  std::vector<mx::Shape> output_shapes(mx::Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(mx::Arrays inputs, mx::MutableArrays outputs) override {
    mx::array& out = outputs[0];
    mx::allocate_or_donate(out, inputs[0]);
    const mx::array x = mx::row_contiguous(inputs[0]), positions = mx::row_contiguous(inputs[1]);
    const mx::array freqs = mx::row_contiguous(inputs[2]);
    const int tokens = x.shape(0), heads = x.shape(1), head_size = x.shape(2);
    const int64_t token_stride = int64_t{heads} * head_size;
    const auto rotate = [&](int first, int count, const float* freqs_here) {
      const size_t offset = static_cast<size_t>(first * token_stride) * x.itemsize();
      cpu::kernels().rope({.type = kernel_type(x.dtype()),
                           .x = x.data<char>() + offset,
                           .out = out.data<char>() + offset,
                           .x_token_stride = token_stride,
                           .x_head_stride = head_size,
                           .out_token_stride = token_stride,
                           .out_head_stride = head_size,
                           .tokens = count,
                           .heads = heads,
                           .head_size = head_size,
                           .rotated = 2 * freqs.shape(-1),
                           .positions = positions.data<int32_t>() + first,
                           .freqs = freqs_here,
                           .traditional = traditional_,
                           .mscale = mscale_});
    };
    if (freqs.ndim() == 1) return rotate(0, tokens, freqs.data<float>());
    for (int t = 0; t < tokens; ++t) rotate(t, 1, freqs.data<float>() + int64_t{t} * freqs.shape(1));
  }

 private:
  bool traditional_;
  float mscale_;
};

}  // namespace

mx::array rope(const mx::array& x, const mx::array& positions, const mx::array& freqs, bool traditional, float mscale) {
  require(x.ndim() == 3 && is_short_float(x.dtype()), "rope", "x must be a float array [T, H, D]");
  require(positions.shape() == mx::Shape{x.shape(0)} && positions.dtype() == mx::int32, "rope",
          "positions must be int32 [T]");
  require(freqs.dtype() == mx::float32 && (freqs.ndim() == 1 || (freqs.ndim() == 2 && freqs.shape(0) == x.shape(0))),
          "rope", "freqs must be float32 [R/2] or [T, R/2]");
  require(2 * freqs.shape(-1) <= x.shape(2), "rope", "no more than D numbers can be rotated");
  return mx::array(x.shape(), x.dtype(), std::make_shared<Rope>(mx::to_stream({}), traditional, mscale),
                   {x, positions, freqs});
}

mx::array plain::rope(const mx::array& x, const mx::array& positions, const mx::array& freqs, bool traditional,
                      float mscale) {
  const int tokens = x.shape(0), heads = x.shape(1), half = freqs.shape(-1);
  const mx::array at = mx::reshape(mx::astype(positions, mx::float32), {tokens, 1});
  const mx::array angles = mx::expand_dims(mx::multiply(at, mx::reciprocal(freqs)), 1);  // [T, 1, R/2]
  const mx::array c = mx::multiply(mx::cos(angles), mx::array(mscale));
  const mx::array s = mx::multiply(mx::sin(angles), mx::array(mscale));

  const mx::array turned = mx::slice(mx::astype(x, mx::float32), {0, 0, 0}, {tokens, heads, 2 * half});
  // Both members of all pairs, [T, H, R/2] each.
  const mx::array pairs = traditional ? mx::reshape(turned, {tokens, heads, half, 2})
                                      : mx::swapaxes(mx::reshape(turned, {tokens, heads, 2, half}), 2, 3);
  const mx::array a = mx::take(pairs, 0, 3), b = mx::take(pairs, 1, 3);
  const mx::array new_a = mx::subtract(mx::multiply(a, c), mx::multiply(b, s));
  const mx::array new_b = mx::add(mx::multiply(a, s), mx::multiply(b, c));
  const mx::array rotated = traditional ? mx::reshape(mx::stack({new_a, new_b}, 3), {tokens, heads, 2 * half})
                                        : mx::concatenate({new_a, new_b}, 2);
  const mx::array rest = mx::slice(x, {0, 0, 2 * half}, x.shape());
  return mx::concatenate({mx::astype(rotated, x.dtype()), rest}, 2);
}

}  // namespace hearth::ops
