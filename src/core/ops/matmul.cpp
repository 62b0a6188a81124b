// The kernel computes x·Wᵀ with rows of both contiguous. matmul(a, b) brings b into that form: a transposed view of a
// row-major matrix is already in it and is read where it lies; anything else is transposed into a copy. Batches of a
// that share one b are one product with more rows.
#include "core/ops/matmul.h"

#include <cstring>
#include <memory>
#include <numeric>

#include "core/copy.h"
#include "core/cpu/kernels.h"
#include "core/dispatch.h"
#include "core/ops/arguments.h"
#include "core/ops/operators.h"
#include "core/strided.h"

namespace hearth::core {

namespace {

// The matrix of some axes of an array: element (r, c) of matrix i of a batch.
struct Matrices {
  array owner;    // keeps the memory
  Strides batch;  // strides of the broadcast leading axes
  int64_t row = 0, column = 0;
  const std::byte* at(int64_t offset) const {
    return owner.data<std::byte>() + offset * static_cast<int64_t>(owner.itemsize());
  }
};

// Leading axes broadcast to `batch`; the last axis of every row contiguous, copying if it is not.
Matrices rows_contiguous(const array& x, const Shape& batch) {
  array rows = contiguous_rows(x);
  Shape whole = batch;
  whole.push_back(x.shape(-2));
  whole.push_back(x.shape(-1));
  Strides strides = broadcast_strides(rows, whole);
  const int64_t row = rows.strides(-2);
  strides.resize(batch.size());
  return {std::move(rows), std::move(strides), row, 1};
}

// b [..., K, N] as W [..., N, K].
array transposed_view(const array& b) {
  Shape shape = b.shape();
  Strides strides = b.strides();
  std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  std::swap(strides[strides.size() - 1], strides[strides.size() - 2]);
  array view(b.storage(), std::move(shape), b.dtype());
  share(view, b, strides);
  return view;
}

bool has_kernel(Dtype t) { return t == float32 || t == float16 || t == bfloat16; }

// float64 and complex64: no kernel, and no model that needs one.
template <typename T>
void plain_product(const T* x, int64_t x_stride, const T* w, int64_t w_stride, T* y, int64_t m, int64_t n, int64_t k) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      T sum{};
      for (int64_t c = 0; c < k; ++c) sum += x[i * x_stride + c] * w[j * w_stride + c];
      y[i * n + j] = sum;
    }
  }
}

void product(Dtype t, const void* x, int64_t x_stride, const void* w, int64_t w_stride, void* y, int64_t m, int64_t n,
             int64_t k) {
  if (has_kernel(t)) {
    return cpu::kernels().matmul({.type = kernel_type(t),
                                  .x = x,
                                  .w = w,
                                  .y = y,
                                  .m = m,
                                  .n = n,
                                  .k = k,
                                  .x_stride = x_stride,
                                  .w_stride = w_stride,
                                  .y_stride = n});
  }
  if (t == float64) {
    return plain_product(static_cast<const double*>(x), x_stride, static_cast<const double*>(w), w_stride,
                         static_cast<double*>(y), m, n, k);
  }
  using Complex = std::complex<float>;
  plain_product(static_cast<const Complex*>(x), x_stride, static_cast<const Complex*>(w), w_stride,
                static_cast<Complex*>(y), m, n, k);
}

class Matmul final : public ComparablePrimitive<Matmul> {
 public:
  using ComparablePrimitive::ComparablePrimitive;
  auto state() const { return std::tuple(); }
  const char* name() const override { return "Matmul"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    const array &a = inputs[0], &b = inputs[1];
    Shape shape = broadcast_shapes(Shape(a.shape().begin(), a.shape().end() - 2),
                                   Shape(b.shape().begin(), b.shape().end() - 2), "matmul");
    shape.push_back(a.shape(-2));
    shape.push_back(b.shape(-1));
    return {shape};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    allocate(out);
    if (out.size() == 0) return;
    const array w = transposed_view(inputs[1]);
    const int64_t m = out.shape(-2), n = out.shape(-1), k = w.shape(-1);
    const Dtype t = out.dtype();
    auto* y = out.data<std::byte>();
    if (w.size() == static_cast<size_t>(n * k)) {  // one W for every row
      const array x = row_contiguous(inputs[0]), one = contiguous_rows(w);
      return product(t, x.data<void>(), k, one.data<void>(), one.strides(-2), y, static_cast<int64_t>(out.size()) / n,
                     n, k);
    }
    const Shape batch(out.shape().begin(), out.shape().end() - 2);
    const Matrices x = rows_contiguous(inputs[0], batch), rows = rows_contiguous(w, batch);
    const int64_t count = static_cast<int64_t>(out.size()) / (m * n);
    Strides at(batch.size(), 0);
    for (int64_t i = 0; i < count; ++i) {
      int64_t left = i, x_offset = 0, w_offset = 0;
      for (size_t axis = batch.size(); axis-- > 0;) {
        const int64_t index = left % batch[axis];
        left /= batch[axis];
        x_offset += index * x.batch[axis];
        w_offset += index * rows.batch[axis];
      }
      product(t, x.at(x_offset), x.row, rows.at(w_offset), rows.row, y, m, n, k);
      y += m * n * static_cast<int64_t>(out.itemsize());
    }
  }
};

