// One primitive each for all unary and all binary operations, with the operation as its parameter: the kernels know
// them by the same enumeration. Broadcasting happens in the kernel's strides, so x + 1 is one node and no copy.
#include "core/ops/elementwise.h"

#include <cmath>
#include <limits>
#include <memory>

#include "core/copy.h"
#include "core/cpu/elementwise.h"
#include "core/cpu/kernels.h"
#include "core/ops/arguments.h"
#include "core/ops/create.h"
#include "core/ops/operators.h"
#include "core/ops/reduce.h"
#include "core/strided.h"

namespace hearth::core {

namespace {

using cpu::BinaryOp;
using cpu::UnaryOp;

const char* name_of(UnaryOp op) {
  switch (op) {
    case UnaryOp::kAbs: return "Abs";
    case UnaryOp::kArcCos: return "ArcCos";
    case UnaryOp::kArcCosh: return "ArcCosh";
    case UnaryOp::kArcSin: return "ArcSin";
    case UnaryOp::kArcSinh: return "ArcSinh";
    case UnaryOp::kArcTan: return "ArcTan";
    case UnaryOp::kArcTanh: return "ArcTanh";
    case UnaryOp::kBitwiseInvert: return "BitwiseInvert";
    case UnaryOp::kCeil: return "Ceil";
    case UnaryOp::kConjugate: return "Conjugate";
    case UnaryOp::kCos: return "Cos";
    case UnaryOp::kCosh: return "Cosh";
    case UnaryOp::kErf: return "Erf";
    case UnaryOp::kErfInv: return "ErfInv";
    case UnaryOp::kExp: return "Exp";
    case UnaryOp::kExpm1: return "Expm1";
    case UnaryOp::kFloor: return "Floor";
    case UnaryOp::kImag: return "Imag";
    case UnaryOp::kIsFinite: return "IsFinite";
    case UnaryOp::kIsInf: return "IsInf";
    case UnaryOp::kIsNan: return "IsNan";
    case UnaryOp::kLog: return "Log";
    case UnaryOp::kLog10: return "Log10";
    case UnaryOp::kLog1p: return "Log1p";
    case UnaryOp::kLog2: return "Log2";
    case UnaryOp::kLogicalNot: return "LogicalNot";
    case UnaryOp::kNegative: return "Negative";
    case UnaryOp::kReal: return "Real";
    case UnaryOp::kRound: return "Round";
    case UnaryOp::kRsqrt: return "Rsqrt";
    case UnaryOp::kSigmoid: return "Sigmoid";
    case UnaryOp::kSign: return "Sign";
    case UnaryOp::kSin: return "Sin";
    case UnaryOp::kSinh: return "Sinh";
    case UnaryOp::kSqrt: return "Sqrt";
    case UnaryOp::kSquare: return "Square";
    case UnaryOp::kTan: return "Tan";
    case UnaryOp::kTanh: return "Tanh";
    case UnaryOp::kTrunc: return "Trunc";
    default: return "Unary";
  }
}

const char* name_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd: return "Add";
    case BinaryOp::kArcTan2: return "ArcTan2";
    case BinaryOp::kBitwiseAnd: return "BitwiseAnd";
    case BinaryOp::kBitwiseOr: return "BitwiseOr";
    case BinaryOp::kBitwiseXor: return "BitwiseXor";
    case BinaryOp::kDivide: return "Divide";
    case BinaryOp::kEqual: return "Equal";
    case BinaryOp::kFloorDivide: return "FloorDivide";
    case BinaryOp::kGreater: return "Greater";
    case BinaryOp::kGreaterEqual: return "GreaterEqual";
    case BinaryOp::kLeftShift: return "LeftShift";
    case BinaryOp::kLess: return "Less";
    case BinaryOp::kLessEqual: return "LessEqual";
    case BinaryOp::kLogAddExp: return "LogAddExp";
    case BinaryOp::kLogicalAnd: return "LogicalAnd";
    case BinaryOp::kLogicalOr: return "LogicalOr";
    case BinaryOp::kMaximum: return "Maximum";
    case BinaryOp::kMinimum: return "Minimum";
    case BinaryOp::kMultiply: return "Multiply";
    case BinaryOp::kNanEqual: return "NanEqual";
    case BinaryOp::kNotEqual: return "NotEqual";
    case BinaryOp::kPower: return "Power";
    case BinaryOp::kRemainder: return "Remainder";
    case BinaryOp::kRightShift: return "RightShift";
    case BinaryOp::kSubtract: return "Subtract";
    default: return "Binary";
  }
}

