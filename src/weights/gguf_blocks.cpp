#include "weights/gguf_blocks.h"

#include <cstring>

#include "base/half.h"

namespace hearth::weights {

namespace {

float half_at(const std::byte* bytes) {
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  return float16_to_float(bits);
}

// Byte j holds value j in its low half and value j + 16 in its high half.
void read_nibbles(const std::byte* bytes, std::array<uint8_t, kGgufGroupSize>& q) {
  for (int j = 0; j < 16; ++j) {
    q[j] = static_cast<uint8_t>(bytes[j]) & 0xf;
    q[j + 16] = static_cast<uint8_t>(bytes[j]) >> 4;
  }
}

// Bit j of a 32-bit word is the fifth bit of value j.
void add_fifth_bits(const std::byte* bytes, std::array<uint8_t, kGgufGroupSize>& q) {
  uint32_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  for (int j = 0; j < kGgufGroupSize; ++j) q[j] |= ((bits >> j) & 1) << 4;
}

}  // namespace

int affine_bits(GgufType type) {
  switch (type) {
    case GgufType::kQ4_0:
    case GgufType::kQ4_1: return 4;
    case GgufType::kQ5_0:
    case GgufType::kQ5_1: return 5;
    case GgufType::kQ8_0: return 8;
    default: return 0;
  }
}

size_t block_bytes(GgufType type) {
  const bool has_minimum = type == GgufType::kQ4_1 || type == GgufType::kQ5_1;
  return 2 + (has_minimum ? 2 : 0) + static_cast<size_t>(affine_bits(type)) * kGgufGroupSize / 8;
}

AffineGroup read_block(GgufType type, const std::byte* block) {
  AffineGroup group;
  group.scale = half_at(block);
  switch (type) {
    case GgufType::kQ4_0:
      read_nibbles(block + 2, group.q);
      group.bias = -8 * group.scale;
      break;
    case GgufType::kQ4_1:
      read_nibbles(block + 4, group.q);
      group.bias = half_at(block + 2);
      break;
    case GgufType::kQ5_0:
      read_nibbles(block + 6, group.q);
      add_fifth_bits(block + 2, group.q);
      group.bias = -16 * group.scale;
      break;
    case GgufType::kQ5_1:
      read_nibbles(block + 8, group.q);
      add_fifth_bits(block + 4, group.q);
      group.bias = half_at(block + 2);
      break;
    default:  // Q8_0
      for (int j = 0; j < kGgufGroupSize; ++j) group.q[j] = static_cast<uint8_t>(block[2 + j]) ^ 0x80;
      group.bias = -128 * group.scale;
      break;
  }
  return group;
}

void pack_group(const std::array<uint8_t, kGgufGroupSize>& q, int bits, uint32_t* words) {
  uint64_t pending = 0;
  int filled = 0;
  for (uint8_t value : q) {
    pending |= static_cast<uint64_t>(value) << filled;
    filled += bits;
    if (filled < 32) continue;
    *words++ = static_cast<uint32_t>(pending);
    pending >>= 32;
    filled -= 32;
  }
}

}  // namespace hearth::weights
