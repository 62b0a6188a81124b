// The types of an array's elements and the rules by which they mix.
//
// Source: MLX's dtype lattice; float64 exists on the CPU only.
#pragma once

#include <complex>
#include <cstdint>
#include <ostream>
#include <type_traits>

#include "core/half_types.h"

namespace hearth::core {

struct Dtype {
  enum class Val : uint8_t {
    bool_,
    uint8,
    uint16,
    uint32,
    uint64,
    int8,
    int16,
    int32,
    int64,
    float16,
    float32,
    float64,
    bfloat16,
    complex64,
  };
  enum class Kind { b, u, i, f, c, V };  // V: bfloat16, as in NumPy's "void"
  enum class Category {
    complexfloating,
    floating,
    inexact,
    signedinteger,
    unsignedinteger,
    integer,
    number,
    generic,
  };

  constexpr explicit Dtype(Val val, uint8_t size) : val_(val), size_(size) {}
  constexpr operator Val() const { return val_; }
  constexpr Val val() const { return val_; }
  constexpr uint8_t size() const { return size_; }  // bytes

 private:
  Val val_;
  uint8_t size_;
};

inline constexpr Dtype bool_{Dtype::Val::bool_, 1};
inline constexpr Dtype uint8{Dtype::Val::uint8, 1};
inline constexpr Dtype uint16{Dtype::Val::uint16, 2};
inline constexpr Dtype uint32{Dtype::Val::uint32, 4};
inline constexpr Dtype uint64{Dtype::Val::uint64, 8};
inline constexpr Dtype int8{Dtype::Val::int8, 1};
inline constexpr Dtype int16{Dtype::Val::int16, 2};
inline constexpr Dtype int32{Dtype::Val::int32, 4};
inline constexpr Dtype int64{Dtype::Val::int64, 8};
inline constexpr Dtype float16{Dtype::Val::float16, 2};
inline constexpr Dtype float32{Dtype::Val::float32, 4};
inline constexpr Dtype float64{Dtype::Val::float64, 8};
inline constexpr Dtype bfloat16{Dtype::Val::bfloat16, 2};
inline constexpr Dtype complex64{Dtype::Val::complex64, 8};

inline constexpr Dtype::Category complexfloating = Dtype::Category::complexfloating;
inline constexpr Dtype::Category floating = Dtype::Category::floating;
inline constexpr Dtype::Category inexact = Dtype::Category::inexact;
inline constexpr Dtype::Category signedinteger = Dtype::Category::signedinteger;
inline constexpr Dtype::Category unsignedinteger = Dtype::Category::unsignedinteger;
inline constexpr Dtype::Category integer = Dtype::Category::integer;
inline constexpr Dtype::Category number = Dtype::Category::number;
inline constexpr Dtype::Category generic = Dtype::Category::generic;

bool issubdtype(const Dtype& a, const Dtype& b);
bool issubdtype(const Dtype& a, const Dtype::Category& b);
bool issubdtype(const Dtype::Category& a, const Dtype& b);
bool issubdtype(const Dtype::Category& a, const Dtype::Category& b);

// The type of the result when elements of both types meet in one operation.
Dtype promote_types(const Dtype& a, const Dtype& b);

inline uint8_t size_of(const Dtype& t) { return t.size(); }
Dtype::Kind kindof(const Dtype& t);

// "float32", "bfloat16", "bool", ...
const char* dtype_to_string(Dtype t);
std::ostream& operator<<(std::ostream& os, const Dtype& t);

// C++ types that an array's elements can be made from.
template <typename T>
concept Element = std::is_arithmetic_v<T> || std::is_same_v<T, float16_t> || std::is_same_v<T, bfloat16_t> ||
    std::is_same_v<T, complex64_t>;

// The dtype of a C++ type: Dtype d = TypeToDtype<float>();
template <typename T>
struct TypeToDtype {
  constexpr operator Dtype() const {
    if constexpr (std::is_same_v<T, bool>)
      return bool_;
    else if constexpr (std::is_same_v<T, float16_t>)
      return float16;
    else if constexpr (std::is_same_v<T, bfloat16_t>)
      return bfloat16;
    else if constexpr (std::is_same_v<T, float>)
      return float32;
    else if constexpr (std::is_same_v<T, double>)
      return float32;  // as in MLX: a C++ literal must not widen a model
    else if constexpr (std::is_same_v<T, complex64_t> || std::is_same_v<T, std::complex<float>>)
      return complex64;
    else {
      static_assert(std::is_integral_v<T>, "no dtype for this type");
      constexpr bool s = std::is_signed_v<T>;
      if constexpr (sizeof(T) == 1)
        return s ? int8 : uint8;
      else if constexpr (sizeof(T) == 2)
        return s ? int16 : uint16;
      else if constexpr (sizeof(T) == 4)
        return s ? int32 : uint32;
      else
        return s ? int64 : uint64;
    }
  }
};

}  // namespace hearth::core
