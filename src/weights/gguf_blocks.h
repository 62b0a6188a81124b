// ggml's quantized blocks: as numbers, and as MLX's affine groups of 32 where those hold them.
//
//   Q4_0  d (q - 8)    -> 4 bits, scale d, bias -8 d       Q4_1  d q + m -> 4 bits, scale d, bias m
//   Q5_0  d (q - 16)   -> 5 bits, scale d, bias -16 d      Q5_1  d q + m -> 5 bits, scale d, bias m
//   Q8_0  d q, signed  -> 8 bits of q + 128, scale d, bias -128 d
//   Q4_K  (d s) q - (m t), s and t of 6 bits for each 32 of 256 values -> 4 bits, scale d s, bias -m t
//   Q5_K  the same with 5 bits
//   Q2_K, Q3_K and Q6_K have a scale for each 16 values: no affine group holds them.
//
// d and m are float16 in the file. The products are exact in float32; for the first five types in float16 too, unless
// they exceed 65,504.
// Source: ggml's block_q4_0 ... block_q6_K; MLX's quantize (values packed from the low bit up, in a stream of uint32).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "weights/gguf.h"

namespace hearth::weights {

constexpr int kGgufGroupSize = 32;
constexpr size_t kLargestBlock = 256;  // values

// Bits per value of the affine groups a block becomes: 4, 5 or 8; 0 for a type that no group holds or that is no
// quantized one.
int affine_bits(GgufType type);

// 32 values q with w = scale * q + bias.
struct AffineGroup {
  std::array<uint8_t, kGgufGroupSize> q;
  float scale, bias;
};

// One block as groups. Requires affine_bits(type) != 0, the block's bytes and room for its values / 32 groups.
void read_groups(GgufType type, const std::byte* block, std::span<AffineGroup> groups);

// One block as numbers, bit for bit as ggml expands it; F32, F16 and BF16 are blocks of one. Requires is_numbers(type),
// the block's bytes and room for its values.
void read_values(GgufType type, const std::byte* block, float* values);

// Whether values of this type can be read: false for integers, F64, and for Q8_1 and Q8_K,
// which are no formats of files.
bool is_numbers(GgufType type);

// Packs 32 values of `bits` bits each into `bits` words, as MLX does.
void pack_group(const std::array<uint8_t, kGgufGroupSize>& q, int bits, uint32_t* words);

}  // namespace hearth::weights
