// Few rows of x: the caller packs them, then workers take runs of rows of W. Many rows: workers pack tiles of x, then
// take rectangles of y. Sizes of runs and rectangles are chosen for speed only; no sum depends on them.
#include "core/cpu/product_driver.h"

#include <algorithm>

#include "base/thread_pool.h"
#include "core/cpu/scratch.h"

namespace hearth::cpu {

namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

void* shared_bytes(int64_t bytes) {
  return thread_scratch(ScratchUse::kShared, static_cast<size_t>(bytes) / sizeof(float) + 16);
}

int padded_rows(int64_t m) { return m == 1 ? 1 : m == 2 ? 2 : m <= 4 ? 4 : 8; }

// Calls body(begin, end) on parts of [0, count): about eight, so that the workers end together, but of at least
// `least`, so that taking one (0.1 us) costs little, and at most `most`.
template <class Body>
void share(int64_t count, int64_t least, int64_t most, Body body) {
  const int64_t grain = std::clamp(count / 8, least, std::max(least, most));
  parallel_for(static_cast<size_t>(count), static_cast<size_t>(grain),
               [&](size_t begin, size_t end) { body(static_cast<int64_t>(begin), static_cast<int64_t>(end)); });
}

void run_few(const ProductCall& call, const ProductKernels& kernels) {
  const int rows = padded_rows(call.m);
  void* packed = shared_bytes(call.blocks(kernels.block) * kernels.block_bytes * rows);
  kernels.pack(call, 0, static_cast<int>(call.m), rows, true, packed);
  // A worker's run is at least ~16,000 products (2 us), at most ~130,000, so that both end together.
  const int64_t unit = kernels.few_rows_of_w;
  const int64_t work = std::max<int64_t>(1, call.k * unit * rows);
  share(ceil_div(call.n, unit), ceil_div(16384, work), ceil_div(131072, work), [&](int64_t begin, int64_t end) {
    kernels.few(call, packed, rows, begin * unit, std::min(end * unit, call.n));
  });
}

void run_many(const ProductCall& call, const ProductKernels& kernels) {
  const int64_t tile_bytes = call.blocks(kernels.block) * kernels.block_bytes * kernels.tile_m;
  const int64_t tiles = ceil_div(call.m, kernels.tile_m);
  char* packed = static_cast<char*>(shared_bytes(tiles * tile_bytes));
  share(tiles, 1, 16, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t first = t * kernels.tile_m;
      const int count = static_cast<int>(std::min<int64_t>(kernels.tile_m, call.m - first));
      kernels.pack(call, first, count, kernels.tile_m, false, packed + t * tile_bytes);
    }
  });

  const int64_t tiles_in_l2 =
      std::max(kProductBytesInL2 / std::max<int64_t>(tile_bytes, 1), kProductLeastRows / kernels.tile_m);
  const int64_t m_step = std::min(tiles_in_l2, tiles) * kernels.tile_m;
  const int64_t m_parts = ceil_div(call.m, m_step), panels = ceil_div(call.n, kernels.tile_n);
  const int64_t panels_per_part = std::clamp<int64_t>(panels * m_parts / 16, 1, 8);
  const int64_t n_step = panels_per_part * kernels.tile_n, n_parts = ceil_div(call.n, n_step);
  const int64_t scratch_bytes = kPanelBytes + kPanelRounding + m_step * kernels.tile_n * kernels.accumulator_bytes;
  const size_t scratch = static_cast<size_t>(scratch_bytes) / sizeof(float);
  parallel_for(static_cast<size_t>(m_parts * n_parts), 1, [&](size_t begin, size_t end) {
    void* own = thread_scratch(ScratchUse::kTile, scratch);
    for (int64_t part = static_cast<int64_t>(begin); part < static_cast<int64_t>(end); part++) {
      const int64_t m = part / n_parts * m_step, n = part % n_parts * n_step;
      kernels.many(call, packed, m, std::min(m + m_step, call.m), n, std::min(n + n_step, call.n), own);
    }
  });
}

}  // namespace

ProductCall product_call(const MatmulArgs& a) {
  return {.type = a.type,
          .x = a.x,
          .w = a.w,
          .codes = {},
          .y = a.y,
          .m = a.m,
          .n = a.n,
          .k = a.k,
          .x_stride = a.x_stride,
          .w_stride = a.w_stride,
          .y_stride = a.y_stride,
          .rows = nullptr};
}

ProductCall product_call(const QuantizedMatmulArgs& a, const QuantizedProduct& p) {
  return {.type = a.x_type,
          .x = a.x,
          .w = nullptr,
          .codes = p.w,
          .y = p.y,
          .m = p.m,
          .n = p.w.n,
          .k = p.w.k,
          .x_stride = a.x_stride,
          .w_stride = 0,
          .y_stride = p.y_stride,
          .rows = p.rows};
}

void run_product(const ProductCall& call, const ProductKernels& kernels) {
  if (call.m == 0 || call.n == 0) return;
  call.m <= kProductFewRows ? run_few(call, kernels) : run_many(call, kernels);
}

}  // namespace hearth::cpu
