// ggml's quantized blocks as MLX's affine groups: both hold 32 values that share a scale, so nothing is lost.
//
//   Q4_0  d (q - 8)    -> 4 bits, scale d, bias -8 d       Q4_1  d q + m -> 4 bits, scale d, bias m
//   Q5_0  d (q - 16)   -> 5 bits, scale d, bias -16 d      Q5_1  d q + m -> 5 bits, scale d, bias m
//   Q8_0  d q, signed  -> 8 bits of q + 128, scale d, bias -128 d
//
// d and m are float16 in the file; the products are exact in float, and in float16 unless they exceed 65,504.
// Source: ggml's block_q4_0 ... block_q8_0; MLX's quantize (values packed from the low bit up, in a stream of uint32).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "weights/gguf.h"

namespace hearth::weights {

constexpr int kGgufGroupSize = 32;

// Bits per value of the affine group a block becomes: 4, 5 or 8; 0 for a type that is not one of the five above.
int affine_bits(GgufType type);

// Bytes of one block. Requires affine_bits(type) != 0.
size_t block_bytes(GgufType type);

// One block: values q with w = scale * q + bias.
struct AffineGroup {
  std::array<uint8_t, kGgufGroupSize> q;
  float scale, bias;
};

// Requires affine_bits(type) != 0 and block_bytes(type) readable bytes.
AffineGroup read_block(GgufType type, const std::byte* block);

// Packs 32 values of `bits` bits each into `bits` words, as MLX does.
void pack_group(const std::array<uint8_t, kGgufGroupSize>& q, int bits, uint32_t* words);

}  // namespace hearth::weights