// Memory of the input's layout: an element of the output lies where that of the input does. Broadcast ones stay one.
void allocate_like(array& out, const array& in) {
  if (in.is_donatable() && in.itemsize() == out.itemsize()) {
    out.set_data(in.storage(), in.data_size(), in.strides(), in.flags(), in.offset());
  } else {
    out.set_data(Storage::allocate(in.data_size() * out.itemsize()), in.data_size(), in.strides(), in.flags());
  }
}

bool one_stretch(const array& a) { return a.flags().contiguous && a.data_size() <= INT32_MAX; }

class Unary final : public ComparablePrimitive<Unary> {
 public:
  Unary(Stream s, UnaryOp op) : ComparablePrimitive(s), op_(op) {}
  auto state() const { return std::tie(op_); }
  const char* name() const override { return name_of(op_); }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    array& out = outputs[0];
    if (one_stretch(x)) {
      const void* from = x.data<void>();
      allocate_like(out, x);
      const int32_t count = static_cast<int32_t>(x.data_size());
      cpu::kernels().unary({op_, kernel_type(x), {from, nullptr}, out.data<void>(), &count, 1});
      return;
    }
    allocate(out);
    const auto walk = merge_axes<1>(x.shape(), {x.strides()});
    cpu::kernels().unary({op_,
                          kernel_type(x),
                          {x.data<void>(), walk.strides[0].data()},
                          out.data<void>(),
                          walk.shape.data(),
                          static_cast<int>(walk.shape.size())});
  }

 private:
  UnaryOp op_;
};

class Binary final : public ComparablePrimitive<Binary> {
 public:
  Binary(Stream s, BinaryOp op) : ComparablePrimitive(s), op_(op) {}
  auto state() const { return std::tie(op_); }
  const char* name() const override { return name_of(op_); }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    return {broadcast_shapes(inputs[0].shape(), inputs[1].shape(), name())};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array &a = inputs[0], &b = inputs[1];
    array& out = outputs[0];
    const cpu::Operand x{a.data<void>()}, y{b.data<void>()};
    // [4, 1] and [4] have one size, but make 16.
    const bool same_shape = a.size() == out.size() && b.size() == out.size();
    if (same_shape && a.flags().row_contiguous && b.flags().row_contiguous && out.size() <= INT32_MAX) {
      if (!donate(out, a)) allocate_or_donate(out, b);
      const int32_t count = static_cast<int32_t>(out.size());
      cpu::kernels().binary({op_, kernel_type(a), x, y, out.data<void>(), &count, 1});
      return;
    }
    if (!donate(out, a)) allocate_or_donate(out, b);
    const auto walk =
        merge_axes<2>(out.shape(), {broadcast_strides(a, out.shape()), broadcast_strides(b, out.shape())});
    cpu::kernels().binary({op_,
                           kernel_type(a),
                           {x.data, walk.strides[0].data()},
                           {y.data, walk.strides[1].data()},
                           out.data<void>(),
                           walk.shape.data(),
                           static_cast<int>(walk.shape.size())});
  }

 private:
  BinaryOp op_;
};

class Select final : public ComparablePrimitive<Select> {
 public:
  using ComparablePrimitive::ComparablePrimitive;
  auto state() const { return std::tuple(); }
  const char* name() const override { return "Select"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    return {
        broadcast_shapes(broadcast_shapes(inputs[0].shape(), inputs[1].shape(), "where"), inputs[2].shape(), "where")};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    const void* data[3];
    for (int i = 0; i < 3; ++i) data[i] = inputs[i].data<void>();
    if (!donate(out, inputs[1])) allocate_or_donate(out, inputs[2]);
    const Shape& shape = out.shape();
    const auto walk = merge_axes<3>(shape, {broadcast_strides(inputs[0], shape), broadcast_strides(inputs[1], shape),
                                            broadcast_strides(inputs[2], shape)});
    cpu::select({.type = kernel_type(out),
                 .condition = {data[0], walk.strides[0].data()},
                 .a = {data[1], walk.strides[1].data()},
                 .b = {data[2], walk.strides[2].data()},
                 .out = out.data<void>(),
                 .shape = walk.shape.data(),
                 .rank = static_cast<int>(walk.shape.size())});
  }
};

