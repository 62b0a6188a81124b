// How reductions walk: the reduced axes lie last, so a row is n neighbours of the walk; it is folded tile by tile into
// sixteen lanes, which are then joined in halves. Results of up to a tile of rows are converted together.
#include "core/cpu/reduce.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/folds.h"
#include "core/cpu/scalar_types.h"
#include "core/cpu/tile_walk.h"

namespace hearth::cpu {
namespace {

template <class T>
bool is_nan(T x) {
  if constexpr (std::is_integral_v<T>) {
    return false;
  } else {
    return !(x == x);
  }
}

template <class T>
bool comes_before(T a, T b) {
  if constexpr (std::is_same_v<T, Complex64>) {
    return complex_less(a, b);
  } else {
    return a < b;
  }
}

struct Sum {
  template <class T>
  static T neutral() {
    return T(0);
  }
  template <class T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct Product {
  template <class T>
  static T neutral() {
    return T(1);
  }
  template <class T>
  T operator()(T a, T b) const {
    return a * b;
  }
};
struct Max {
  template <class T>
  static T neutral() {
    if constexpr (std::is_integral_v<T>) return std::numeric_limits<T>::lowest();
    return T(-std::numeric_limits<float>::infinity());
  }
  template <class T>
  T operator()(T a, T b) const {
    return is_nan(a) || comes_before(b, a) ? a : b;
  }
};
struct Min {
  template <class T>
  static T neutral() {
    if constexpr (std::is_integral_v<T>) return std::numeric_limits<T>::max();
    return T(std::numeric_limits<float>::infinity());
  }
  template <class T>
  T operator()(T a, T b) const {
    return is_nan(a) || comes_before(a, b) ? a : b;
  }
};

// T: the computing type; A: the lanes' type.
template <class T, class A, class F>
struct Folding {
  static void start(void* lanes) { std::fill_n(static_cast<A*>(lanes), kFoldLanes, F::template neutral<A>()); }
  static void fold(const void* from, size_t n, void* to) {
    const T* x = static_cast<const T*>(from);
    A* lanes = static_cast<A*>(to);
    for (size_t i = 0; i < n; i++) lanes[i % kFoldLanes] = F{}(lanes[i % kFoldLanes], static_cast<A>(x[i]));
  }
  static void finish(void* to) {
    A* lanes = static_cast<A*>(to);
    for (int width = kFoldLanes / 2; width > 0; width /= 2) {
      for (int i = 0; i < width; i++) lanes[i] = F{}(lanes[i], lanes[i + width]);
    }
  }
  static constexpr FoldFunctions kFunctions = {start, fold, finish};
};

// 64-bit lanes for integers; unsigned arithmetic, because signed may not wrap.
template <class T>
using SumLane = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;

template <class T>
constexpr FoldTable kFoldTable = {Folding<T, SumLane<T>, Sum>::kFunctions, Folding<T, SumLane<T>, Product>::kFunctions,
                                  Folding<T, T, Max>::kFunctions, Folding<T, T, Min>::kFunctions};

// The type of the lanes, as a Dtype; the bits of signed sums are read as such.
Dtype lane_type(ReduceOp op, Dtype type) {
  const Dtype computing = computing_type(type);
  if (op == ReduceOp::kMax || op == ReduceOp::kMin) return computing;
  switch (computing) {
    case Dtype::kFloat32:
    case Dtype::kFloat64:
    case Dtype::kComplex64: return computing;
    case Dtype::kInt8:
    case Dtype::kInt16:
    case Dtype::kInt32:
    case Dtype::kInt64: return Dtype::kInt64;
    default: return Dtype::kUint64;
  }
}

FoldFunctions functions_for(const FloatFolds& folds, int fold, Dtype type) {
  FoldFunctions f = folds_of(computing_type(type))[fold];
  if (is_short_float(type)) f.fold = folds.fold[fold];
  return f;
}

// The walk of an operand whose last `reduced` dimensions make up a row.
struct Rows {
  DenseStrides dense;
  Walk walk;
  int64_t count = 1, length = 1;

