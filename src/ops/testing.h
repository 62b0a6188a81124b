// For tests of ops and of what stands on them: reproducible arrays, comparisons, and every way the kernels can run.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/isa.h"
#include "core/mx.h"

namespace hearth::testing {

// Normally distributed numbers, the same for the same seed.
inline mx::array random_array(const mx::Shape& shape, uint32_t seed, mx::Dtype type = mx::float32) {
  size_t size = 1;
  for (const int extent : shape) size *= static_cast<size_t>(extent);
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(size);
  for (float& value : values) value = normal(generator);
  mx::array result = mx::astype(mx::array(values.begin(), shape, mx::float32), type);
  result.eval();
  return result;
}

inline std::vector<float> to_floats(const mx::array& x) {
  mx::array dense = mx::contiguous(mx::astype(x, mx::float32));
  dense.eval();
  const float* data = dense.data<float>();
  return {data, data + dense.size()};
}

// The largest difference, as a part of the largest number in `expected`. NaN counts as infinite.
inline float relative_difference(const mx::array& actual, const mx::array& expected) {
  const std::vector<float> a = to_floats(actual), b = to_floats(expected);
  if (a.size() != b.size()) return INFINITY;
  float difference = 0, largest = 1e-30f;
  for (size_t i = 0; i < a.size(); ++i) {
    const float d = std::abs(a[i] - b[i]);
    if (std::isnan(d)) return INFINITY;
    difference = std::max(difference, d);
    largest = std::max(largest, std::abs(b[i]));
  }
  return difference / largest;
}

inline bool same_bits(const mx::array& a, const mx::array& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  mx::array x = mx::contiguous(a), y = mx::contiguous(b);
  mx::eval(x, y);
  return std::memcmp(x.data<char>(), y.data<char>(), x.nbytes()) == 0;
}

// Calls body() with every instruction set of this machine, on one thread and on two; then puts both back.
template <typename Body>
void for_each_way_to_run(Body&& body) {
  const cpu::Isa isa_before = cpu::active_isa();
  const int threads_before = ThreadPool::global().size();
  for (const cpu::Isa isa : cpu::available_isas()) {
    for (const int threads : {1, 2}) {
      cpu::use_isa(isa);
      ThreadPool::global().resize(threads);
      body();
    }
  }
  cpu::use_isa(isa_before);
  ThreadPool::global().resize(threads_before);
}

}  // namespace hearth::testing
