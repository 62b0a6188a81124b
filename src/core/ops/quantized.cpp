// Packed matrices are handed to the kernels as they lie in memory. x·Wᵀ is computed on the packed weights; x·W expands
// W first, a case only training meets.
#include "core/ops/quantized.h"

#include <memory>

#include "core/copy.h"
#include "core/cpu/kernels.h"
#include "core/cpu/quantize.h"
#include "core/ops/arguments.h"
#include "core/ops/matmul.h"

namespace hearth::core {

namespace {

constexpr int kGroupSize = 64, kBits = 4;

// Matrix i of a stack of packed matrices whose arrays are row-contiguous.
cpu::QuantizedMatrix packed_matrix(const array& w, const array& scales, const array& biases, int group_size, int bits,
                                   int64_t i = 0) {
  const int64_t n = w.shape(-2), words = w.shape(-1), groups = scales.shape(-1);
  const size_t scale_bytes = i * n * groups * scales.itemsize();
  return {.packed = w.data<uint32_t>() + i * n * words,
          .scales = scales.data<std::byte>() + scale_bytes,
          .biases = biases.data<std::byte>() + scale_bytes,
          .n = n,
          .k = groups * group_size,
          .bits = bits,
          .group_size = group_size};
}

int64_t matrices(const array& w) {
  const int64_t each = static_cast<int64_t>(w.shape(-2)) * w.shape(-1);
  return each == 0 ? 0 : static_cast<int64_t>(w.size()) / each;
}

void dequantize_into(void* out, Dtype t, const cpu::QuantizedMatrix& w) {
  cpu::kernels().dequantize({.type = kernel_type(t), .w = w, .out = out, .out_stride = w.k});
}

// Inputs: x, then w, scales and biases of each matrix. x [..., K]; a product for every matrix. Scales and biases have
// one type for all, and so have the products.
class QuantizedMatmul final : public ComparablePrimitive<QuantizedMatmul> {
 public:
  QuantizedMatmul(Stream s, int group_size, int bits) : ComparablePrimitive(s), group_size_(group_size), bits_(bits) {}
  auto state() const { return std::tie(group_size_, bits_); }
  const char* name() const override { return "QuantizedMatmul"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    std::vector<Shape> shapes;
    for (size_t i = 1; i < inputs.size(); i += 3) {
      shapes.push_back(inputs[0].shape());
      shapes.back().back() = inputs[i].shape(-2);
    }
    return shapes;
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    for (array& out : outputs) allocate(out);
    const array x = row_contiguous(inputs[0]);
    std::vector<array> parts;  // keeps copies that row_contiguous made
    std::vector<cpu::QuantizedProduct> products;
    for (size_t i = 0; i < outputs.size(); ++i) {
      for (size_t part = 1; part <= 3; ++part) parts.push_back(row_contiguous(inputs[3 * i + part]));
      const auto w = packed_matrix(parts[3 * i], parts[3 * i + 1], parts[3 * i + 2], group_size_, bits_);
      if (outputs[i].size() == 0) continue;
      products.push_back(
          {.w = w, .y = outputs[i].data<void>(), .y_stride = w.n, .m = static_cast<int64_t>(outputs[i].size()) / w.n});
    }
    if (products.empty()) return;
    cpu::kernels().quantized_matmul({.x_type = kernel_type(x),
                                     .scale_type = kernel_type(parts[1]),
                                     .y_type = kernel_type(outputs[0]),
                                     .x = x.data<void>(),
                                     .x_stride = products[0].w.k,
                                     .products = products});
  }

 private:
  int group_size_, bits_;
};

// Inputs: w, scales, biases.
class Dequantize final : public ComparablePrimitive<Dequantize> {
 public:
  Dequantize(Stream s, int group_size, int bits) : ComparablePrimitive(s), group_size_(group_size), bits_(bits) {}
  auto state() const { return std::tie(group_size_, bits_); }
  const char* name() const override { return "Dequantize"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    Shape shape = inputs[1].shape();
    shape.back() *= group_size_;
    return {shape};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    allocate(out);
    const array w = row_contiguous(inputs[0]), scales = row_contiguous(inputs[1]), biases = row_contiguous(inputs[2]);
    const int64_t count = matrices(w);
    const size_t bytes = count == 0 ? 0 : out.nbytes() / count;
    for (int64_t i = 0; i < count; ++i) {
      dequantize_into(out.data<std::byte>() + i * bytes, out.dtype(),
                      packed_matrix(w, scales, biases, group_size_, bits_, i));
    }
  }