class AsType final : public ComparablePrimitive<AsType> {
 public:
  AsType(Stream s, Dtype dtype) : ComparablePrimitive(s), dtype_(dtype.val()) {}
  auto state() const { return std::tie(dtype_); }
  const char* name() const override { return "AsType"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    array& out = outputs[0];
    if (!one_stretch(x)) {
      allocate(out);
      return copy_into(x, out.data<void>(), out.dtype(), out.strides());
    }
    const void* from = x.data<void>();
    allocate_like(out, x);
    const int32_t count = static_cast<int32_t>(x.data_size());
    cpu::kernels().copy({kernel_type(x), kernel_type(out), {from, nullptr}, out.data<void>(), nullptr, &count, 1});
  }

 private:
  Dtype::Val dtype_;
};

// The input's memory under the same shape: copy(), stop_gradient().
class Same final : public ComparablePrimitive<Same> {
 public:
  Same(Stream s, const char* name) : ComparablePrimitive(s), name_(name) {}
  auto state() const { return std::tuple(std::string_view(name_)); }
  const char* name() const override { return name_; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    outputs[0].set_data(x.storage(), x.data_size(), x.strides(), x.flags(), x.offset());
  }

 private:
  const char* name_;
};

class View final : public ComparablePrimitive<View> {
 public:
  View(Stream s, Dtype dtype) : ComparablePrimitive(s), dtype_(dtype) {}
  auto state() const { return std::tuple(dtype_.val()); }
  const char* name() const override { return "View"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    Shape shape = inputs[0].shape();
    if (!shape.empty()) shape.back() = static_cast<ShapeElem>(shape.back() * inputs[0].itemsize() / dtype_.size());
    return {shape};
  }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array& x = inputs[0];
    if (x.itemsize() == outputs[0].itemsize()) {
      return outputs[0].set_data(x.storage(), x.data_size(), x.strides(), x.flags(), x.offset());
    }
    share(outputs[0], row_contiguous(x));
  }

 private:
  Dtype dtype_;
};

array unary(UnaryOp op, const array& a, const StreamOrDevice& s) {
  const auto out = static_cast<Dtype::Val>(cpu::result_type(op, kernel_type(a)));
  const Dtype dtype = out == a.dtype() ? a.dtype() : out == Dtype::Val::bool_ ? bool_ : float32;
  return array(a.shape(), dtype, std::make_shared<Unary>(to_stream(s), op), {a});
}

array unary_float(UnaryOp op, const array& a, const StreamOrDevice& s) {
  return unary(op, astype(a, at_least_float(a.dtype()), s), s);
}

bool gives_bool(BinaryOp op) { return cpu::result_type(op, cpu::Dtype::kFloat32) == cpu::Dtype::kBool; }

array binary_as(BinaryOp op, Dtype t, const char* op_name, const array& a, const array& b, const StreamOrDevice& s) {
  if (!cpu::supports(op, kernel_type(t))) invalid("[", op_name, "] Not supported for ", t, ".");
  Shape shape = broadcast_shapes(a.shape(), b.shape(), op_name);
  const Dtype out = gives_bool(op) ? bool_ : t;
  auto primitive = std::make_shared<Binary>(to_stream(s), op);
  if (a.dtype() == t && b.dtype() == t) return array(std::move(shape), out, std::move(primitive), {a, b});
  return array(std::move(shape), out, std::move(primitive), {astype(a, t, s), astype(b, t, s)});
}

array binary(BinaryOp op, const char* op_name, const array& a, const array& b, const StreamOrDevice& s) {
  return binary_as(op, promote_types(a.dtype(), b.dtype()), op_name, a, b, s);
}

array bitwise(BinaryOp op, const char* op_name, const array& a, const array& b, const StreamOrDevice& s) {
  const Dtype t = promote_types(a.dtype(), b.dtype());
  if (!is_integer(t) && t != bool_) {
    invalid("[", op_name, "] Only allowed on integer or boolean types but got types ", a.dtype(), " and ", b.dtype(),
            ".");
  }
  return binary_as(op, t, op_name, a, b, s);
}

array shift(BinaryOp op, const char* op_name, const array& a, const array& b, const StreamOrDevice& s) {
  if (result_type(a, b) == bool_) return bitwise(op, op_name, astype(a, uint8, s), astype(b, uint8, s), s);
  return bitwise(op, op_name, a, b, s);
}

