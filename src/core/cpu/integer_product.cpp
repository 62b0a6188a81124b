// Shares a quantized product out. Few rows of x: the caller rounds them, then workers take runs of rows of W. Many
// rows: workers round tiles of x, then take rectangles of y, of which they walk K in parts, so that a tile of x and the
// rows of W that meet it stay in L1. Sizes of runs, rectangles and parts are chosen for speed only; no sum depends on
// them.
#include "core/cpu/integer_product.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/dequantize.h"
#include "core/cpu/scalar_types.h"
#include "core/cpu/scratch.h"

namespace hearth::cpu {

namespace {

constexpr int64_t kRectangleBlocks = 4;  // of kRowsAtOnce rows of W
constexpr int64_t kRectangleTiles = 8;
constexpr int64_t kLeastWork = 16384, kMostWork = 131072;  // products (2 and 16 us) that a worker takes at a time

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

// The rows of x that a run of products shares, as tiles in scratch.
class RoundedRows {
 public:
  RoundedRows(const QuantizedMatmulArgs& args, const QuantizedProduct& product, const IntegerKernels& kernels)
      : args_(args),
        product_(product),
        format_{product.w.bits, product.w.group_size},
        units_(ceil_div(product.w.k, format_.codes())),
        groups_(round_up(product.w.k / product.w.group_size, kChunkGroups)),
        memory_(thread_scratch(ScratchUse::kShared, static_cast<size_t>(tiles() * tile_floats()))) {
    // A row of a tile takes as long as about one product with each of its values.
    const size_t grain =
        static_cast<size_t>(std::max<int64_t>(1, kLeastWork / (8 * std::max<int64_t>(1, product.w.k))));
    parallel_for(static_cast<size_t>(tiles()), grain, [&](size_t begin, size_t end) {
      for (size_t t = begin; t < end; t++) round_tile(static_cast<int64_t>(t), kernels);
    });
  }

  int64_t tiles() const { return ceil_div(product_.m, format_.tile_rows()); }
  int64_t first_row(int64_t t) const { return t * format_.tile_rows(); }
  int rows_in(int64_t t) const {
    return static_cast<int>(std::min<int64_t>(format_.tile_rows(), product_.m - first_row(t)));
  }

  RoundedTile tile(int64_t t) const {
    const int count = rows_in(t), rows = count <= 2 ? count : count <= 4 ? 4 : 8;
    float* at = memory_ + t * tile_floats();
    float* scales = at + format_.tile_rows() * row_words() / 2;
    return {.rows = rows,
            .groups = groups_,
            .words = reinterpret_cast<int16_t*>(at),
            .scales = scales,
            .sums = scales + rows * groups_,
            .factors = scales + 2 * rows * groups_};
  }

  const void* x_of(int64_t row) const {
    const int64_t at = (product_.rows == nullptr ? row : product_.rows[row]) * args_.x_stride;
    return static_cast<const char*>(args_.x) + at * static_cast<int64_t>(size_of(args_.x_type));
  }

 private:
  int64_t row_words() const { return units_ * format_.codes(); }
  int64_t tile_floats() const { return round_up(format_.tile_rows() * (row_words() / 2 + 2 * groups_ + 1), 16); }

  void round_tile(int64_t t, const IntegerKernels& kernels) const {
    const RoundedTile tile = this->tile(t);
    const int count = rows_in(t);
    for (int row = 0; row < tile.rows; row++) {  // rows that are not there repeat the last one
      kernels.round_row(format_, args_.x_type, x_of(first_row(t) + std::min(row, count - 1)), product_.w.k, row, tile);
    }
  }

  const QuantizedMatmulArgs& args_;
  const QuantizedProduct& product_;
  const UnitFormat format_;
  const int64_t units_, groups_;
  float* const memory_;
};

IntegerCall call_of(const QuantizedMatmulArgs& args, const QuantizedProduct& p, int64_t first_row) {
  char* y = static_cast<char*>(p.y) + first_row * p.y_stride * static_cast<int64_t>(size_of(args.y_type));
  return {.format = {p.w.bits, p.w.group_size},
          .w = p.w,
          .scale_type = args.scale_type,
          .y_type = args.y_type,
          .y = y,
          .y_stride = p.y_stride};
}

// Rows of W of several products, one after the other, in blocks of kRowsAtOnce.
class Blocks {
 public:
  explicit Blocks(std::span<const QuantizedProduct> products) : products_(products) {
    for (const QuantizedProduct& p : products) count_ += ceil_div(p.w.n, kRowsAtOnce);
  }
  int64_t count() const { return count_; }

