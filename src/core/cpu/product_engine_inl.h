// The loops of a fast product, written once for every kind of lanes (product_lanes_*_inl.h).
//
// L says how vectors are loaded, multiplied and summed. W says where weights come from: DenseRows, or CodedRows
// (product_coded_inl.h). Both give blocks of L::kBlock weights as L::kVectors vectors, so that everything else is the
// same code and the same order.
//
// Included by the ISA files, inside their target region (target.h), after the lanes.
#pragma once

#include "core/cpu/extrema.h"
#include "core/cpu/product_driver.h"

namespace hearth::cpu {
namespace {

// How far ahead to prefetch, into L2: reading four rows at once is too much for the hardware's prefetchers, and L1 has
// too few outstanding misses. Four rows of 1 KB by one thread: 10 GB/s without, 11 into L1, 18 into L2, as fast as one
// stream.
inline constexpr int64_t kPrefetchBytes = 8192;
// Always inlined: GCC takes a function that only prefetches for one without effect, and removes calls to it.
inline __attribute__((always_inline)) void prefetch(const void* p, int64_t offset) {
  _mm_prefetch(static_cast<const char*>(p) + offset, _MM_HINT_T1);
}

// Sums of M rows of x with R of W, each in L::kParts registers: vector v along K is added to part v % kParts.
template <class L, int M, int R>
using Sums = typename L::Sum[L::kParts * M * R];

// ---- Where weights come from.

// R rows of W that are multiplied together: row + r * step.
struct Rows {
  int64_t first;
  int64_t step;  // 1; or 0 when W has fewer than R rows: the same one R times
};

template <class L>
struct DenseRows {
  using Lanes = L;
  using T = typename L::Type;
  using Vector = typename L::Vector;
  static constexpr bool kPermuted = false;

  static const T* row(const ProductCall& c, int64_t n) { return static_cast<const T*>(c.w) + n * c.w_stride; }

  // Sum m * R + r += x[m] . w[rows.first + r * rows.step]
  template <int M, int R>
  static void add(const ProductCall& c, Rows rows, const Vector* x, Sums<L, M, R>& sums) {
    const T* const first = row(c, rows.first);
    const int64_t step = rows.step * c.w_stride;
    const int64_t whole = c.k / L::kBlock;
    const int tail = static_cast<int>(c.k % L::kBlock);
    for (int64_t block = 0; block < whole; block++) {
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        const T* p = first + r * step + block * L::kBlock;
        prefetch(p, kPrefetchBytes);
        Vector w[L::kVectors];
        L::load_block(p, w);
        multiply<M, R>(x, w, r, sums);
      }
      x += L::kVectors * M;
    }
    if (tail == 0) return;
    for (int r = 0; r < R; r++) {
      Vector w[L::kVectors];
      L::load_first(first + r * step + whole * L::kBlock, tail, w);
      multiply<M, R>(x, w, r, sums);
    }
  }

  template <int M, int R>
  static inline __attribute__((always_inline)) void multiply(const Vector* x, const Vector (&w)[L::kVectors], int r,
                                                             Sums<L, M, R>& sums) {
#pragma GCC unroll 8
    for (int v = 0; v < L::kVectors; v++) {
#pragma GCC unroll 8
      for (int m = 0; m < M; m++) {
        const int sum = (v % L::kParts * M + m) * R + r;
        sums[sum] = L::madd(sums[sum], x[v * M + m], w[v]);
      }
    }
  }

  // The same for rows r and r + 1, in turn: x is loaded once, and two chains of additions run side by side.
  template <int M, int R>
  static inline __attribute__((always_inline)) void multiply_two(const Vector* x, const Vector (&first)[L::kVectors],
                                                                 const Vector (&second)[L::kVectors], int r,
                                                                 Sums<L, M, R>& sums) {
#pragma GCC unroll 8
    for (int v = 0; v < L::kVectors; v++) {
#pragma GCC unroll 8
      for (int m = 0; m < M; m++) {
        const Vector row = x[v * M + m];
        const int sum = (v % L::kParts * M + m) * R + r;
        sums[sum] = L::madd(sums[sum], row, first[v]);
        sums[sum + 1] = L::madd(sums[sum + 1], row, second[v]);
      }
    }
  }

