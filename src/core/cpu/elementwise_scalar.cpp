// The float operations of the scalar table, with the bits of the others: elementwise_inl.h with X = F32x1; and those of
// doubles, which have no other version.
#include <cmath>
#include <type_traits>

#include "core/cpu/tiles.h"
#include "core/cpu/vector_scalar.h"

#include "core/cpu/vector_lanes_inl.h"
#include "core/cpu/vector_math_inl.h"

#include "core/cpu/elementwise_inl.h"

namespace hearth::cpu {
namespace {

constexpr FloatTiles kTiles = float_tiles<F32x1>();
constexpr TileTable kDoubles = operations_of<double>();

}  // namespace

const FloatTiles& float_tiles_scalar() { return kTiles; }
const TileTable& double_tiles() { return kDoubles; }

void unary_scalar(const UnaryArgs& args) { unary_on(kTiles, args); }
void binary_scalar(const BinaryArgs& args) { binary_on(kTiles, args); }
void copy_scalar(const CopyArgs& args) { copy_on(kTiles, args); }

}  // namespace hearth::cpu
