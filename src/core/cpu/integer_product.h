// Quantized products in integers: how the tables without BF16 compute quantized_matmul, and in which order.
//
// Rounding x: each group of a row (group_size values along K, as W has them) becomes integers of 16 bits: its largest
//          size becomes 32767, and halves go to the even integer. The error is at most 2^-16 of that size. A size below
//          2^-100 counts as 2^-100; so that this loses nothing, rows whose largest size is below 2^-60 are multiplied
//          by 2^64 first, and, so that nothing overflows, those from 2^64 on by 2^-64.
// Sums:    codes stay integers. The largest sum of a group, 128 codes of 255 times 32767, is less than 2^30: none
//          overflows, and integer sums have no order.
// Order:   K is walked in units (UnitFormat), whose codes belong to eight lanes by their place, and in chunks of eight
//          groups. A chunk first adds fma(bias * x's scale, sum of x's integers) of its group g to lane g; then each of
//          its units adds fma(a lane's sum of code * integer, scale * x's scale) to every lane. In the end lanes are
//          added as (0 + 2) + (1 + 3), 4 to 7 alike, then these two; the row's factor multiplies the sum, which is
//          rounded once. One row of x or many, any number of threads, scalar, AVX2 and AVX-512: the same bits.
// Rows with infinities or NaN: integers cannot hold them. They give NaN, or the infinities that floats would give.
#pragma once

#include "core/cpu/product.h"

namespace hearth::cpu {

inline constexpr float kLargestInteger = 32767.0f, kLeastLargest = 0x1p-100f;
inline constexpr int kProductLanes = 8;
inline constexpr int kChunkGroups = 8;  // groups whose scales are looked at together
inline constexpr int kRowsAtOnce = 8;   // rows of W that are stored together

// What a row whose largest size is `largest` is multiplied by before it is rounded.
constexpr float lift_for(float largest) { return largest < 0x1p-60f ? 0x1p64f : largest >= 0x1p64f ? 0x1p-64f : 1.0f; }

// Where the codes of a unit lie. A word of 16 bits holds `planes` codes, a register 16 words, two to a lane; vector
// r * planes + j takes code j of the words of register r.
struct UnitFormat {
  int bits, group_size;

  constexpr int planes() const { return bits == 2 ? 8 : bits <= 4 ? 4 : 2; }
  constexpr int registers() const { return bits > 4 && group_size > 32 ? 2 : 1; }
  constexpr int vectors() const { return planes() * registers(); }
  constexpr int register_codes() const { return 16 * planes(); }
  constexpr int register_bytes() const { return 2 * planes() * bits; }
  constexpr int codes() const { return register_codes() * registers(); }
  constexpr int groups() const { return codes() > group_size ? codes() / group_size : 1; }
  constexpr int lane_of(int code) const { return code % register_codes() / (2 * planes()); }
  constexpr int units_per_chunk() const { return kChunkGroups * group_size / codes(); }
  // Most rows of x in a tile: sums and the vectors of a unit fill 16 registers.
  constexpr int tile_rows() const { return vectors() > 4 ? 4 : 8; }
};

// Up to UnitFormat::tile_rows() rows of x as integers.
struct RoundedTile {
  int rows;        // 1, 2, 4 or 8; the last ones may repeat a row
  int64_t groups;  // of a row, rounded up to whole chunks; the last ones may be zeros
  int16_t* words;  // [units][rows][vectors][16]
  float* scales;   // [rows][groups]
  float* sums;     // [rows][groups]: of a group's integers
  float* factors;  // [rows]: what takes the row's lift back; NaN: the row has infinities or NaN, and is zeros here
};

// A matrix and where its products go.
struct IntegerCall {
  UnitFormat format;
  QuantizedMatrix w;
  Dtype scale_type, y_type;
  void* y;  // [.., N], of the tile's first row
  int64_t y_stride;

  int64_t units() const { return (w.k + format.codes() - 1) / format.codes(); }
  int64_t groups() const { return w.k / w.group_size; }
  int64_t chunks() const { return (groups() + kChunkGroups - 1) / kChunkGroups; }
};

// Rows of W unpacked: up to kPanelCodes codes of kRowsAtOnce rows as words of 16 bits, then their scales and biases.
inline constexpr int64_t kPanelCodes = 1024;
inline constexpr int64_t kPanelWordBytes = kRowsAtOnce * kPanelCodes * 2;
inline constexpr int64_t kCodePanelBytes = kPanelWordBytes + kRowsAtOnce * kPanelCodes / 32 * 2 * sizeof(float);

// What an instruction set brings. Rows [begin, end) of W are at most kRowsAtOnce; lanes are [kRowsAtOnce][tile.rows]
// [kProductLanes].
struct IntegerKernels {
  // Rounds a row of x, k values of `type`, to row `row` of the tile.
  void (*round_row)(const UnitFormat& format, Dtype type, const void* x, int64_t k, int row, const RoundedTile& tile);
  // Lanes of all of K, straight from the codes: W is met once.
  void (*multiply)(const IntegerCall& call, const RoundedTile& tile, int64_t begin, int64_t end, float* lanes);
  // Unpacks chunks [first, last), at most kPanelCodes codes, for tiles that meet them in turn.
  void (*expand)(const IntegerCall& call, int64_t begin, int64_t end, int64_t first, int64_t last, char* panel);
  // Adds these chunks to the lanes that earlier ones left; chunk 0 begins them.
  void (*multiply_expanded)(const IntegerCall& call, const RoundedTile& tile, char* panel, int64_t begin, int64_t end,
                            int64_t first, int64_t last, float* lanes);
  // y of the tile's first `count` rows from their lanes.
  void (*add_lanes)(const IntegerCall& call, const RoundedTile& tile, int count, int64_t begin, int64_t end,
                    const float* lanes);
};

IntegerKernels integer_kernels_scalar();
IntegerKernels integer_kernels_avx2();
IntegerKernels integer_kernels_avx_vnni();  // AVX2 and dot products of integers
IntegerKernels integer_kernels_avx512();
IntegerKernels integer_kernels_avx512_vnni();

void round_row_avx2(const UnitFormat& format, Dtype type, const void* x, int64_t k, int row, const RoundedTile& tile);
void add_lanes_avx2(const IntegerCall& call, const RoundedTile& tile, int count, int64_t begin, int64_t end,
                    const float* lanes);

void run_integer_product(const QuantizedMatmulArgs& args, const IntegerKernels& kernels);

}  // namespace hearth::cpu
