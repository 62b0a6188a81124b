// For the product tests: matrices of any float type and packed ones, badly aligned and with guards around them.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "base/half.h"
#include "core/cpu/dtype.h"
#include "core/cpu/quantize.h"

namespace hearth::cpu {

inline float get(Dtype type, const char* p, int64_t i) {
  if (type == Dtype::kFloat32) {
    float value;
    std::memcpy(&value, p + 4 * i, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, p + 2 * i, 2);
  return type == Dtype::kFloat16 ? float16_to_float(bits) : bfloat16_to_float(bits);
}

inline void set(Dtype type, char* p, int64_t i, float value) {
  if (type == Dtype::kFloat32) {
    std::memcpy(p + 4 * i, &value, 4);
    return;
  }
  const uint16_t bits = type == Dtype::kFloat16 ? float_to_float16(value) : float_to_bfloat16(value);
  std::memcpy(p + 2 * i, &bits, 2);
}

// Rows of numbers one element past an aligned address, followed by a guard that kernels must not write.
struct Matrix {
  static constexpr unsigned char kPoison = 0xcb;
  Dtype type;
  int64_t rows, columns, stride;
  std::vector<char> memory;

  Matrix(Dtype t, int64_t r, int64_t c, int64_t gap = 0)
      : type(t),
        rows(r),
        columns(c),
        stride(c + gap),
        memory(size_of(t) * (r * (c + gap) + 1) + 64, static_cast<char>(kPoison)) {}

  char* data() { return memory.data() + size_of(type); }
  const char* data() const { return memory.data() + size_of(type); }
  float at(int64_t r, int64_t c) const { return get(type, data(), r * stride + c); }
  const char* row(int64_t r) const { return data() + size_of(type) * r * stride; }
  size_t row_bytes() const { return size_of(type) * columns; }

  Matrix& randomize(unsigned seed, float spread) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, spread);
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t c = 0; c < columns; c++) set(type, data(), r * stride + c, normal(random));
    }
    return *this;
  }
  bool untouched_outside() const {
    for (int64_t r = 0; r < rows; r++) {
      for (const char* p = row(r) + row_bytes(); p < row(r) + size_of(type) * stride; p++) {
        if (static_cast<unsigned char>(*p) != kPoison) return false;
      }
    }
    for (const char* p = row(rows); p < memory.data() + memory.size(); p++) {
      if (static_cast<unsigned char>(*p) != kPoison) return false;
    }
    return true;
  }
};

struct Packed {
  Matrix scales, biases;
  std::vector<char> codes;  // at an odd address
  QuantizedMatrix matrix;

  Packed(const Matrix& w, int bits, int group)
      : scales(w.type, w.rows, w.columns / group),
        biases(w.type, w.rows, w.columns / group),
        codes(static_cast<size_t>(1 + w.rows * w.columns * bits / 8)) {
    matrix = {.packed = reinterpret_cast<const uint32_t*>(codes.data() + 1),
              .scales = scales.data(),
              .biases = biases.data(),
              .n = w.rows,
              .k = w.columns,
              .bits = bits,
              .group_size = group};
    quantize({.type = w.type,
              .w = w.data(),
              .n = w.rows,
              .k = w.columns,
              .w_stride = w.stride,
              .bits = bits,
              .group_size = group,
              .packed = reinterpret_cast<uint32_t*>(codes.data() + 1),
              .scales = scales.data(),
              .biases = biases.data()});
  }
};

inline testing::AssertionResult same_rows(const Matrix& a, const Matrix& b, int64_t rows) {
  for (int64_t r = 0; r < rows; r++) {
    if (std::memcmp(a.row(r), b.row(r), a.row_bytes()) == 0) continue;
    for (int64_t c = 0; c < a.columns; c++) {
      if (std::memcmp(a.row(r) + c * size_of(a.type), b.row(r) + c * size_of(a.type), size_of(a.type)) == 0) continue;
      return testing::AssertionFailure() << "row " << r << " of " << rows << ", column " << c << ": " << a.at(r, c)
                                         << " and " << b.at(r, c);
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace hearth::cpu
