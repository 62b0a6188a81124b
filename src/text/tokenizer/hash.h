// One fast hash for short strings, and the finishing step for integer keys. Not for untrusted adversaries: tables that
// use it bound their probe lengths.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace hearth::text {

inline uint64_t mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash_integer(uint64_t key) { return mix(key ^ 0x9E3779B97F4A7C15u, 0xD6E8FEB86659FD93u); }

inline uint64_t hash_bytes(std::string_view text) {
  const char* p = text.data();
  size_t n = text.size();
  uint64_t hash = 0x2D358DCCAA6C78A5u ^ n;
  uint64_t a = 0, b = 0;
  for (; n > 16; p += 16, n -= 16) {
    std::memcpy(&a, p, 8);
    std::memcpy(&b, p + 8, 8);
    hash = mix(a ^ hash, b ^ 0x8BB84B93962EACC9u);
  }
  if (n >= 8) {
    std::memcpy(&a, p, 8);
    std::memcpy(&b, p + n - 8, 8);
  } else if (n >= 4) {
    uint32_t first, last;
    std::memcpy(&first, p, 4);
    std::memcpy(&last, p + n - 4, 4);
    a = first;
    b = last;
  } else if (n > 0) {
    a = static_cast<uint8_t>(p[0]) | static_cast<uint64_t>(static_cast<uint8_t>(p[n / 2])) << 8 |
        static_cast<uint64_t>(static_cast<uint8_t>(p[n - 1])) << 16;
    b = 0;
  }
  return mix(a ^ hash, b ^ 0x4B33A62ED433D4A3u);
}

// Whether two texts are equal: for short ones a call of memcmp costs more than the comparison.
inline bool equal_bytes(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const char *p = a.data(), *q = b.data();
  size_t n = a.size();
  const auto differ = [&](size_t at, auto word) {
    auto other = word;
    std::memcpy(&word, p + at, sizeof word);
    std::memcpy(&other, q + at, sizeof other);
    return word != other;
  };
  if (n > 32) return std::memcmp(p, q, n) == 0;
  for (; n > 8; n -= 8, p += 8, q += 8)
    if (differ(0, uint64_t{0})) return false;
  if (n == 8) return !differ(0, uint64_t{0});
  if (n >= 4) return !differ(0, uint32_t{0}) && !differ(n - 4, uint32_t{0});
  if (n >= 2) return !differ(0, uint16_t{0}) && !differ(n - 2, uint16_t{0});
  return n == 0 || *p == *q;
}

}  // namespace hearth::text