 private:
  int group_size_, bits_;
};

// Outputs: w, scales, biases.
class Quantize final : public ComparablePrimitive<Quantize> {
 public:
  Quantize(Stream s, int group_size, int bits) : ComparablePrimitive(s), group_size_(group_size), bits_(bits) {}
  auto state() const { return std::tie(group_size_, bits_); }
  const char* name() const override { return "Quantize"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    Shape packed = inputs[0].shape(), groups = inputs[0].shape();
    packed.back() = static_cast<ShapeElem>(int64_t{packed.back()} * bits_ / 32);
    groups.back() /= group_size_;
    return {packed, groups, groups};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    for (array& out : outputs) allocate(out);
    const array w = row_contiguous(inputs[0]);
    if (w.size() == 0) return;
    const int64_t k = w.shape(-1);
    cpu::quantize({.type = kernel_type(w),
                   .w = w.data<void>(),
                   .n = static_cast<int64_t>(w.size()) / k,
                   .k = k,
                   .w_stride = k,
                   .bits = bits_,
                   .group_size = group_size_,
                   .packed = outputs[0].data<uint32_t>(),
                   .scales = outputs[1].data<void>(),
                   .biases = outputs[2].data<void>()});
  }

 private:
  int group_size_, bits_;
};

// Inputs: w, scales, biases, indices.
class TakeDequantized final : public ComparablePrimitive<TakeDequantized> {
 public:
  TakeDequantized(Stream s, int group_size, int bits) : ComparablePrimitive(s), group_size_(group_size), bits_(bits) {}
  auto state() const { return std::tie(group_size_, bits_); }
  const char* name() const override { return "TakeDequantized"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    Shape shape = inputs[3].shape();
    shape.push_back(inputs[1].shape(-1) * group_size_);
    return {shape};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    allocate(out);
    if (out.size() == 0) return;
    const array w = row_contiguous(inputs[0]), scales = row_contiguous(inputs[1]), biases = row_contiguous(inputs[2]);
    const auto table = packed_matrix(w, scales, biases, group_size_, bits_);
    const array indices = dense_copy(inputs[3], int64);
    std::vector<int32_t> rows;
    bool outside = false;
    for (size_t i = 0; i < indices.size(); ++i) {
      const int64_t index = indices.data<int64_t>()[i], row = index < 0 ? index + table.n : index;
      rows.push_back(row >= 0 && row < table.n ? static_cast<int32_t>(row) : -1);
      outside |= rows.back() < 0;
    }
    if (outside) return gather_some(table, rows, out);
    gather(table, rows, out.data<void>(), out.dtype());
  }

 private:
  static void gather(const cpu::QuantizedMatrix& table, std::span<const int32_t> rows, void* out, Dtype t) {
    cpu::kernels().gather_rows_dequantize({.type = kernel_type(t),
                                           .w = table,
                                           .rows = rows.data(),
                                           .count = static_cast<int64_t>(rows.size()),
                                           .out = out,
                                           .out_stride = table.k});
  }

  static void gather_some(const cpu::QuantizedMatrix& table, const std::vector<int32_t>& rows, array& out) {
    const size_t bytes = table.k * out.itemsize();
    auto* to = out.data<std::byte>();
    for (size_t i = 0; i < rows.size(); ++i, to += bytes) {
      std::fill_n(to, bytes, std::byte{0});
      if (rows[i] >= 0) gather(table, {&rows[i], 1}, to, out.dtype());
    }
  }