  Rows(const Operand& x, const int32_t* shape, int rank, int reduced)
      : dense(shape, rank), walk(shape, rank, {dense.of(x)}) {
    for (int d = 0; d < rank; d++) (d < rank - reduced ? count : length) *= shape[d];
  }
  size_t grain() const { return std::max<int64_t>(1, int64_t{kTileGrain} / std::max<int64_t>(1, length)); }
};

// Calls f(index in the row, tile, n) for the tiles of a row until it returns false.
template <class F>
void for_each_tile(TileSource& source, int64_t row, int64_t length, F&& f) {
  for (int64_t i = 0; i < length; i += kTile) {
    const size_t n = std::min<int64_t>(kTile, length - i);
    if (!f(i, source.tile(row * length + i, n), n)) return;
  }
}

// Collects one value a row and stores them converted, kTile at a time.
class ResultWriter {
 public:
  ResultWriter(const FloatTiles& tiles, Dtype from, Dtype to, void* out, int64_t row)
      : bytes_(size_of(from)),
        to_(to),
        convert_(conversion(from, computing_type(to))),
        narrow_(narrowing(tiles, to)),
        out_(static_cast<char*>(out)),
        row_(row) {}
  ~ResultWriter() { flush(); }

  void add(const void* value) {
    std::memcpy(values_ + count_++ * bytes_, value, bytes_);
    if (count_ == kTile) flush();
  }

 private:
  void flush() {
    alignas(64) char converted[kTile * 8];
    char* place = out_ + row_ * size_of(to_);
    convert_(values_, narrow_ ? converted : place, count_);
    if (narrow_) narrow_(converted, place, count_);
    row_ += count_;
    count_ = 0;
  }

