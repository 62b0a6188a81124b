// Passes over a whole row of logits, written so that compilers turn them into vector code.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace hearth::generate {

// The first of the largest values; NaN is never chosen. values not empty.
int32_t argmax(std::span<const float> values);

// The sum of exp(value - largest), in an order fixed by the row's length alone. Requires values <= largest.
double exp_sum(std::span<const float> values, float largest);

// exp(x) for x <= 0, with a relative error below 2e-7; 0 below -87 and for NaN. No branches, no
// calls: libm's expf takes half a millisecond for a vocabulary of 150,000. Source: Cephes expf, 2^n times a polynomial
// of degree 6 on [-ln 2 / 2, ln 2 / 2].
inline float exp_of_negative(float x) {
  const uint32_t in_range = -static_cast<uint32_t>(x > -87.0f);  // as a mask: a choice would become a branch
  const float clamped = std::bit_cast<float>(std::bit_cast<uint32_t>(x) & in_range);
  const float shifted = clamped * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the integer part lands in the low bits
  const float n = shifted - 12582912.0f;
  const float r = (clamped - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const uint32_t bits = std::bit_cast<uint32_t>(p) + (std::bit_cast<uint32_t>(shifted) << 23);
  return std::bit_cast<float>(bits & in_range);
}

}  // namespace hearth::generate
