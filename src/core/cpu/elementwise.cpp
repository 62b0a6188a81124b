// What runs an operation over memory: tiles of the operands are brought into the computing type, the operation's tile
// function works on them, the result is narrowed to where it belongs. Dense operands of the computing type are used in
// place. Which function, and on which elements it is called together, changes no bit of the result.
#include "core/cpu/elementwise.h"

#include "base/thread_pool.h"
#include "core/cpu/tile_walk.h"

namespace hearth::cpu {
namespace {

const TileTable& table_for(const FloatTiles& tiles, Dtype type) {
  return is_short_float(type) ? tiles.operations : tiles_of(type);
}

}  // namespace

void unary_on(const FloatTiles& tiles, const UnaryArgs& args) {
  const DenseStrides dense(args.shape, args.rank);
  const Walk walk(args.shape, args.rank, {dense.of(args.x)});
  const UnaryTile operation = table_for(tiles, args.type)[args.op];
  const Dtype out_type = result_type(args.op, args.type);
  parallel_for(walk.size(), kTileGrain, [&](size_t begin, size_t end) {
    TileSource x(tiles, walk, 0, args.type, args.x.data);
    for_each_result_tile(tiles, args.out, out_type, begin, end,
                         [&](int64_t i, size_t n, void* out) { operation(x.tile(i, n), out, n); });
  });
}

void binary_on(const FloatTiles& tiles, const BinaryArgs& args) {
  const DenseStrides dense(args.shape, args.rank);
  const Walk walk(args.shape, args.rank, {dense.of(args.a), dense.of(args.b)});
  const BinaryTile operation = table_for(tiles, args.type)[args.op];
  const Dtype out_type = result_type(args.op, args.type);
  parallel_for(walk.size(), kTileGrain, [&](size_t begin, size_t end) {
    TileSource a(tiles, walk, 0, args.type, args.a.data), b(tiles, walk, 1, args.type, args.b.data);
    for_each_result_tile(tiles, args.out, out_type, begin, end,
                         [&](int64_t i, size_t n, void* out) { operation(a.tile(i, n), b.tile(i, n), out, n); });
  });
}

Dtype result_type(UnaryOp op, Dtype type) {
  switch (op) {
    case UnaryOp::kIsFinite:
    case UnaryOp::kIsInf:
    case UnaryOp::kIsNan:
    case UnaryOp::kLogicalNot: return Dtype::kBool;
    case UnaryOp::kAbs:
    case UnaryOp::kReal:
    case UnaryOp::kImag: return type == Dtype::kComplex64 ? Dtype::kFloat32 : type;
    default: return type;
  }
}

Dtype result_type(BinaryOp op, Dtype type) {
  switch (op) {
    case BinaryOp::kEqual:
    case BinaryOp::kGreater:
    case BinaryOp::kGreaterEqual:
    case BinaryOp::kLess:
    case BinaryOp::kLessEqual:
    case BinaryOp::kLogicalAnd:
    case BinaryOp::kLogicalOr:
    case BinaryOp::kNanEqual:
    case BinaryOp::kNotEqual: return Dtype::kBool;
    default: return type;
  }
}

bool supports(UnaryOp op, Dtype type) { return table_for(float_tiles_scalar(), type)[op] != nullptr; }
bool supports(BinaryOp op, Dtype type) { return table_for(float_tiles_scalar(), type)[op] != nullptr; }

}  // namespace hearth::cpu
