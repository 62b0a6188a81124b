// From a dtype at run time to a C++ type at compile time: dispatch_all(t, [&]<typename T>(type_tag<T>) { ... }).
#pragma once

#include <stdexcept>
#include <string>

#include "core/dtype.h"

namespace hearth::core {

template <typename T>
struct type_tag {
  using type = T;
};

template <typename F>
void dispatch_int(Dtype t, F&& f) {
  switch (t) {
    case Dtype::Val::uint8: return f(type_tag<uint8_t>{});
    case Dtype::Val::uint16: return f(type_tag<uint16_t>{});
    case Dtype::Val::uint32: return f(type_tag<uint32_t>{});
    case Dtype::Val::uint64: return f(type_tag<uint64_t>{});
    case Dtype::Val::int8: return f(type_tag<int8_t>{});
    case Dtype::Val::int16: return f(type_tag<int16_t>{});
    case Dtype::Val::int32: return f(type_tag<int32_t>{});
    case Dtype::Val::int64: return f(type_tag<int64_t>{});
    default: throw std::invalid_argument(std::string("integers expected, got ") + dtype_to_string(t));
  }
}

template <typename F>
void dispatch_float(Dtype t, F&& f) {
  switch (t) {
    case Dtype::Val::float16: return f(type_tag<float16_t>{});
    case Dtype::Val::bfloat16: return f(type_tag<bfloat16_t>{});
    case Dtype::Val::float32: return f(type_tag<float>{});
    case Dtype::Val::float64: return f(type_tag<double>{});
    default: throw std::invalid_argument(std::string("floats expected, got ") + dtype_to_string(t));
  }
}

template <typename F>
void dispatch_all(Dtype t, F&& f) {
  if (t == Dtype::Val::bool_) return f(type_tag<bool>{});
  if (t == Dtype::Val::complex64) return f(type_tag<complex64_t>{});
  if (t == Dtype::Val::float16 || t == Dtype::Val::bfloat16 || t == Dtype::Val::float32 || t == Dtype::Val::float64) {
    return dispatch_float(t, f);
  }
  dispatch_int(t, f);
}

}  // namespace hearth::core
