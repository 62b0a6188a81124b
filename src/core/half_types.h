// Element types that C++ lacks: float16_t, bfloat16_t (both compute as float and round once), complex64_t.
#pragma once

#include <complex>
#include <cstdint>
#include <limits>
#include <ostream>
#include <type_traits>

#include "base/half.h"

namespace hearth::core {

struct float16_t {
  uint16_t bits = 0;
  float16_t() = default;
  template <typename T>
    requires(std::is_convertible_v<T, float>)
  float16_t(T value) : bits(float_to_float16(static_cast<float>(value))) {}  // NOLINT: converts like a number
  operator float() const { return float16_to_float(bits); }
};

struct bfloat16_t {
  uint16_t bits = 0;
  bfloat16_t() = default;
  template <typename T>
    requires(std::is_convertible_v<T, float>)
  bfloat16_t(T value) : bits(float_to_bfloat16(static_cast<float>(value))) {}  // NOLINT: converts like a number
  operator float() const { return bfloat16_to_float(bits); }
};

struct complex64_t : std::complex<float> {
  complex64_t() = default;
  complex64_t(float real, float imaginary) : std::complex<float>(real, imaginary) {}
  complex64_t(const std::complex<float>& value) : std::complex<float>(value) {}  // NOLINT: the same number
  template <typename T>
    requires(std::is_convertible_v<T, float> && !std::is_same_v<T, complex64_t>)
  complex64_t(T value) : std::complex<float>(static_cast<float>(value)) {}  // NOLINT: converts like a number
  operator float() const { return real(); }
};

inline std::ostream& operator<<(std::ostream& os, float16_t v) { return os << static_cast<float>(v); }
inline std::ostream& operator<<(std::ostream& os, bfloat16_t v) { return os << static_cast<float>(v); }
inline std::ostream& operator<<(std::ostream& os, const complex64_t& v) {
  return os << v.real() << (v.imag() >= 0 ? "+" : "") << v.imag() << "j";
}

}  // namespace hearth::core
