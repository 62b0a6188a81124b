// The float operations of the scalar table: elementwise_inl.h with X = float, on the standard library's functions.
#include <cmath>
#include <type_traits>

#include "core/cpu/scalar_math.h"
#include "core/cpu/scalar_types.h"
#include "core/cpu/tiles.h"

#include "core/cpu/vector_lanes_inl.h"

#include "core/cpu/elementwise_inl.h"

namespace hearth::cpu {
namespace {

template <class Half>
void widen_each(const void* x, void* out, size_t n) {
  for (size_t i = 0; i < n; i++) static_cast<float*>(out)[i] = to_float(static_cast<const Half*>(x)[i]);
}
template <class Half>
void narrow_each(const void* x, void* out, size_t n) {
  for (size_t i = 0; i < n; i++) static_cast<Half*>(out)[i] = from_float<Half>(static_cast<const float*>(x)[i]);
}

constexpr FloatTiles kTiles = {operations_of<float>(), widen_each<Float16>, widen_each<Bfloat16>, narrow_each<Float16>,
                               narrow_each<Bfloat16>};
constexpr TileTable kDoubles = operations_of<double>();

}  // namespace

const FloatTiles& float_tiles_scalar() { return kTiles; }
const TileTable& double_tiles() { return kDoubles; }

void unary_scalar(const UnaryArgs& args) { unary_on(kTiles, args); }
void binary_scalar(const BinaryArgs& args) { binary_on(kTiles, args); }
void copy_scalar(const CopyArgs& args) { copy_on(kTiles, args); }

}  // namespace hearth::cpu