array rounded(UnaryOp op, const char* op_name, const array& a, const StreamOrDevice& s) {
  if (a.dtype() == complex64) invalid("[", op_name, "] Not supported for complex64.");
  return is_floating(a.dtype()) ? unary(op, a, s) : a;
}

array false_like(const array& a, const StreamOrDevice& s) { return full(a.shape(), false, bool_, s); }

}  // namespace

array astype(array a, Dtype dtype, StreamOrDevice s) {
  if (a.dtype() == dtype) return a;
  return array(a.shape(), dtype, std::make_shared<AsType>(to_stream(s), dtype), {a});
}

array view(const array& a, const Dtype& dtype, StreamOrDevice s) {
  if (a.dtype() == dtype) return a;
  Shape shape = a.shape();
  const size_t from = a.itemsize(), to = dtype.size();
  if (shape.empty() && from != to) invalid("[view] Changing the element size of a scalar is not allowed.");
  if (!shape.empty()) {
    const size_t bytes = shape.back() * from;
    if (bytes % to != 0) invalid("[view] The last axis has ", bytes, " bytes, which is not a multiple of ", to, ".");
    shape.back() = static_cast<ShapeElem>(bytes / to);
  }
  return array(std::move(shape), dtype, std::make_shared<View>(to_stream(s), dtype), {a});
}

array copy(array a, StreamOrDevice s) {
  return array(a.shape(), a.dtype(), std::make_shared<Same>(to_stream(s), "Copy"), {a});
}
array stop_gradient(const array& a, StreamOrDevice s) {
  return array(a.shape(), a.dtype(), std::make_shared<Same>(to_stream(s), "StopGradient"), {a});
}
array positive(const array& a, StreamOrDevice) { return a; }

array abs(const array& a, StreamOrDevice s) {
  if (issubdtype(a.dtype(), unsignedinteger) || a.dtype() == bool_) return a;
  return unary(UnaryOp::kAbs, a, s);
}
array negative(const array& a, StreamOrDevice s) {
  if (a.dtype() == bool_) invalid("[negative] Not supported for bool, use logical_not instead.");
  return unary(UnaryOp::kNegative, a, s);
}
array sign(const array& a, StreamOrDevice s) { return a.dtype() == bool_ ? a : unary(UnaryOp::kSign, a, s); }
array reciprocal(const array& a, StreamOrDevice s) {
  const Dtype t = at_least_float(a.dtype());
  return divide(array(1.0f, t), a, s);
}
array floor(const array& a, StreamOrDevice s) { return rounded(UnaryOp::kFloor, "floor", a, s); }
array ceil(const array& a, StreamOrDevice s) { return rounded(UnaryOp::kCeil, "ceil", a, s); }
array trunc(const array& a, StreamOrDevice s) { return rounded(UnaryOp::kTrunc, "trunc", a, s); }
array round(const array& a, StreamOrDevice s) { return round(a, 0, s); }
array round(const array& a, int decimals, StreamOrDevice s) {
  if (decimals == 0)
    return a.dtype() == complex64 ? unary(UnaryOp::kRound, a, s) : rounded(UnaryOp::kRound, "round", a, s);
  const Dtype t = at_least_float(a.dtype());
  const float scale = std::pow(10.0f, static_cast<float>(decimals));
  const array scaled = unary(UnaryOp::kRound, multiply(a, array(scale, t), s), s);
  return astype(multiply(scaled, array(1 / scale, t), s), a.dtype(), s);
}
array square(const array& a, StreamOrDevice s) { return unary(UnaryOp::kSquare, a, s); }
array sqrt(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kSqrt, a, s); }
array rsqrt(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kRsqrt, a, s); }
array exp(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kExp, a, s); }
array expm1(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kExpm1, a, s); }
array log(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kLog, a, s); }
array log2(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kLog2, a, s); }
array log10(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kLog10, a, s); }
array log1p(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kLog1p, a, s); }
array sigmoid(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kSigmoid, a, s); }
array erf(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kErf, a, s); }
array erfinv(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kErfInv, a, s); }
array sin(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kSin, a, s); }
array cos(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kCos, a, s); }
array tan(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kTan, a, s); }
array arcsin(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kArcSin, a, s); }
array arccos(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kArcCos, a, s); }
array arctan(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kArcTan, a, s); }
array sinh(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kSinh, a, s); }
array cosh(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kCosh, a, s); }
array tanh(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kTanh, a, s); }
array arcsinh(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kArcSinh, a, s); }
array arccosh(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kArcCosh, a, s); }
array arctanh(const array& a, StreamOrDevice s) { return unary_float(UnaryOp::kArcTanh, a, s); }
array degrees(const array& a, StreamOrDevice s) {
  const Dtype t = at_least_float(a.dtype());
  return multiply(a, array(180.0 / M_PI, t), s);
}
array radians(const array& a, StreamOrDevice s) {
  const Dtype t = at_least_float(a.dtype());
  return multiply(a, array(M_PI / 180.0, t), s);
}
array conjugate(const array& a, StreamOrDevice s) {
  return a.dtype() == complex64 ? unary(UnaryOp::kConjugate, a, s) : a;
}
array real(const array& a, StreamOrDevice s) { return a.dtype() == complex64 ? unary(UnaryOp::kReal, a, s) : a; }
array imag(const array& a, StreamOrDevice s) {
  return a.dtype() == complex64 ? unary(UnaryOp::kImag, a, s) : zeros_like(a, s);
}

