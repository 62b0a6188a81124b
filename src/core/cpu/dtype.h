// The element types kernels know: MLX's, in MLX's order, so that an array's dtype converts by value.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>

namespace hearth::cpu {

enum class Dtype : uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kFloat32,
  kFloat64,
  kBfloat16,
  kComplex64,
};

// Bytes of one element.
constexpr size_t size_of(Dtype type) {
  switch (type) {
    case Dtype::kBool:
    case Dtype::kUint8:
    case Dtype::kInt8: return 1;
    case Dtype::kUint16:
    case Dtype::kInt16:
    case Dtype::kFloat16:
    case Dtype::kBfloat16: return 2;
    case Dtype::kUint32:
    case Dtype::kInt32:
    case Dtype::kFloat32: return 4;
    case Dtype::kUint64:
    case Dtype::kInt64:
    case Dtype::kFloat64:
    case Dtype::kComplex64: return 8;
  }
  return 0;
}

// float16, bfloat16 and float32: computed in float lanes, rounded once when stored.
constexpr bool is_short_float(Dtype type) {
  return type == Dtype::kFloat16 || type == Dtype::kFloat32 || type == Dtype::kBfloat16;
}

// The bits of a 16-bit float as they lie in memory.
struct Float16 {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};
using Complex64 = std::complex<float>;

// Where an operand's elements lie: (i0, i1, ...) is at data + i0 * strides[0] + i1 * strides[1] + ..., counted in
// elements; a stride of 0 repeats. strides == nullptr means dense and row-major.
struct Operand {
  const void* data = nullptr;
  const int64_t* strides = nullptr;
};

}  // namespace hearth::cpu