  // Calls body(product, first row) for blocks [begin, end).
  template <class Body>
  void visit(int64_t begin, int64_t end, Body body) const {
    for (const QuantizedProduct& p : products_) {
      const int64_t blocks = ceil_div(p.w.n, kRowsAtOnce);
      for (int64_t b = std::max<int64_t>(begin, 0); b < std::min(end, blocks); b++) body(p, b * kRowsAtOnce);
      begin -= blocks;
      end -= blocks;
    }
  }

 private:
  std::span<const QuantizedProduct> products_;
  int64_t count_ = 0;
};

// One tile of x.
void run_few(const QuantizedMatmulArgs& args, std::span<const QuantizedProduct> products, const RoundedRows& x,
             const IntegerKernels& kernels) {
  const RoundedTile tile = x.tile(0);
  const Blocks blocks(products);
  const int64_t work = std::max<int64_t>(1, products[0].w.k * kRowsAtOnce * tile.rows);
  const int64_t least = ceil_div(kLeastWork, work), most = std::max(least, ceil_div(kMostWork, work));
  const int64_t grain = std::clamp(blocks.count() / 8, least, most);
  parallel_for(static_cast<size_t>(blocks.count()), static_cast<size_t>(grain), [&](size_t begin, size_t end) {
    alignas(64) float lanes[kRowsAtOnce * kRowsAtOnce * kProductLanes] = {};
    blocks.visit(static_cast<int64_t>(begin), static_cast<int64_t>(end), [&](const QuantizedProduct& p, int64_t n) {
      const IntegerCall call = call_of(args, p, 0);
      const int64_t last = std::min<int64_t>(n + kRowsAtOnce, p.w.n);
      kernels.multiply(call, tile, n, last, lanes);
      kernels.add_lanes(call, tile, static_cast<int>(p.m), n, last, lanes);
    });
  });
}

// A rectangle of y: tiles [tile_begin, tile_end) of x and rows [begin, end) of W.
struct Rectangle {
  int64_t tile_begin, tile_end, begin, end;
};

void multiply_rectangle(const QuantizedMatmulArgs& args, const QuantizedProduct& p, const RoundedRows& x,
                        const IntegerKernels& kernels, const Rectangle& r) {
  constexpr int64_t kLanes = kRowsAtOnce * kRowsAtOnce * kProductLanes, kAll = kRectangleTiles * kLanes;
  float* lanes = thread_scratch(ScratchUse::kTile, kAll + kCodePanelBytes / sizeof(float));
  char* panel = reinterpret_cast<char*>(lanes + kAll);
  const int64_t chunks = call_of(args, p, 0).chunks(), part = kPanelCodes / (kChunkGroups * p.w.group_size);
  for (int64_t n = r.begin; n < r.end; n += kRowsAtOnce) {
    const int64_t end = std::min<int64_t>(n + kRowsAtOnce, r.end);
    int64_t first = 0;
    do {
      const int64_t last = std::min(first + part, chunks);
      kernels.expand(call_of(args, p, 0), n, end, first, last, panel);
      for (int64_t t = r.tile_begin; t < r.tile_end; t++) {
        const RoundedTile tile = x.tile(t);
        const IntegerCall call = call_of(args, p, x.first_row(t));
        float* own = lanes + (t - r.tile_begin) * kLanes;
        kernels.multiply_expanded(call, tile, panel, n, end, first, last, own);
        if (last == chunks) kernels.add_lanes(call, tile, x.rows_in(t), n, end, own);
      }
      first = last;
    } while (first < chunks);
  }
}

void run_many(const QuantizedMatmulArgs& args, const QuantizedProduct& p, const RoundedRows& x,
              const IntegerKernels& kernels) {
  constexpr int64_t kRows = kRectangleBlocks * kRowsAtOnce;
  const int64_t down = ceil_div(x.tiles(), kRectangleTiles), across = ceil_div(p.w.n, kRows);
  // Rectangles of the same rows of W follow each other: those rows come from memory once.
  parallel_for(static_cast<size_t>(down * across), 1, [&](size_t begin, size_t end) {
    for (int64_t i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); i++) {
      const int64_t t = i % down * kRectangleTiles, n = i / down * kRows;
      multiply_rectangle(args, p, x, kernels,
                         {t, std::min(t + kRectangleTiles, x.tiles()), n, std::min(n + kRows, p.w.n)});
    }
  });
}

// ---- Rows with infinities or NaN.

float value_at(Dtype type, const void* p, int64_t i) {
  float value = 0;
  with_short_float(type, [&](auto zero) { value = to_float(static_cast<const decltype(zero)*>(p)[i]); });
  return value;
}

void set_value(Dtype type, void* p, int64_t i, float value) {
  with_short_float(type, [&](auto zero) {
    using T = decltype(zero);
    static_cast<T*>(p)[i] = from_float<T>(value);
  });
}

float weight_at(const QuantizedMatrix& w, Dtype scale_type, int64_t n, int64_t k) {
  const int64_t group = n * (w.k / w.group_size) + k / w.group_size;
  return std::fma(value_at(scale_type, w.scales, group), static_cast<float>(code_at(codes_of(w, n), k, w.bits)),
                  value_at(scale_type, w.biases, group));
}

// A NaN makes all results NaN; infinities are multiplied with the weights they meet, beside which finite values do not
// count.
void multiply_infinities(const QuantizedMatmulArgs& args, const QuantizedProduct& p, const void* x, int64_t row) {
  std::vector<int64_t> places;
  for (int64_t k = 0; k < p.w.k; k++) {
    if (!std::isfinite(value_at(args.x_type, x, k))) places.push_back(k);
  }
  for (int64_t n = 0; n < p.w.n; n++) {
    float sum = 0;
    for (int64_t k : places) {
      sum += value_at(args.x_type, x, k) * weight_at(p.w, args.scale_type, n, k);
      if (std::isnan(sum)) break;
    }
    set_value(args.y_type, p.y, row * p.y_stride + n, sum);
  }
}

void mend_infinite_rows(const QuantizedMatmulArgs& args, std::span<const QuantizedProduct> products,
                        const RoundedRows& x) {
  for (int64_t t = 0; t < x.tiles(); t++) {
    const RoundedTile tile = x.tile(t);
    for (int row = 0; row < x.rows_in(t); row++) {
      if (!std::isnan(tile.factors[row])) continue;
      const int64_t m = x.first_row(t) + row;
      for (const QuantizedProduct& p : products) multiply_infinities(args, p, x.x_of(m), m);
    }
  }
}

// ---- A call.

void run_shared(const QuantizedMatmulArgs& args, std::span<const QuantizedProduct> products,
                const IntegerKernels& kernels) {
  if (products[0].m == 0) return;
  const RoundedRows x(args, products[0], kernels);
  if (x.tiles() == 1) {
    run_few(args, products, x, kernels);
  } else {
    for (const QuantizedProduct& p : products) run_many(args, p, x, kernels);
  }
  mend_infinite_rows(args, products, x);
}

bool share_rounding(const QuantizedProduct& a, const QuantizedProduct& b) {
  return a.rows == nullptr && b.rows == nullptr && a.m == b.m && a.w.k == b.w.k && a.w.bits == b.w.bits &&
         a.w.group_size == b.w.group_size;
}

}  // namespace

void run_integer_product(const QuantizedMatmulArgs& args, const IntegerKernels& kernels) {
  for (size_t begin = 0, end; begin < args.products.size(); begin = end) {
    end = begin + 1;
    while (end < args.products.size() && share_rounding(args.products[begin], args.products[end])) end++;
    run_shared(args, args.products.subspan(begin, end - begin), kernels);
  }
}

}  // namespace hearth::cpu
