// A walk is a mixed-radix counter: `begin` is split into coordinates once a tile, then the innermost dimension is
// copied stretch by stretch and the outer coordinates are counted up.
#include "core/cpu/tile_walk.h"

#include <cstring>
#include <stdexcept>

namespace hearth::cpu {
namespace {

template <class T>
void copy_stretch(T* to, int64_t to_stride, const T* from, int64_t from_stride, int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
    std::memcpy(to, from, n * sizeof(T));
  } else if (to_stride == 1 && from_stride == 0) {
    std::fill_n(to, n, *from);
  } else {
    for (int64_t i = 0; i < n; i++) to[i * to_stride] = from[i * from_stride];
  }
}

// Calls f with a value of an unsigned type of `bytes` bytes.
template <class F>
void with_size(size_t bytes, F&& f) {
  switch (bytes) {
    case 1: return f(uint8_t{});
    case 2: return f(uint16_t{});
    case 4: return f(uint32_t{});
    default: return f(uint64_t{});
  }
}

}  // namespace

DenseStrides::DenseStrides(const int32_t* shape, int rank) {
  if (rank > Walk::kMaxRank) throw std::invalid_argument("[elementwise] more than 32 dimensions");
  int64_t stride = 1;
  for (int d = rank - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d];
  }
}

Walk::Walk(const int32_t* shape, int rank, std::initializer_list<const int64_t*> strides) {
  const int operands = static_cast<int>(strides.size());
  const auto joins = [&](int d) {
    for (int k = 0; k < operands; k++) {
      if (strides_[k][rank_ - 1] != strides.begin()[k][d] * shape[d]) return false;
    }
    return true;
  };
  for (int d = 0; d < rank; d++) {
    size_ *= shape[d];
    if (shape[d] == 1) continue;
    if (rank_ > 0 && joins(d)) {
      shape_[rank_ - 1] *= shape[d];
    } else {
      if (rank_ == kMaxRank) throw std::invalid_argument("[elementwise] more than 32 dimensions");
      shape_[rank_++] = shape[d];
    }
    for (int k = 0; k < operands; k++) strides_[k][rank_ - 1] = strides.begin()[k][d];
  }
}

bool Walk::constant(int operand) const {
  return std::all_of(strides_[operand], strides_[operand] + rank_, [](int64_t stride) { return stride == 0; });
}

// f(offset of the stretch's first element, stride, elements done before, length)
template <class F>
void Walk::for_each_stretch(int operand, int64_t begin, size_t n, F&& f) const {
  const int64_t* strides = strides_[operand];
  if (rank_ == 0) return f(int64_t{0}, int64_t{0}, size_t{0}, n);
  int64_t at[kMaxRank], offset = 0;
  for (int d = rank_ - 1; d >= 0; d--) {
    at[d] = begin % shape_[d];
    begin /= shape_[d];
    offset += at[d] * strides[d];
  }
  const int inner = rank_ - 1;
  for (size_t done = 0; done < n;) {
    const size_t length = std::min<size_t>(n - done, shape_[inner] - at[inner]);
    f(offset, strides[inner], done, length);
    done += length;
    offset -= at[inner] * strides[inner];
    at[inner] = 0;
    for (int d = inner - 1; d >= 0; d--) {
      offset += strides[d];
      if (++at[d] < shape_[d]) break;
      offset -= at[d] * strides[d];
      at[d] = 0;
    }
  }
}

void Walk::gather(int operand, size_t bytes, const void* data, int64_t begin, size_t n, void* buffer) const {
  with_size(bytes, [&](auto zero) {
    using T = decltype(zero);
    for_each_stretch(operand, begin, n, [&](int64_t offset, int64_t stride, size_t done, size_t length) {
      copy_stretch(static_cast<T*>(buffer) + done, 1, static_cast<const T*>(data) + offset, stride, length);
    });
  });
}

void Walk::scatter(int operand, size_t bytes, const void* buffer, int64_t begin, size_t n, void* data) const {
  with_size(bytes, [&](auto zero) {
    using T = decltype(zero);
    for_each_stretch(operand, begin, n, [&](int64_t offset, int64_t stride, size_t done, size_t length) {
      copy_stretch(static_cast<T*>(data) + offset, stride, static_cast<const T*>(buffer) + done, 1, length);
    });
  });
}

TileSource::TileSource(const FloatTiles& tiles, const Walk& walk, int operand, Dtype type, const void* data)
    : walk_(walk),
      operand_(operand),
      bytes_(size_of(type)),
      data_(static_cast<const char*>(data)),
      dense_(walk.dense(operand)),
      constant_(!dense_ && walk.constant(operand)),
      widen_(widening(tiles, type)) {}

const void* TileSource::tile(int64_t begin, size_t n) {
  const void* stored = data_ + begin * bytes_;
  if (!dense_) {
    if (!(constant_ && filled_)) {
      const size_t count = constant_ ? std::min<int64_t>(kTile, walk_.size()) : n;
      walk_.gather(operand_, bytes_, data_, constant_ ? 0 : begin, count, stored_);
      if (widen_) widen_(stored_, wide_, count);
      filled_ = true;
    }
    return widen_ ? wide_ : stored_;
  }
  if (!widen_) return stored;
  widen_(stored, wide_, n);
  return wide_;
}

UnaryTile widening(const FloatTiles& tiles, Dtype type) {
  if (type == Dtype::kFloat16) return tiles.from_float16;
  return type == Dtype::kBfloat16 ? tiles.from_bfloat16 : nullptr;
}

UnaryTile narrowing(const FloatTiles& tiles, Dtype type) {
  if (type == Dtype::kFloat16) return tiles.to_float16;
  return type == Dtype::kBfloat16 ? tiles.to_bfloat16 : nullptr;
}

}  // namespace hearth::cpu
