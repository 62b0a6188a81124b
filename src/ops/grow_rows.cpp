#include "ops/grow_rows.h"

#include <cstring>

#include "core/primitive.h"
#include "ops/kernel_type.h"

namespace hearth::ops {
namespace {

class GrowRows final : public mx::Primitive {
 public:
  GrowRows(mx::Stream stream, int rows) : Primitive(stream), rows_(rows) {}
  const char* name() const override { return "GrowRows"; }
  bool is_equivalent(const Primitive& other) const override {
    const auto* same = dynamic_cast<const GrowRows*>(&other);
    return same && same->rows_ == rows_;
  }
  std::vector<mx::Shape> output_shapes(mx::Arrays inputs) const override {
    return {{inputs[0].shape(0), rows_, inputs[0].shape(2)}};
  }

  void eval_cpu(mx::Arrays inputs, mx::MutableArrays outputs) override {
    mx::array& out = outputs[0];
    mx::allocate(out);
    const mx::array x = mx::row_contiguous(inputs[0]);
    const size_t row = static_cast<size_t>(x.shape(2)) * x.itemsize();
    const size_t from = static_cast<size_t>(x.shape(1)) * row, to = static_cast<size_t>(rows_) * row;
    if (from == 0) return;
    for (int n = 0; n < x.shape(0); ++n) {
      std::memcpy(out.data<char>() + static_cast<size_t>(n) * to, x.data<char>() + static_cast<size_t>(n) * from, from);
    }
  }

 private:
  int rows_;
};

}  // namespace

mx::array grow_rows(mx::array x, int rows) {
  require(x.ndim() == 3, "grow_rows", "x must have three dimensions");
  require(rows >= x.shape(1), "grow_rows", "there must be as many rows as before");
  const mx::Shape shape{x.shape(0), rows, x.shape(2)};
  const mx::Dtype type = x.dtype();
  return mx::array(shape, type, std::make_shared<GrowRows>(mx::to_stream({}), rows), {std::move(x)});
}

mx::array plain::grow_rows(mx::array x, int rows) {
  const mx::array more = mx::zeros({x.shape(0), rows - x.shape(1), x.shape(2)}, x.dtype());
  return mx::concatenate({std::move(x), more}, 1);
}

}  // namespace hearth::ops