  int group_size_, bits_;
};

struct Format {
  int group_size, bits;
};

Format checked_format(std::optional<int> group_size, std::optional<int> bits, const std::string& mode,
                      const std::optional<array>& global_scale, const char* op) {
  const Format f{group_size.value_or(kGroupSize), bits.value_or(kBits)};
  if (mode != "affine") invalid("[", op, "] Quantization mode \"", mode, "\" is not supported, only \"affine\".");
  if (global_scale) invalid("[", op, "] A global scale does not apply to mode \"affine\".");
  if (f.group_size != 32 && f.group_size != 64 && f.group_size != 128) {
    invalid("[", op, "] The requested group size ", f.group_size,
            " is not supported. The supported group sizes are 32, 64 and 128.");
  }
  if (f.bits < 2 || f.bits > 8 || f.bits == 7) {
    invalid("[", op, "] The requested number of bits ", f.bits,
            " is not supported. The supported bits are 2, 3, 4, 5, 6 and 8.");
  }
  return f;
}

void require_float(Dtype t, const char* op) {
  if (t != float32 && t != float16 && t != bfloat16)
    invalid("[", op, "] Only real floating types of up to 32 bits are supported, got ", t, ".");
}

void check_packed(const array& w, const array& scales, const std::optional<array>& biases, const Format& f,
                  const char* op) {
  if (w.dtype() != uint32) invalid("[", op, "] The weight matrix should be uint32 but received ", w.dtype());
  if (!biases) invalid("[", op, "] Biases must be provided for affine quantization.");
  if (w.ndim() < 2)
    invalid("[", op, "] The weight matrix should have at least 2 dimensions, got shape ", w.shape(), ".");
  require_float(scales.dtype(), op);
  Shape expected = w.shape();
  const int64_t k = int64_t{w.shape(-1)} * 32 / f.bits;
  expected.back() = static_cast<ShapeElem>(k / f.group_size);
  if (scales.shape() != biases->shape() || scales.shape() != expected || k % f.group_size != 0 ||
      int64_t{w.shape(-1)} * 32 % f.bits != 0) {
    invalid("[", op,
            "] The shapes of the weight and scales are incompatible based on bits and group_size. w.shape() == ",
            w.shape(), ", scales.shape() == ", scales.shape(), ", biases.shape() == ", biases->shape(),
            " with group_size=", f.group_size, " and bits=", f.bits);
  }
}

void check_x(const array& x, const array& w, const array& scales, bool transpose, const Format& f) {
  if (x.ndim() == 0) invalid("[quantized_matmul] Got 0 dimension input. x must have at least one dimension.");
  require_float(x.dtype(), "quantized_matmul");
  const int n = w.shape(-2), k = scales.shape(-1) * f.group_size;
  if (x.shape(-1) != (transpose ? k : n)) {
    invalid("[quantized_matmul] Last dimension of first input with shape ", x.shape(),
            " does not match the expanded quantized matrix (", transpose ? n : k, ",", transpose ? k : n,
            ") computed from shape ", w.shape(), " with group_size=", f.group_size, ", bits=", f.bits,
            " and transpose=", transpose ? "true" : "false");
  }
}

Dtype product_type(const array& x, const array& scales, const array& biases) {
  return promote_types(promote_types(x.dtype(), scales.dtype()), biases.dtype());
}

}  // namespace

array quantized_matmul(const array& x, const array& w, const array& scales, const std::optional<array>& biases,
                       bool transpose, std::optional<int> group_size, std::optional<int> bits, const std::string& mode,
                       StreamOrDevice s) {
  const Format f = checked_format(group_size, bits, mode, std::nullopt, "quantized_matmul");
  check_packed(w, scales, biases, f, "quantized_matmul");
  check_x(x, w, scales, transpose, f);
  if (transpose && w.ndim() == 2) {
    return detail::quantized_matmuls(x, {{w, scales, *biases}}, f.group_size, f.bits, s)[0];
  }
  const Dtype t = product_type(x, scales, *biases);
  const array dense = dequantize(w, astype(scales, t, s), astype(*biases, t, s), f.group_size, f.bits, mode, {}, {}, s);
  return matmul(astype(x, t, s), transpose ? swapaxes(dense, -1, -2, s) : dense, s);
}

std::vector<array> quantize(const array& w, std::optional<int> group_size, std::optional<int> bits,
                            const std::string& mode, const std::optional<array>& global_scale, StreamOrDevice s) {
  const Format f = checked_format(group_size, bits, mode, global_scale, "quantize");
  require_float(w.dtype(), "quantize");
  if (w.ndim() < 2)
    invalid("[quantize] The matrix to be quantized must have at least 2 dimensions, got shape ", w.shape(), ".");
  if (w.shape(-1) % f.group_size != 0) {
    invalid("[quantize] The last dimension of the matrix needs to be divisible by the quantization group size ",
            f.group_size, ". However the provided matrix has shape ", w.shape());
  }
  auto primitive = std::make_shared<Quantize>(to_stream(s), f.group_size, f.bits);
  return array::make_arrays(primitive->output_shapes(Arrays(&w, 1)), {uint32, w.dtype(), w.dtype()}, primitive, {w});
}

array dequantize(const array& w, const array& scales, const std::optional<array>& biases, std::optional<int> group_size,
                 std::optional<int> bits, const std::string& mode, const std::optional<array>& global_scale,
                 std::optional<Dtype> dtype, StreamOrDevice s) {
  const Format f = checked_format(group_size, bits, mode, global_scale, "dequantize");
  check_packed(w, scales, biases, f, "dequantize");
  const array b = astype(*biases, scales.dtype(), s);
  auto primitive = std::make_shared<Dequantize>(to_stream(s), f.group_size, f.bits);
  const array inputs[] = {w, scales, b};
  Shape shape = primitive->output_shapes(inputs)[0];
  const array out(std::move(shape), scales.dtype(), std::move(primitive), {w, scales, b});
  return astype(out, dtype.value_or(scales.dtype()), s);
}

namespace detail {

std::vector<array> quantized_matmuls(const array& x, const std::vector<PackedMatrix>& matrices, int group_size,
                                     int bits, StreamOrDevice s) {
  const Format f = checked_format(group_size, bits, "affine", std::nullopt, "quantized_matmul");
  std::vector<array> inputs = {x};
  Dtype scale_type = matrices.at(0).scales.dtype();
  for (const auto& [w, scales, biases] : matrices) {
    check_packed(w, scales, biases, f, "quantized_matmul");
    if (w.ndim() != 2) invalid("[quantized_matmul] A matrix must have 2 dimensions, got shape ", w.shape(), ".");
    check_x(x, w, scales, /*transpose=*/true, f);
    scale_type = promote_types(scale_type, promote_types(scales.dtype(), biases.dtype()));
  }
  for (const auto& [w, scales, biases] : matrices) {
    inputs.insert(inputs.end(), {w, astype(scales, scale_type, s), astype(biases, scale_type, s)});
  }
  auto primitive = std::make_shared<QuantizedMatmul>(to_stream(s), f.group_size, f.bits);
  std::vector<Shape> shapes = primitive->output_shapes(inputs);
  return array::make_arrays(
      std::move(shapes), std::vector<Dtype>(matrices.size(), promote_types(x.dtype(), scale_type)), primitive, inputs);
}

array take_dequantized(const array& w, const array& scales, const array& biases, const array& indices, int group_size,
                       int bits, StreamOrDevice s) {
  const Format f = checked_format(group_size, bits, "affine", std::nullopt, "take_dequantized");
  check_packed(w, scales, biases, f, "take_dequantized");
  if (w.ndim() != 2) invalid("[take_dequantized] The table must have 2 dimensions, got shape ", w.shape(), ".");
  if (!is_integer(indices.dtype())) invalid("[take_dequantized] Indices must be integral, got ", indices.dtype(), ".");
  Shape shape = indices.shape();
  shape.push_back(scales.shape(-1) * f.group_size);
  return array(std::move(shape), scales.dtype(), std::make_shared<TakeDequantized>(to_stream(s), f.group_size, f.bits),
               {w, scales, astype(biases, scales.dtype(), s), indices});
}

}  // namespace detail

}  // namespace hearth::core
