// Private to the elementwise family: each operation exists once per type it computes in, as a function on a tile of
// contiguous elements. float16 and bfloat16 compute in float tiles. What lies where in memory is tile_walk.h's matter.
#pragma once

#include "core/cpu/elementwise.h"

namespace hearth::cpu {

// Elements of a tile: its three buffers of float stay in L1.
inline constexpr size_t kTile = 512;

// n elements, contiguous, of the computing type; out may be an operand. Predicates and comparisons write bool.
using UnaryTile = void (*)(const void* x, void* out, size_t n);
using BinaryTile = void (*)(const void* a, const void* b, void* out, size_t n);

// Operations of one computing type; null where there is none.
struct TileTable {
  UnaryTile unary[static_cast<int>(UnaryOp::kCount)] = {};
  BinaryTile binary[static_cast<int>(BinaryOp::kCount)] = {};

  constexpr UnaryTile& operator[](UnaryOp op) { return unary[static_cast<int>(op)]; }
  constexpr BinaryTile& operator[](BinaryOp op) { return binary[static_cast<int>(op)]; }
  constexpr UnaryTile operator[](UnaryOp op) const { return unary[static_cast<int>(op)]; }
  constexpr BinaryTile operator[](BinaryOp op) const { return binary[static_cast<int>(op)]; }
};

// What an instruction set brings: the float operations and the way to and from 16 bits.
struct FloatTiles {
  TileTable operations;
  UnaryTile from_float16, from_bfloat16, to_float16, to_bfloat16;
};

// The type that `type` is computed in: float32 for the 16-bit floats, otherwise itself.
constexpr Dtype computing_type(Dtype type) { return is_short_float(type) ? Dtype::kFloat32 : type; }

// The operations of a type other than float32 and the 16-bit floats.
const TileTable& tiles_of(Dtype type);

const TileTable& double_tiles();

// Converts between computing types.
UnaryTile conversion(Dtype from, Dtype to);

// The family on given float tiles; the ISA files pass theirs.
void unary_on(const FloatTiles& tiles, const UnaryArgs& args);
void binary_on(const FloatTiles& tiles, const BinaryArgs& args);
void copy_on(const FloatTiles& tiles, const CopyArgs& args);

const FloatTiles& float_tiles_scalar();
const FloatTiles& float_tiles_avx2();
const FloatTiles& float_tiles_avx512();

}  // namespace hearth::cpu
