// For the kernel tests: elements of any type, read and written as double, with poison around them.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "base/half.h"
#include "core/cpu/dtype.h"

namespace hearth::cpu {

inline constexpr Dtype kShortFloats[] = {Dtype::kFloat32, Dtype::kFloat16, Dtype::kBfloat16};

// Half an ulp, relative.
inline double rounding(Dtype type) {
  return type == Dtype::kFloat16    ? 0x1p-11
         : type == Dtype::kBfloat16 ? 0x1p-8
         : type == Dtype::kFloat64  ? 0x1p-53
                                    : 0x1p-24;
}

// Starts out as all ones: NaN in every float type, so that an element nobody wrote is seen.
class TestValues {
 public:
  TestValues(Dtype type, size_t count, size_t misaligned = 0)
      : type_(type), count_(count), skip_(misaligned * size_of(type)), storage_(count * size_of(type) + skip_, 0xff) {}

  size_t size() const { return count_; }
  void* data() { return storage_.data() + skip_; }
  void* at(size_t i) { return storage_.data() + skip_ + i * size_of(type_); }
  const void* at(size_t i) const { return storage_.data() + skip_ + i * size_of(type_); }
  std::span<const uint8_t> raw() const { return {storage_.data() + skip_, count_ * size_of(type_)}; }
  std::vector<uint8_t> bytes() const { return {raw().begin(), raw().end()}; }

  double operator[](size_t i) const {
    switch (type_) {
      case Dtype::kBool: return get<uint8_t>(i) != 0;
      case Dtype::kUint8: return get<uint8_t>(i);
      case Dtype::kUint16: return get<uint16_t>(i);
      case Dtype::kUint32: return get<uint32_t>(i);
      case Dtype::kUint64: return static_cast<double>(get<uint64_t>(i));
      case Dtype::kInt8: return get<int8_t>(i);
      case Dtype::kInt16: return get<int16_t>(i);
      case Dtype::kInt32: return get<int32_t>(i);
      case Dtype::kInt64: return static_cast<double>(get<int64_t>(i));
      case Dtype::kFloat16: return float16_to_float(get<uint16_t>(i));
      case Dtype::kBfloat16: return bfloat16_to_float(get<uint16_t>(i));
      case Dtype::kFloat64: return get<double>(i);
      default: return get<float>(i);
    }
  }

  void set(size_t i, double value) {
    switch (type_) {
      case Dtype::kBool: return put(i, static_cast<uint8_t>(value != 0));
      case Dtype::kUint8: return put(i, static_cast<uint8_t>(value));
      case Dtype::kUint16: return put(i, static_cast<uint16_t>(value));
      case Dtype::kUint32: return put(i, static_cast<uint32_t>(value));
      case Dtype::kUint64: return put(i, static_cast<uint64_t>(value));
      case Dtype::kInt8: return put(i, static_cast<int8_t>(value));
      case Dtype::kInt16: return put(i, static_cast<int16_t>(value));
      case Dtype::kInt32: return put(i, static_cast<int32_t>(value));
      case Dtype::kInt64: return put(i, static_cast<int64_t>(value));
      case Dtype::kFloat16: return put(i, float_to_float16(static_cast<float>(value)));
      case Dtype::kBfloat16: return put(i, float_to_bfloat16(static_cast<float>(value)));
      case Dtype::kFloat64: return put(i, value);
      case Dtype::kComplex64: return put(i, Complex64(static_cast<float>(value), 0));
      default: return put(i, static_cast<float>(value));
    }
  }

 private:
  template <class T>
  T get(size_t i) const {
    T value;
    std::memcpy(&value, at(i), sizeof(T));
    return value;
  }
  template <class T>
  void put(size_t i, T value) {
    std::memcpy(at(i), &value, sizeof(T));
  }

  Dtype type_;
  size_t count_, skip_;
  std::vector<uint8_t> storage_;
};

// `value` as an element of `type` holds it.
inline double round_to(Dtype type, double value) {
  TestValues one(type, 1);
  one.set(0, value);
  return one[0];
}

// Normally distributed.
inline TestValues random_values(Dtype type, size_t count, unsigned seed, size_t misaligned = 0) {
  TestValues values(type, count, misaligned);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (size_t i = 0; i < count; i++) values.set(i, normal(random));
  return values;
}

}  // namespace hearth::cpu