  // panel[(block * kVectors + vector) * stride] = blocks [begin, end) of row n, in natural order.
  static void expand(const ProductCall& c, int64_t n, int64_t begin, int64_t end, int stride, Vector* panel) {
    const T* p = row(c, n);
    for (int64_t block = begin; block < end; block++) {
      const int64_t left = c.k - block * L::kBlock;
      Vector w[L::kVectors];
      if (left >= L::kBlock) {
        L::load_block(p + block * L::kBlock, w);
      } else {
        L::load_first(p + block * L::kBlock, static_cast<int>(left), w);
      }
      for (int v = 0; v < L::kVectors; v++, panel += stride) *panel = w[v];
    }
  }
};

// ---- x, packed: [block][vector][row].

template <class W>
void pack_rows(const ProductCall& c, int64_t first, int count, int padded, bool for_few, void* packed) {
  using L = typename W::Lanes;
  using T = typename L::Type;
  const int64_t blocks = c.blocks(L::kBlock);
  auto* to = static_cast<typename L::Vector*>(packed);
  for (int r = 0; r < padded; r++) {
    const T* p = static_cast<const T*>(c.x) + (r < count ? c.row_of_x(first + r) : 0) * c.x_stride;
    for (int64_t block = 0; block < blocks; block++) {
      const int64_t left = r < count ? c.k - block * L::kBlock : 0;
      typename L::Vector x[L::kVectors];
      if (left >= L::kBlock) {
        L::load_block(p + block * L::kBlock, x);
      } else {
        L::load_first(r < count ? p + block * L::kBlock : p, static_cast<int>(left), x);
      }
      for (int v = 0; v < L::kVectors; v++) {
        if constexpr (W::kPermuted) {
          if (for_few) x[v] = L::permute(x[v], W::Codes::order());
        }
        to[(block * L::kVectors + v) * padded + r] = x[v];
      }
    }
  }
}

// ---- What becomes of sums.

// y[m.., n..n + count) from M rows of R sums, of which those from `first` on are wanted.
template <class L, int M, int R>
inline __attribute__((always_inline)) void store_block(const ProductCall& c, const Sums<L, M, R>& sums, int64_t m,
                                                       int64_t n, int first, int count) {
  using T = typename L::Type;
  alignas(64) T totals[kTotals<M, R>];
  round_totals<M, R>(sums, totals);
  T* y = static_cast<T*>(c.y) + m * c.y_stride + n;
  for (int i = 0; i < M && m + i < c.m; i++, y += c.y_stride) {
    const T* row = totals + i * kTotalsStride<M, R> + first;
    if (__builtin_expect(count == R, 1)) {
      __builtin_memcpy(y, row, R * sizeof(T));
    } else {
      __builtin_memcpy(y, row, static_cast<size_t>(count) * sizeof(T));
    }
  }
}

// ---- Few rows of x.

// y[:, n..n + count) from R rows of W, of which the last `count` are wanted.
template <class W, int M, int R>
void few_block(const ProductCall& c, const typename W::Vector* x, Rows rows, int64_t n, int count) {
  using L = typename W::Lanes;
  Sums<L, M, R> sums;
#pragma GCC unroll 16
  for (int i = 0; i < L::kParts * M * R; i++) sums[i] = L::zero();  // as a plain loop GCC makes it a slow rep stos
  W::template add<M, R>(c, rows, x, sums);
  if constexpr (W::kPermuted) {
#pragma GCC unroll 16
    for (int i = 0; i < L::kParts * M * R; i++) sums[i] = L::permute(sums[i], W::Codes::order_back());
  }
  store_block<L, M, R>(c, sums, 0, n, R - count, count);
}

template <class W, int M, int R>
void few_blocks(const ProductCall& c, const void* packed, int64_t begin, int64_t end) {
  const auto* x = static_cast<const typename W::Vector*>(packed);
  if (c.n < R) {
    for (int64_t n = begin; n < end; n++) few_block<W, M, R>(c, x, {.first = n, .step = 0}, n, 1);
    return;
  }
  for (int64_t n = begin; n < end; n += R) {  // the last rows of W are met by going back
    few_block<W, M, R>(c, x, {.first = min_of<int64_t>(n, c.n - R), .step = 1}, n,
                       static_cast<int>(min_of<int64_t>(R, c.n - n)));
  }
}

template <class W>
void few_rows(const ProductCall& c, const void* packed, int padded, int64_t begin, int64_t end) {
  using L = typename W::Lanes;
  if (padded == 1) return few_blocks<W, 1, L::kRowsOfWForOne>(c, packed, begin, end);
  if (padded == 2) return few_blocks<W, 2, L::kRowsOfWForTwo>(c, packed, begin, end);
  if (padded == 4) return few_blocks<W, 4, L::kRowsOfWForFour>(c, packed, begin, end);
  few_blocks<W, 8, L::kRowsOfWForEight>(c, packed, begin, end);
}

// ---- Many rows of x.

// sums[i * N + j] += x[i] . w[j] over every kParts-th of `vectors` vectors, both stored interleaved.
template <class L>
inline __attribute__((always_inline)) void tile(const typename L::Vector* x, const typename L::Vector* w,
                                                int64_t vectors, typename L::Sum (&sums)[L::kTileM * L::kTileN]) {
  constexpr int M = L::kTileM, N = L::kTileN;
  for (int64_t v = 0; v < vectors; v += L::kParts, x += L::kParts * M, w += L::kParts * N) {
    typename L::Vector row[M];
#pragma GCC unroll 8
    for (int i = 0; i < M; i++) row[i] = x[i];
#pragma GCC unroll 8
    for (int j = 0; j < N; j++) {
      const typename L::Vector column = w[j];
#pragma GCC unroll 8
      for (int i = 0; i < M; i++) sums[i * N + j] = L::madd(sums[i * N + j], row[i], column);
    }
  }
}

// One part of K for all tiles of rows [m_begin, m_end): sums wait in `saved` between parts.
template <class L>
void panel_times_tiles(const ProductCall& c, const typename L::Vector* x, int64_t m_begin, int64_t m_end, int64_t n,
                       const typename L::Vector* panel, int64_t begin, int64_t end, typename L::Sum* saved) {
  constexpr int kSums = L::kTileM * L::kTileN;
  const int64_t row_vectors = c.blocks(L::kBlock) * L::kVectors;
  for (int64_t m = m_begin; m < m_end; m += L::kTileM, saved += L::kParts * kSums) {
    Sums<L, L::kTileM, L::kTileN> all;
#pragma GCC unroll 2
    for (int part = 0; part < L::kParts; part++) {  // one after the other: each fills the register file
      typename L::Sum sums[kSums];
      if (begin == 0) {
#pragma GCC unroll 24
        for (int i = 0; i < kSums; i++) sums[i] = L::zero();
      } else {
#pragma GCC unroll 24
        for (int i = 0; i < kSums; i++) sums[i] = saved[part * kSums + i];
      }
      tile<L>(x + m * row_vectors + (begin * L::kVectors + part) * L::kTileM, panel + part * L::kTileN,
              (end - begin) * L::kVectors, sums);
#pragma GCC unroll 24
      for (int i = 0; i < kSums; i++) all[part * kSums + i] = sums[i];
    }
    if (end == c.blocks(L::kBlock)) {
      store_block<L, L::kTileM, L::kTileN>(c, all, m, n, 0, static_cast<int>(min_of<int64_t>(L::kTileN, c.n - n)));
    } else {
#pragma GCC unroll 24
      for (int i = 0; i < L::kParts * kSums; i++) saved[i] = all[i];
    }
  }
}

template <class W>
void many_rows(const ProductCall& c, const void* packed, int64_t m_begin, int64_t m_end, int64_t n_begin, int64_t n_end,
               void* scratch) {
  using L = typename W::Lanes;
  using Vector = typename L::Vector;
  constexpr int64_t kMost = kPanelBytes / (static_cast<int64_t>(sizeof(Vector)) * L::kVectors * L::kTileN);
  const int64_t blocks = c.blocks(L::kBlock), parts = blocks == 0 ? 1 : (blocks + kMost - 1) / kMost;
  const int64_t part = ((blocks + parts - 1) / parts + 3) / 4 * 4;  // whole groups of 128
  auto* panel = static_cast<Vector*>(scratch);
  static_assert(3 * sizeof(Vector) * L::kVectors * L::kTileN <= kPanelRounding);
  auto* saved = reinterpret_cast<typename L::Sum*>(static_cast<char*>(scratch) + kPanelBytes + kPanelRounding);
  for (int64_t n = n_begin; n < n_end; n += L::kTileN) {
    int64_t begin = 0;
    do {
      const int64_t end = min_of<int64_t>(begin + part, blocks);
      for (int j = 0; j < L::kTileN; j++)
        W::expand(c, min_of<int64_t>(n + j, c.n - 1), begin, end, L::kTileN, panel + j);
      panel_times_tiles<L>(c, static_cast<const Vector*>(packed), m_begin, m_end, n, panel, begin, end, saved);
      begin = end;
    } while (begin < blocks);
  }
}

template <class W>
ProductKernels kernels_of() {
  using L = typename W::Lanes;
  return {.block = L::kBlock,
          .block_bytes = static_cast<int>(sizeof(typename L::Vector)) * L::kVectors,
          .few_rows_of_w = L::kRowsOfWForOne,
          .tile_m = L::kTileM,
          .tile_n = L::kTileN,
          .accumulator_bytes = static_cast<int>(sizeof(typename L::Sum)) * L::kParts,
          .pack = pack_rows<W>,
          .few = few_rows<W>,
          .many = many_rows<W>};
}

template <class L>
void run_dense(const ProductCall& call) {
  run_product(call, kernels_of<DenseRows<L>>());
}

}  // namespace
}  // namespace hearth::cpu