void require_product(const array& a, const array& b, const char* op) {
  if (a.ndim() == 0 || b.ndim() == 0)
    invalid("[", op, "] Got 0 dimension input. Inputs must have at least one dimension.");
  const int inner = b.shape(b.ndim() == 1 ? 0 : -2);
  if (a.shape(-1) != inner) {
    invalid("[", op, "] Last dimension of first input with shape ", a.shape(),
            " must match second to last dimension of second input with shape ", b.shape(), ".");
  }
}

}  // namespace

array matmul(const array& a, const array& b, StreamOrDevice s) {
  require_product(a, b, "matmul");
  const Dtype t = result_type(a, b);
  if (!issubdtype(t, inexact)) {
    invalid("[matmul] Only inexact types are supported but ", a.dtype(), " and ", b.dtype(),
            " were provided which results in ", t, ", which is not an inexact type.");
  }
  const bool row = a.ndim() == 1, column = b.ndim() == 1;
  const array x = astype(row ? expand_dims(a, 0, s) : a, t, s), w = astype(column ? expand_dims(b, 1, s) : b, t, s);
  auto primitive = std::make_shared<Matmul>(to_stream(s));
  const array both[] = {x, w};
  Shape shape = primitive->output_shapes(both)[0];
  array out(std::move(shape), t, std::move(primitive), {x, w});
  if (column) out = squeeze(out, -1, s);
  return row ? squeeze(out, column ? -1 : -2, s) : out;
}

array addmm(array c, array a, array b, const float& alpha, const float& beta, StreamOrDevice s) {
  require_product(a, b, "addmm");
  const Dtype t = result_type(a, b, c);
  array product = matmul(astype(a, t, s), astype(b, t, s), s);
  if (broadcast_shapes(c.shape(), product.shape(), "addmm") != product.shape()) {
    invalid("[addmm] Shape ", c.shape(), " cannot be broadcast to ", product.shape(), ".");
  }
  if (alpha != 1) product = multiply(product, array(alpha, t), s);
  return add(product, beta == 1 ? astype(c, t, s) : multiply(c, array(beta, t), s), s);
}

array outer(const array& a, const array& b, StreamOrDevice s) {
  return multiply(reshape(a, {static_cast<ShapeElem>(a.size()), 1}, s), flatten(b, s), s);
}

array inner(const array& a, const array& b, StreamOrDevice s) {
  if (a.ndim() == 0 || b.ndim() == 0) return multiply(a, b, s);
  if (a.shape(-1) != b.shape(-1))
    invalid("[inner] a and b must have the same last dimension, got ", a.shape(), " and ", b.shape(), ".");
  return tensordot(a, b, {-1}, {-1}, s);
}

array tensordot(const array& a, const array& b, const std::vector<int>& axes_a, const std::vector<int>& axes_b,
                StreamOrDevice s) {
  if (axes_a.size() != axes_b.size()) invalid("[tensordot] axes must have the same size.");
  const int na = static_cast<int>(a.ndim()), nb = static_cast<int>(b.ndim());
  std::vector<int> order_a, order_b, sum_a, sum_b;
  for (size_t i = 0; i < axes_a.size(); ++i) {
    sum_a.push_back(normalize_axis_index(axes_a[i], na, "[tensordot] "));
    sum_b.push_back(normalize_axis_index(axes_b[i], nb, "[tensordot] "));
    if (a.shape(sum_a[i]) != b.shape(sum_b[i]))
      invalid("[tensordot] a.shape(axes_a) and b.shape(axes_b) must match, got ", a.shape(), " and ", b.shape(), ".");
  }
  Shape shape;
  ShapeElem rows = 1, columns = 1, summed = 1;
  for (int i = 0; i < na; ++i) {
    if (std::find(sum_a.begin(), sum_a.end(), i) != sum_a.end()) continue;
    order_a.push_back(i);
    shape.push_back(a.shape(i));
    rows *= a.shape(i);
  }
  for (int i = 0; i < nb; ++i) {
    if (std::find(sum_b.begin(), sum_b.end(), i) != sum_b.end()) continue;
    order_b.push_back(i);
    shape.push_back(b.shape(i));
    columns *= b.shape(i);
  }
  for (int axis : sum_a) summed *= a.shape(axis);
  order_a.insert(order_a.end(), sum_a.begin(), sum_a.end());
  order_b.insert(order_b.begin(), sum_b.begin(), sum_b.end());
  const array x = reshape(transpose(a, order_a, s), {rows, summed}, s);
  const array w = reshape(transpose(b, order_b, s), {summed, columns}, s);
  return reshape(matmul(x, w, s), std::move(shape), s);
}
array tensordot(const array& a, const array& b, const int axis, StreamOrDevice s) {
  if (axis < 0 || axis > static_cast<int>(std::min(a.ndim(), b.ndim())))
    invalid("[tensordot] Invalid number of axes ", axis, ".");
  std::vector<int> axes_a(axis), axes_b(axis);
  std::iota(axes_a.begin(), axes_a.end(), static_cast<int>(a.ndim()) - axis);
  std::iota(axes_b.begin(), axes_b.end(), 0);
  return tensordot(a, b, axes_a, axes_b, s);
}

}  // namespace hearth::core
