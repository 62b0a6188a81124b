// Elements on the move. Rows that are contiguous on both sides are copied whole; everything else goes through tiles, as
// in elementwise.cpp. A copy without conversion moves bits.
#include "core/cpu/copy.h"

#include <algorithm>
#include <cstring>

#include "base/thread_pool.h"
#include "core/cpu/tile_walk.h"

namespace hearth::cpu {
namespace {

// Rows that are contiguous on both sides, such as keys on their way into a cache.
void copy_rows(const Walk& walk, size_t bytes, const void* from, void* to) {
  const int inner = walk.rank() - 1;
  const int64_t length = walk.length(inner), rows = walk.size() / length;
  parallel_for(rows, std::max<size_t>(1, kTileGrain / length), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      int64_t rest = row, source = 0, target = 0;
      for (int d = inner - 1; d >= 0; d--) {
        source += rest % walk.length(d) * walk.stride(0, d);
        target += rest % walk.length(d) * walk.stride(1, d);
        rest /= walk.length(d);
      }
      std::memcpy(static_cast<char*>(to) + target * bytes, static_cast<const char*>(from) + source * bytes,
                  length * bytes);
    }
  });
}

}  // namespace

void copy_on(const FloatTiles& tiles, const CopyArgs& args) {
  const DenseStrides dense(args.shape, args.rank);
  const Walk walk(args.shape, args.rank, {dense.of(args.x), dense.of({args.out, args.out_strides})});
  if (walk.size() == 0) return;
  const int inner = walk.rank() - 1;
  if (args.from == args.to && inner > 0 && walk.stride(0, inner) == 1 && walk.stride(1, inner) == 1 &&
      walk.length(inner) * size_of(args.to) >= 16) {
    return copy_rows(walk, size_of(args.to), args.x.data, args.out);
  }
  // Between different computing types `convert` does the work; otherwise the source's tile is it already.
  const Dtype from = computing_type(args.from), to = computing_type(args.to);
  const bool as_is = args.from == args.to;
  const UnaryTile convert = from == to ? nullptr : conversion(from, to), narrow = narrowing(tiles, args.to);
  const size_t bytes = size_of(args.to);
  parallel_for(walk.size(), kTileGrain, [&](size_t begin, size_t end) {
    // A copy moves bits: 16-bit floats must not pass through float, which would quiet a NaN.
    const Dtype source_type = as_is && bytes == 2 ? Dtype::kUint16 : args.from;
    TileSource x(tiles, walk, 0, source_type, args.x.data);
    alignas(64) char converted[kTile * 8], narrowed[kTile * 2];
    for (size_t i = begin; i < end; i += kTile) {
      const size_t n = std::min(kTile, end - i);
      const void* values = x.tile(i, n);
      if (convert) convert(values, converted, n), values = converted;
      if (narrow && !as_is) narrow(values, narrowed, n), values = narrowed;
      if (walk.dense(1)) {
        std::memcpy(static_cast<char*>(args.out) + i * bytes, values, n * bytes);
      } else {
        walk.scatter(1, bytes, values, i, n, args.out);
      }
    }
  });
}

void select(const SelectArgs& args) {
  const DenseStrides dense(args.shape, args.rank);
  const Walk walk(args.shape, args.rank, {dense.of(args.condition), dense.of(args.a), dense.of(args.b)});
  const size_t bytes = size_of(args.type);
  const auto choose = [&](auto zero, size_t begin, size_t end) {
    using T = decltype(zero);
    // Only bits are moved, so types of one size share code.
    const Dtype bits = bytes == 1   ? Dtype::kUint8
                       : bytes == 2 ? Dtype::kUint16
                       : bytes == 4 ? Dtype::kUint32
                                    : Dtype::kUint64;
    TileSource condition(float_tiles_scalar(), walk, 0, Dtype::kBool, args.condition.data);
    TileSource a(float_tiles_scalar(), walk, 1, bits, args.a.data), b(float_tiles_scalar(), walk, 2, bits, args.b.data);
    for (size_t i = begin; i < end; i += kTile) {
      const size_t n = std::min(kTile, end - i);
      const bool* mask = static_cast<const bool*>(condition.tile(i, n));
      const T *yes = static_cast<const T*>(a.tile(i, n)), *no = static_cast<const T*>(b.tile(i, n));
      T* out = static_cast<T*>(args.out) + i;
      for (size_t j = 0; j < n; j++) out[j] = mask[j] ? yes[j] : no[j];
    }
  };
  parallel_for(walk.size(), kTileGrain, [&](size_t begin, size_t end) {
    switch (bytes) {
      case 1: return choose(uint8_t{}, begin, end);
      case 2: return choose(uint16_t{}, begin, end);
      case 4: return choose(uint32_t{}, begin, end);
      default: return choose(uint64_t{}, begin, end);
    }
  });
}

void arange(const ArangeArgs& args) {
  const FloatTiles& tiles = float_tiles_scalar();
  const bool integers = args.type != Dtype::kFloat64 && args.type != Dtype::kComplex64 && !is_short_float(args.type);
  const UnaryTile convert = conversion(integers ? Dtype::kInt64 : Dtype::kFloat64, computing_type(args.type));
  parallel_for(args.count, kTileGrain, [&](size_t begin, size_t end) {
    for_each_result_tile(tiles, args.out, args.type, begin, end, [&](int64_t i, size_t n, void* out) {
      int64_t whole[kTile];
      double real[kTile];
      for (size_t j = 0; j < n; j++) {
        const int64_t index = i + static_cast<int64_t>(j);
        whole[j] = static_cast<int64_t>(args.start) + index * static_cast<int64_t>(args.step);
        real[j] = args.start + static_cast<double>(index) * args.step;
      }
      convert(integers ? static_cast<const void*>(whole) : real, out, n);
    });
  });
}

}  // namespace hearth::cpu