array isnan(const array& a, StreamOrDevice s) {
  return issubdtype(a.dtype(), inexact) ? unary(UnaryOp::kIsNan, a, s) : false_like(a, s);
}
array isinf(const array& a, StreamOrDevice s) {
  return issubdtype(a.dtype(), inexact) ? unary(UnaryOp::kIsInf, a, s) : false_like(a, s);
}
array isfinite(const array& a, StreamOrDevice s) {
  return issubdtype(a.dtype(), inexact) ? unary(UnaryOp::kIsFinite, a, s) : full(a.shape(), true, bool_, s);
}
array isposinf(const array& a, StreamOrDevice s) {
  if (!is_floating(a.dtype())) return false_like(a, s);
  return equal(a, array(std::numeric_limits<float>::infinity(), a.dtype()), s);
}
array isneginf(const array& a, StreamOrDevice s) {
  if (!is_floating(a.dtype())) return false_like(a, s);
  return equal(a, array(-std::numeric_limits<float>::infinity(), a.dtype()), s);
}

namespace {

// The largest finite value of a float type.
array largest(Dtype t) {
  if (t == float16) return array(65504.0f, float16);
  if (t == bfloat16) return array(bfloat16_to_float(0x7f7f), bfloat16);
  if (t == float32) return array(std::numeric_limits<float>::max());
  const double most = std::numeric_limits<double>::max();
  return array(&most, Shape{}, float64);
}

}  // namespace

array nan_to_num(const array& a, float nan, std::optional<float> posinf, std::optional<float> neginf,
                 StreamOrDevice s) {
  if (!is_floating(a.dtype())) return a;
  const Dtype t = a.dtype();
  array out = where(isnan(a, s), array(nan, t), a, s);
  out = where(isposinf(a, s), posinf ? array(*posinf, t) : largest(t), out, s);
  return where(isneginf(a, s), neginf ? array(*neginf, t) : negative(largest(t), s), out, s);
}

array add(const array& a, const array& b, StreamOrDevice s) { return binary(BinaryOp::kAdd, "add", a, b, s); }
array subtract(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kSubtract, "subtract", a, b, s);
}
array multiply(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kMultiply, "multiply", a, b, s);
}
array divide(const array& a, const array& b, StreamOrDevice s) {
  return binary_as(BinaryOp::kDivide, at_least_float(result_type(a, b)), "divide", a, b, s);
}
array floor_divide(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kFloorDivide, "floor_divide", a, b, s);
}
array remainder(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kRemainder, "remainder", a, b, s);
}
std::vector<array> divmod(const array& a, const array& b, StreamOrDevice s) {
  return {floor_divide(a, b, s), remainder(a, b, s)};
}
array power(const array& a, const array& b, StreamOrDevice s) { return binary(BinaryOp::kPower, "power", a, b, s); }
array maximum(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kMaximum, "maximum", a, b, s);
}
array minimum(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kMinimum, "minimum", a, b, s);
}
array logaddexp(const array& a, const array& b, StreamOrDevice s) {
  return binary_as(BinaryOp::kLogAddExp, at_least_float(result_type(a, b)), "logaddexp", a, b, s);
}
array arctan2(const array& a, const array& b, StreamOrDevice s) {
  return binary_as(BinaryOp::kArcTan2, at_least_float(result_type(a, b)), "arctan2", a, b, s);
}

