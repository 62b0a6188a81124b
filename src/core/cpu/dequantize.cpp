#include "core/cpu/dequantize.h"

#include <algorithm>

#include "base/thread_pool.h"

namespace hearth::cpu {

namespace {

// Calls expand(i, where) for rows of `out` in parallel, about 16,000 weights at a time (2 us).
template <class Expand>
void write_rows(Dtype type, int64_t k, int64_t count, void* out, int64_t out_stride, Expand expand) {
  const int64_t row_bytes = out_stride * static_cast<int64_t>(size_of(type));
  const size_t grain = static_cast<size_t>(std::max<int64_t>(1, 16384 / std::max<int64_t>(k, 1)));
  parallel_for(static_cast<size_t>(count), grain, [&](size_t begin, size_t end) {
    for (int64_t i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); i++) {
      expand(i, static_cast<char*>(out) + i * row_bytes);
    }
  });
}

}  // namespace

void run_dequantize(const DequantizeArgs& a, ExpandRow expand_row) {
  write_rows(a.type, a.w.k, a.w.n, a.out, a.out_stride, [&](int64_t i, void* out) { expand_row(a.w, a.type, i, out); });
}

void run_gather(const GatherDequantizeArgs& a, ExpandRow expand_row) {
  write_rows(a.type, a.w.k, a.count, a.out, a.out_stride,
             [&](int64_t i, void* out) { expand_row(a.w, a.type, a.rows[i], out); });
}

}  // namespace hearth::cpu
