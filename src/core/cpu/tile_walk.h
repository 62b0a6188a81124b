// Private to the elementwise and reduction families: from strided, broadcast operands to contiguous tiles and back.
#pragma once

#include <algorithm>
#include <initializer_list>

#include "core/cpu/tiles.h"

namespace hearth::cpu {

// The same walk over up to kOperands operands with as few dimensions as possible: sizes of 1 are dropped, neighbours
// that all operands step through evenly are joined. An operand that is dense over the whole walk ends up with one
// dimension of stride 1 when it is alone.
class Walk {
 public:
  static constexpr int kOperands = 4, kMaxRank = 32;

  // Throws std::invalid_argument beyond kMaxRank dimensions that cannot be joined.
  Walk(const int32_t* shape, int rank, std::initializer_list<const int64_t*> strides);

  int rank() const { return rank_; }
  int64_t size() const { return size_; }
  int64_t length(int dimension) const { return shape_[dimension]; }
  int64_t stride(int operand, int dimension) const { return strides_[operand][dimension]; }

  // Element i of the walk lies at data + i, or all lie at data.
  bool dense(int operand) const { return rank_ == 0 || (rank_ == 1 && strides_[operand][0] == 1); }
  bool constant(int operand) const;

  // Copies elements [begin, begin + n) of the walk between memory and a contiguous buffer. `bytes` is an element's
  // size.
  void gather(int operand, size_t bytes, const void* data, int64_t begin, size_t n, void* buffer) const;
  void scatter(int operand, size_t bytes, const void* buffer, int64_t begin, size_t n, void* data) const;

 private:
  template <class F>
  void for_each_stretch(int operand, int64_t begin, size_t n, F&& f) const;

  int rank_ = 0;
  int64_t size_ = 1;
  int64_t shape_[kMaxRank];
  int64_t strides_[kOperands][kMaxRank];
};

// The elements of one operand as tiles of its computing type.
class TileSource {
 public:
  TileSource(const FloatTiles& tiles, const Walk& walk, int operand, Dtype type, const void* data);

  // n <= kTile elements from `begin` of the walk; the operand's own memory when it can be used as it is, otherwise the
  // source's buffer, valid until the next call.
  const void* tile(int64_t begin, size_t n);

 private:
  const Walk& walk_;
  const int operand_;
  const size_t bytes_;
  const char* const data_;
  const bool dense_, constant_;
  const UnaryTile widen_;
  bool filled_ = false;
  alignas(64) char stored_[kTile * 8];
  alignas(64) char wide_[kTile * 4];
};

// Strides of a dense array of this shape, for operands that name none.
struct DenseStrides {
  int64_t strides[Walk::kMaxRank];
  DenseStrides(const int32_t* shape, int rank);
  const int64_t* of(const Operand& x) const { return x.strides ? x.strides : strides; }
};

// To float of a 16-bit type, or null.
UnaryTile widening(const FloatTiles& tiles, Dtype type);
UnaryTile narrowing(const FloatTiles& tiles, Dtype type);

// Elements a thread takes at a time: an addition of that many takes about 2 us from L2.
inline constexpr size_t kTileGrain = 32 * kTile;

// Calls f(begin, n, out) for every tile of a dense result; f fills out with the computing type's elements.
template <class F>
void for_each_result_tile(const FloatTiles& tiles, void* result, Dtype type, int64_t begin, int64_t end, F&& f) {
  const UnaryTile narrow = narrowing(tiles, type);
  alignas(64) float wide[kTile];
  for (int64_t i = begin; i < end; i += kTile) {
    const size_t n = std::min<int64_t>(kTile, end - i);
    char* place = static_cast<char*>(result) + i * size_of(type);
    f(i, n, narrow ? static_cast<void*>(wide) : place);
    if (narrow) narrow(wide, place, n);
  }
}

}  // namespace hearth::cpu
