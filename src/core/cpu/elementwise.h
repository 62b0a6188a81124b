// Operations that look at one element of each operand. Conversion, copy, select and arange: copy.h.
//
// Operands are strided and broadcast; results are dense and row-major unless said otherwise. An operand that is dense
// in some other order is passed as one dimension. The result may lie exactly on an operand of equal element size.
// Semantics are MLX's: float16 and bfloat16 compute in float32 and round once; integers wrap.
// An element's bits depend on its operands alone, not on its place, the strides, the threads or the instruction set.
// docs/add_a_kernel.md adds an operation: an enumerator here and a line in elementwise_inl.h.
#pragma once

#include "core/cpu/copy.h"
#include "core/cpu/dtype.h"

namespace hearth::cpu {

enum class UnaryOp : uint8_t {
  kAbs,
  kArcCos,
  kArcCosh,
  kArcSin,
  kArcSinh,
  kArcTan,
  kArcTanh,
  kBitwiseInvert,
  kCeil,
  kConjugate,
  kCos,
  kCosh,
  kErf,
  kErfInv,
  kExp,
  kExpm1,
  kFloor,
  kImag,
  kIsFinite,
  kIsInf,
  kIsNan,
  kLog,
  kLog10,
  kLog1p,
  kLog2,
  kLogicalNot,
  kNegative,
  kReal,
  kRound,  // half to even
  kRsqrt,
  kSigmoid,
  kSign,
  kSin,
  kSinh,
  kSqrt,
  kSquare,
  kTan,
  kTanh,
  kTrunc,
  kCount,
};

enum class BinaryOp : uint8_t {
  kAdd,
  kArcTan2,
  kBitwiseAnd,
  kBitwiseOr,
  kBitwiseXor,
  kDivide,  // integers divide as integers; mx::divide promotes before
  kEqual,
  kFloorDivide,  // floor(a / b)
  kGreater,
  kGreaterEqual,
  kLeftShift,
  kLess,
  kLessEqual,
  kLogAddExp,
  kLogicalAnd,
  kLogicalOr,
  kMaximum,  // NaN if either is
  kMinimum,
  kMultiply,
  kNanEqual,  // equal, or both NaN
  kNotEqual,
  kPower,
  kRemainder,  // has the divisor's sign
  kRightShift,
  kSubtract,
  kSwiglu,  // silu(a) * b
  kCount,
};

// The result's type for operands of type `type`: bool for comparisons, tests and logic; float32 for abs, real and imag
// of complex64; otherwise `type`.
Dtype result_type(UnaryOp op, Dtype type);
Dtype result_type(BinaryOp op, Dtype type);
// Whether the operation exists for `type`; unary and binary require it. Integers have no transcendental functions
// (MLX promotes first), complex64 no order beyond MLX's lexicographic comparison, floats no bits.
bool supports(UnaryOp op, Dtype type);
bool supports(BinaryOp op, Dtype type);

struct UnaryArgs {
  UnaryOp op;
  Dtype type;  // of x
  Operand x;
  void* out;  // dense, of result_type(op, type)
  const int32_t* shape;
  int rank;
};

struct BinaryArgs {
  BinaryOp op;
  Dtype type;  // of a and b
  Operand a, b;
  void* out;  // dense, of result_type(op, type)
  const int32_t* shape;
  int rank;
};

void unary_scalar(const UnaryArgs& args);
void unary_avx2(const UnaryArgs& args);
void unary_avx512(const UnaryArgs& args);

void binary_scalar(const BinaryArgs& args);
void binary_avx2(const BinaryArgs& args);
void binary_avx512(const BinaryArgs& args);

}  // namespace hearth::cpu