  const size_t bytes_;
  const Dtype to_;
  const UnaryTile convert_, narrow_;
  char* const out_;
  int64_t row_;
  size_t count_ = 0;
  alignas(64) char values_[kTile * 8];
};

// all and any, with x != 0 for each element.
void reduce_truth(const FloatFolds& folds, const ReduceArgs& args, const Rows& rows) {
  const bool decided_by = args.op == ReduceOp::kAny;
  const UnaryTile truth = conversion(computing_type(args.type), Dtype::kBool);
  const UnaryTile write = conversion(Dtype::kBool, computing_type(args.out_type));
  const UnaryTile narrow = narrowing(*folds.tiles, args.out_type);
  parallel_for(rows.count, rows.grain(), [&](size_t begin, size_t end) {
    TileSource x(*folds.tiles, rows.walk, 0, args.type, args.x.data);
    for (size_t row = begin; row < end; row++) {
      bool result = !decided_by;
      for_each_tile(x, row, rows.length, [&](int64_t, const void* tile, size_t n) {
        bool bits[kTile];
        truth(tile, bits, n);
        if (std::find(bits, bits + n, decided_by) != bits + n) result = decided_by;
        return result != decided_by;
      });
      alignas(8) char converted[8];
      char* place = static_cast<char*>(args.out) + row * size_of(args.out_type);
      write(&result, narrow ? converted : place, 1);
      if (narrow) narrow(converted, place, 1);
    }
  });
}

}  // namespace

const FoldTable& folds_of(Dtype type) {
  switch (type) {
    case Dtype::kBool: return kFoldTable<bool>;
    case Dtype::kUint8: return kFoldTable<uint8_t>;
    case Dtype::kUint16: return kFoldTable<uint16_t>;
    case Dtype::kUint32: return kFoldTable<uint32_t>;
    case Dtype::kUint64: return kFoldTable<uint64_t>;
    case Dtype::kInt8: return kFoldTable<int8_t>;
    case Dtype::kInt16: return kFoldTable<int16_t>;
    case Dtype::kInt32: return kFoldTable<int32_t>;
    case Dtype::kInt64: return kFoldTable<int64_t>;
    case Dtype::kFloat64: return kFoldTable<double>;
    case Dtype::kComplex64: return kFoldTable<Complex64>;
    default: return kFoldTable<float>;
  }
}

void reduce_on(const FloatFolds& folds, const ReduceArgs& args) {
  const Rows rows(args.x, args.shape, args.rank, args.reduced);
  if (args.op == ReduceOp::kAll || args.op == ReduceOp::kAny) return reduce_truth(folds, args, rows);
  const FoldFunctions f = functions_for(folds, static_cast<int>(args.op), args.type);
  parallel_for(rows.count, rows.grain(), [&](size_t begin, size_t end) {
    TileSource x(*folds.tiles, rows.walk, 0, args.type, args.x.data);
    ResultWriter writer(*folds.tiles, lane_type(args.op, args.type), args.out_type, args.out, begin);
    for (size_t row = begin; row < end; row++) {
      alignas(64) char lanes[kFoldLanes * 8];
      f.start(lanes);
      for_each_tile(x, row, rows.length, [&](int64_t, const void* tile, size_t n) {
        f.fold(tile, n, lanes);
        return true;
      });
      f.finish(lanes);
      writer.add(lanes);
    }
  });
}

namespace {

// The extreme of each tile tells whether the tile is worth a closer look. F is Max or Min.
template <class T, class F>
void arg_reduce_rows(const FoldFunctions& f, const ArgReduceArgs& args, const Rows& rows, TileSource& x, size_t begin,
                     size_t end) {
  for (size_t row = begin; row < end; row++) {
    T best{};
    uint32_t index = 0;
    bool found = false;
    for_each_tile(x, row, rows.length, [&](int64_t first, const void* tile, size_t n) {
      alignas(64) char lanes[kFoldLanes * 8];
      f.start(lanes);
      f.fold(tile, n, lanes);
      f.finish(lanes);
      T extreme;
      std::memcpy(&extreme, lanes, sizeof(T));
      const bool better = F{}.template operator()<T>(best, extreme) != best || is_nan(extreme);
      if (found && !better) return true;
      const T* values = static_cast<const T*>(tile);
      const T* place =
          std::find_if(values, values + n, [&](T v) { return is_nan(extreme) ? is_nan(v) : v == extreme; });
      best = extreme;
      index = static_cast<uint32_t>(first + (place - values));
      found = true;
      return !is_nan(extreme);
    });
    args.out[row] = index;
  }
}

template <class T>
void arg_reduce_typed(const FloatFolds& folds, const ArgReduceArgs& args) {
  const Rows rows(args.x, args.shape, args.rank, 1);
  const bool max = args.op == ArgReduceOp::kArgMax;
  const FoldFunctions f = functions_for(folds, static_cast<int>(max ? ReduceOp::kMax : ReduceOp::kMin), args.type);
  parallel_for(rows.count, rows.grain(), [&](size_t begin, size_t end) {
    TileSource x(*folds.tiles, rows.walk, 0, args.type, args.x.data);
    if (max) {
      arg_reduce_rows<T, Max>(f, args, rows, x, begin, end);
    } else {
      arg_reduce_rows<T, Min>(f, args, rows, x, begin, end);
    }
  });
}

}  // namespace

void arg_reduce_on(const FloatFolds& folds, const ArgReduceArgs& args) {
  switch (computing_type(args.type)) {
    case Dtype::kBool: return arg_reduce_typed<bool>(folds, args);
    case Dtype::kUint8: return arg_reduce_typed<uint8_t>(folds, args);
    case Dtype::kUint16: return arg_reduce_typed<uint16_t>(folds, args);
    case Dtype::kUint32: return arg_reduce_typed<uint32_t>(folds, args);
    case Dtype::kUint64: return arg_reduce_typed<uint64_t>(folds, args);
    case Dtype::kInt8: return arg_reduce_typed<int8_t>(folds, args);
    case Dtype::kInt16: return arg_reduce_typed<int16_t>(folds, args);
    case Dtype::kInt32: return arg_reduce_typed<int32_t>(folds, args);
    case Dtype::kInt64: return arg_reduce_typed<int64_t>(folds, args);
    case Dtype::kFloat64: return arg_reduce_typed<double>(folds, args);
    case Dtype::kComplex64: return arg_reduce_typed<Complex64>(folds, args);
    default: return arg_reduce_typed<float>(folds, args);
  }
}

}  // namespace hearth::cpu
