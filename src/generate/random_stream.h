// The random numbers of one request: number n of a seed is a function of seed and n alone, so a request draws the same
// numbers in any batch, and a stream can be put back to any place.
//
// Source: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014), whose state is a
// counter: output n mixes seed + (n + 1) * 0x9e3779b97f4a7c15.
#pragma once

#include <cstdint>

namespace hearth::generate {

class RandomStream {
 public:
  explicit RandomStream(uint64_t seed) : seed_(seed) {}

  // Uniform in [0, 1): the upper 53 bits of the next output.
  double uniform() {
    uint64_t bits = seed_ + ++drawn_ * 0x9e3779b97f4a7c15ull;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ull;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebull;
    return static_cast<double>((bits ^ (bits >> 31)) >> 11) * 0x1p-53;
  }

  // Numbers drawn so far.
  uint64_t drawn() const { return drawn_; }

 private:
  uint64_t seed_, drawn_ = 0;
};

}  // namespace hearth::generate