array equal(const array& a, const array& b, StreamOrDevice s) { return binary(BinaryOp::kEqual, "equal", a, b, s); }
array not_equal(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kNotEqual, "not_equal", a, b, s);
}
array greater(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kGreater, "greater", a, b, s);
}
array greater_equal(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kGreaterEqual, "greater_equal", a, b, s);
}
array less(const array& a, const array& b, StreamOrDevice s) { return binary(BinaryOp::kLess, "less", a, b, s); }
array less_equal(const array& a, const array& b, StreamOrDevice s) {
  return binary(BinaryOp::kLessEqual, "less_equal", a, b, s);
}

array isclose(const array& a, const array& b, double rtol, double atol, bool equal_nan, StreamOrDevice s) {
  // |a - b| <= atol + rtol |b|, with infinities equal to themselves only.
  const Dtype t = at_least_float(result_type(a, b));
  const array x = astype(a, t, s), y = astype(b, t, s);
  const array bound = add(array(atol, t), multiply(array(rtol, t), abs(y, s), s), s);
  array close = less_equal(abs(subtract(x, y, s), s), bound, s);
  close = where(logical_or(isinf(x, s), isinf(y, s), s), equal(x, y, s), close, s);
  return equal_nan ? logical_or(close, logical_and(isnan(x, s), isnan(y, s), s), s) : close;
}

array array_equal(const array& a, const array& b, bool equal_nan, StreamOrDevice s) {
  if (a.shape() != b.shape()) return array(false);
  return all(binary(equal_nan ? BinaryOp::kNanEqual : BinaryOp::kEqual, "array_equal", a, b, s), false, s);
}
array array_equal(const array& a, const array& b, StreamOrDevice s) { return array_equal(a, b, false, s); }
array allclose(const array& a, const array& b, double rtol, double atol, bool equal_nan, StreamOrDevice s) {
  return all(isclose(a, b, rtol, atol, equal_nan, s), false, s);
}

array logical_not(const array& a, StreamOrDevice s) { return unary(UnaryOp::kLogicalNot, astype(a, bool_, s), s); }
array logical_and(const array& a, const array& b, StreamOrDevice s) {
  return binary_as(BinaryOp::kLogicalAnd, bool_, "logical_and", a, b, s);
}
array logical_or(const array& a, const array& b, StreamOrDevice s) {
  return binary_as(BinaryOp::kLogicalOr, bool_, "logical_or", a, b, s);
}
array logical_xor(const array& a, const array& b, StreamOrDevice s) {
  return binary_as(BinaryOp::kNotEqual, bool_, "logical_xor", a, b, s);
}
array bitwise_and(const array& a, const array& b, StreamOrDevice s) {
  return bitwise(BinaryOp::kBitwiseAnd, "bitwise_and", a, b, s);
}
array bitwise_or(const array& a, const array& b, StreamOrDevice s) {
  return bitwise(BinaryOp::kBitwiseOr, "bitwise_or", a, b, s);
}
array bitwise_xor(const array& a, const array& b, StreamOrDevice s) {
  return bitwise(BinaryOp::kBitwiseXor, "bitwise_xor", a, b, s);
}
array left_shift(const array& a, const array& b, StreamOrDevice s) {
  return shift(BinaryOp::kLeftShift, "left_shift", a, b, s);
}
array right_shift(const array& a, const array& b, StreamOrDevice s) {
  return shift(BinaryOp::kRightShift, "right_shift", a, b, s);
}
array bitwise_invert(const array& a, StreamOrDevice s) {
  if (!is_integer(a.dtype()) && a.dtype() != bool_)
    invalid("[bitwise_invert] Bitwise inverse only allowed on integer types.");
  return unary(UnaryOp::kBitwiseInvert, a, s);
}

array where(const array& condition, const array& x, const array& y, StreamOrDevice s) {
  const Dtype t = promote_types(x.dtype(), y.dtype());
  Shape shape = broadcast_shapes(broadcast_shapes(condition.shape(), x.shape(), "where"), y.shape(), "where");
  return array(std::move(shape), t, std::make_shared<Select>(to_stream(s)),
               {astype(condition, bool_, s), astype(x, t, s), astype(y, t, s)});
}

array clip(const array& a, const std::optional<array>& a_min, const std::optional<array>& a_max, StreamOrDevice s) {
  if (!a_min && !a_max) invalid("[clip] At most one of a_min and a_max may be None.");
  const array out = a_min ? maximum(a, *a_min, s) : a;
  return a_max ? minimum(out, *a_max, s) : out;
}

}  // namespace hearth::core
