// min, max and fill for code inside target regions (target.h): with internal linkage, so that no copy compiled for a
// newer CPU can become everyone's.
#pragma once

#include <cstddef>

namespace hearth::cpu {
namespace {

template <class T>
[[maybe_unused]] constexpr T min_of(T a, T b) {
  return b < a ? b : a;
}
template <class T>
[[maybe_unused]] constexpr T max_of(T a, T b) {
  return a < b ? b : a;
}
template <class T>
[[maybe_unused]] constexpr T clamp_to(T x, T low, T high) {
  return min_of(max_of(x, low), high);
}
template <class T>
[[maybe_unused]] void fill(T* to, size_t count, T value) {
  for (size_t i = 0; i < count; i++) to[i] = value;
}

}  // namespace
}  // namespace hearth::cpu
