#include <cmath>
#include <type_traits>

#include "core/cpu/scalar_math.h"
#include "core/cpu/target.h"
#include "core/cpu/tiles.h"

HEARTH_TARGET_BEGIN_AVX512
#include "core/cpu/vector_avx512_inl.h"

#include "core/cpu/vector_lanes_inl.h"
#include "core/cpu/vector_math_inl.h"

#include "core/cpu/elementwise_inl.h"

namespace hearth::cpu {
namespace {
constexpr FloatTiles kTiles = float_tiles<F32x16>();
}  // namespace

const FloatTiles& float_tiles_avx512() { return kTiles; }

void unary_avx512(const UnaryArgs& args) { unary_on(kTiles, args); }
void binary_avx512(const BinaryArgs& args) { binary_on(kTiles, args); }
void copy_avx512(const CopyArgs& args) { copy_on(kTiles, args); }

}  // namespace hearth::cpu
HEARTH_TARGET_END
