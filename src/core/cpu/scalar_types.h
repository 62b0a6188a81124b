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

// Calls f with a value of the float type of 16 or 32 bits that `type` names. Requires is_short_float(type).
template <class F>
void with_short_float(Dtype type, F&& f) {
  switch (type) {
    case Dtype::kFloat16:
      return f(Float16{});
    case Dtype::kBfloat16:
      return f(Bfloat16{});
    default:
      return f(float{});
  }
}

}  // namespace hearth::cpu
