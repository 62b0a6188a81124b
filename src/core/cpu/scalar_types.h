// One value at a time: 16-bit floats to float and back, and the step from a Dtype to a C++ type.
#pragma once

#include "base/half.h"
#include "core/cpu/dtype.h"

namespace hearth::cpu {

inline float to_float(float x) { return x; }
inline float to_float(Float16 x) { return float16_to_float(x.bits); }
inline float to_float(Bfloat16 x) { return bfloat16_to_float(x.bits); }

template <class T>
T from_float(float x);
template <>
inline float from_float<float>(float x) {
  return x;
}
template <>
inline Float16 from_float<Float16>(float x) {
  return {float_to_float16(x)};
}
template <>
inline Bfloat16 from_float<Bfloat16>(float x) {
  return {float_to_bfloat16(x)};
}

// MLX's order of complex numbers: by the real part, then the imaginary one.
inline bool complex_less(Complex64 a, Complex64 b) {
  return a.real() != b.real() ? a.real() < b.real() : a.imag() < b.imag();
}

// Calls f with a value of the float type of 16 or 32 bits that `type` names. Requires is_short_float(type).
template <class F>
void with_short_float(Dtype type, F&& f) {
  switch (type) {
    case Dtype::kFloat16: return f(Float16{});
    case Dtype::kBfloat16: return f(Bfloat16{});
    default: return f(float{});
  }
}

// Calls f with a value of the computing type that `type` names: 16-bit floats are computed with as floats.
template <class F>
auto with_computing_type(Dtype type, F&& f) {
  switch (type) {
    case Dtype::kBool: return f(bool{});
    case Dtype::kUint8: return f(uint8_t{});
    case Dtype::kUint16: return f(uint16_t{});
    case Dtype::kUint32: return f(uint32_t{});
    case Dtype::kUint64: return f(uint64_t{});
    case Dtype::kInt8: return f(int8_t{});
    case Dtype::kInt16: return f(int16_t{});
    case Dtype::kInt32: return f(int32_t{});
    case Dtype::kInt64: return f(int64_t{});
    case Dtype::kFloat64: return f(double{});
    case Dtype::kComplex64: return f(Complex64{});
    default: return f(float{});
  }
}

// Calls f with a value of the type that `type` names.
template <class F>
auto with_type(Dtype type, F&& f) {
  if (type == Dtype::kFloat16) return f(Float16{});
  if (type == Dtype::kBfloat16) return f(Bfloat16{});
  return with_computing_type(type, f);
}

}  // namespace hearth::cpu
