// Darts-clone's double-array trie, as SentencePiece stores its character map in.
//
// Source: s-yata/darts-clone.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth::text {

class DoubleArray {
 public:
  DoubleArray() = default;
  explicit DoubleArray(std::vector<uint32_t> units) : units_(std::move(units)) {}

  // Calls visit(length, value) for each key that `text` begins with, the shortest first, until it returns false.
  // A key ends before a zero byte. Damaged arrays end the search.
  template <typename Visit>
  void prefixes(std::string_view text, Visit&& visit) const {
    if (units_.empty()) return;
    uint32_t node = offset(units_[0]);
    for (size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<uint8_t>(text[i]);
      if (byte == 0) return;
      node ^= byte;
      if (node >= units_.size()) return;
      const uint32_t unit = units_[node];
      if ((unit & (1u << 31 | 0xFF)) != byte) return;
      node ^= offset(unit);
      if (node >= units_.size()) return;
      if ((unit >> 8 & 1) && !visit(i + 1, units_[node] & 0x7FFFFFFF)) return;
    }
  }

 private:
  static uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
  std::vector<uint32_t> units_;
};

}  // namespace hearth::text
