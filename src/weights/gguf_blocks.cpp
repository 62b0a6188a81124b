// Each type has a reader of its own for its layout of bits. Types with a scale for each 32 values are read into groups,
// and their numbers follow from these; the others are read into numbers.
#include "weights/gguf_blocks.h"

#include <cstring>

#include "base/half.h"

namespace hearth::weights {

namespace {

template <typename T>
T number_at(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

float half_at(const std::byte* bytes) { return float16_to_float(number_at<uint16_t>(bytes)); }

int byte_at(const std::byte* bytes, int i) { return std::to_integer<int>(bytes[i]); }

// Byte j holds value j in its low half and value j + 16 in its high half.
void read_nibbles(const std::byte* bytes, std::array<uint8_t, kGgufGroupSize>& q) {
  for (int j = 0; j < 16; ++j) {
    q[j] = static_cast<uint8_t>(bytes[j]) & 0xf;
    q[j + 16] = static_cast<uint8_t>(bytes[j]) >> 4;
  }
}

// Bit j of a 32-bit word is the fifth bit of value j.
void add_fifth_bits(const std::byte* bytes, std::array<uint8_t, kGgufGroupSize>& q) {
  const auto bits = number_at<uint32_t>(bytes);
  for (int j = 0; j < kGgufGroupSize; ++j) q[j] |= ((bits >> j) & 1) << 4;
}

// The 6-bit scale and minimum of each eighth of a Q4_K or Q5_K block, in 12 bytes: four scales and four minima in the
// low 6 bits of bytes 0 to 7; the other four of each have 4 bits in bytes 8 to 11 and 2 bits on top of bytes 0 to 7.
struct ScaleAndMinimum {
  int scale, minimum;
};

ScaleAndMinimum six_bit_pair(const std::byte* packed, int i) {
  if (i < 4) return {byte_at(packed, i) & 63, byte_at(packed, i + 4) & 63};
  const int low = byte_at(packed, i + 4);
  return {(low & 15) | (byte_at(packed, i - 4) >> 6 << 4), (low >> 4) | (byte_at(packed, i) >> 6 << 4)};
}

// Q4_K: d, m, the scales and minima, then 32 bytes for each two groups: low halves, high halves. Q5_K has a byte for
// each of 32 columns in between, whose bit i is the fifth bit of group i.
void read_q4_q5_k(GgufType type, const std::byte* block, std::span<AffineGroup> groups) {
  const bool five_bits = type == GgufType::kQ5_K;
  const float d = half_at(block), m = half_at(block + 2);
  const std::byte *fifth = block + 16, *nibbles = five_bits ? fifth + 32 : fifth;
  for (int i = 0; i < 8; ++i) {
    const auto [scale, minimum] = six_bit_pair(block + 4, i);
    groups[i].scale = d * static_cast<float>(scale);
    groups[i].bias = -(m * static_cast<float>(minimum));
    for (int j = 0; j < kGgufGroupSize; ++j) {
      int q = byte_at(nibbles, i / 2 * 32 + j) >> (i % 2 * 4) & 15;
      if (five_bits) q |= (byte_at(fifth, j) >> i & 1) << 4;
      groups[i].q[j] = static_cast<uint8_t>(q);
    }
  }
}

// Q2_K: 16 bytes of 4-bit scales and minima, 64 bytes of codes, d, m. Here and in Q3_K byte j of each 32 holds values
// j, j + 32, j + 64 and j + 96 of a half of the block, from its low bits up.
void read_q2_k(const std::byte* block, float* values) {
  const std::byte* codes = block + 16;
  const float d = half_at(block + 80), m = half_at(block + 82);
  for (int i = 0; i < 256; ++i) {
    const int pair = byte_at(block, i / 16), q = byte_at(codes, i / 128 * 32 + i % 32) >> (i / 32 % 4 * 2) & 3;
    const float scale = d * static_cast<float>(pair & 15), minimum = m * static_cast<float>(pair >> 4);
    values[i] = scale * static_cast<float>(q) - minimum;
  }
}

// Q3_K: 32 bytes whose bit i / 32 is the third bit of value i, 64 bytes of the other two, 12 bytes of 16 6-bit scales
// (4 bits in bytes 0 to 7, 2 bits in bytes 8 to 11), d.
void read_q3_k(const std::byte* block, float* values) {
  const std::byte *codes = block + 32, *scales = block + 96;
  const float d = half_at(block + 108);
  for (int i = 0; i < 256; ++i) {
    const int s = i / 16, low = byte_at(scales, s % 8) >> (s / 8 * 4) & 15;
    const int scale = (low | (byte_at(scales, 8 + s % 4) >> (s / 4 * 2) & 3) << 4) - 32;
    const int high = byte_at(block, i % 32) >> (i / 32) & 1;
    const int q = (byte_at(codes, i / 128 * 32 + i % 32) >> (i / 32 % 4 * 2) & 3) - (1 - high) * 4;
    values[i] = d * static_cast<float>(scale) * static_cast<float>(q);
  }
}

// Q6_K: 128 bytes of low 4 bits, 64 of high 2 bits, 16 signed scales, d. Of each half of the block, byte j of 64 holds
// the low bits of values j and j + 64, byte j of 32 the high bits of values j, j + 32, j + 64 and j + 96.
void read_q6_k(const std::byte* block, float* values) {
  const std::byte *high = block + 128, *scales = block + 192;
  const float d = half_at(block + 208);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, within = i % 128;
    const int low = byte_at(block, half * 64 + within % 64) >> (within / 64 * 4) & 15;
    const int q = low | (byte_at(high, half * 32 + within % 32) >> (within / 32 * 2) & 3) << 4;
    values[i] = d * static_cast<float>(number_at<int8_t>(scales + i / 16)) * static_cast<float>(q - 32);
  }
}

}  // namespace

int affine_bits(GgufType type) {
  switch (type) {
    case GgufType::kQ4_0:
    case GgufType::kQ4_1:
    case GgufType::kQ4_K: return 4;
    case GgufType::kQ5_0:
    case GgufType::kQ5_1:
    case GgufType::kQ5_K: return 5;
    case GgufType::kQ8_0: return 8;
    default: return 0;
  }
}

bool is_numbers(GgufType type) {
  switch (type) {
    case GgufType::kF32:
    case GgufType::kF16:
    case GgufType::kBF16:
    case GgufType::kQ2_K:
    case GgufType::kQ3_K:
    case GgufType::kQ6_K: return true;
    default: return affine_bits(type) != 0;
  }
}

void read_groups(GgufType type, const std::byte* block, std::span<AffineGroup> groups) {
  if (type == GgufType::kQ4_K || type == GgufType::kQ5_K) return read_q4_q5_k(type, block, groups);
  AffineGroup& group = groups[0];
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
}

void read_values(GgufType type, const std::byte* block, float* values) {
  switch (type) {
    case GgufType::kF32: *values = number_at<float>(block); return;
    case GgufType::kF16: *values = half_at(block); return;
    case GgufType::kBF16: *values = bfloat16_to_float(number_at<uint16_t>(block)); return;
    case GgufType::kQ2_K: return read_q2_k(block, values);
    case GgufType::kQ3_K: return read_q3_k(block, values);
    case GgufType::kQ6_K: return read_q6_k(block, values);
    default: break;
  }
  std::array<AffineGroup, kLargestBlock / kGgufGroupSize> groups;
  const size_t count = block_of(type).values / kGgufGroupSize;
  read_groups(type, block, std::span(groups).first(count));
  for (const AffineGroup& group : std::span(groups).first(count))
    for (const uint8_t q : group.q) *values++ = group.scale * static_cast<float>(q) + group.bias;
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
