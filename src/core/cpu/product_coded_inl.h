// Weights of a product that come from codes, expanded to what dequantize gives: for the table with BF16.
//
// Included by the ISA files, inside their target region (target.h), after product_engine_inl.h.
#pragma once

#include "core/cpu/product_driver.h"

namespace hearth::cpu {
namespace {

// Groups and blocks are walked in units: a group of one or more blocks; or, where a block is longer than a group
// (kPair), a block of two groups, of which the row's last may lack the second.
template <class L, int kBits>
struct CodedRows {
  using Lanes = L;
  using T = typename L::Type;
  using Vector = typename L::Vector;
  using Codes = typename L::template Codes<kBits>;
  static constexpr bool kPermuted = Codes::kPermuted;
  static constexpr int kBlockBytes = L::kBlock * kBits / 8;

  static const uint8_t* codes(const ProductCall& c, int64_t row) {
    return reinterpret_cast<const uint8_t*>(c.codes.packed) + row * (c.k / 32) * (4 * kBits);
  }
  // Groups [begin, begin + count) of a row, at most kScalesAtOnce, for weights that are tame or not. Returns whether
  // they are tame.
  template <bool kTame>
  static bool expand(const ProductCall& c, int64_t row, int64_t begin, int64_t count, Scales& to) {
    const int64_t first = row * c.groups() + begin;
    prefetch(static_cast<const T*>(c.codes.scales) + first, kPrefetchBytes / 4);
    prefetch(static_cast<const T*>(c.codes.biases) + first, kPrefetchBytes / 4);
    // Whole vectors are read where the next row has them.
    const int64_t whole = min_of<int64_t>((count + 15) / 16 * 16, c.codes.n * c.groups() - first);
    return Codes::template expand<kTame>(static_cast<const T*>(c.codes.scales) + first,
                                         static_cast<const T*>(c.codes.biases) + first, static_cast<int>(whole), to);
  }

  // Sum m * R + r += x[m] . w[rows.first + r * rows.step]
  template <int M, int R>
  static void add(const ProductCall& c, Rows rows, const Vector* x, Sums<L, M, R>& sums) {
    const int blocks = c.codes.group_size / L::kBlock;
    if constexpr (L::kBlock > 32) {
      if (blocks == 0) return add_units<M, R, 1, true>(c, rows, 1, x, sums);
    }
    if constexpr (M == 1) {  // a loop of one round costs as much as it does
      if (blocks == 1) return add_units<M, R, 1, false>(c, rows, 1, x, sums);
    }
    add_units<M, R, 0, false>(c, rows, blocks, x, sums);
  }

  // kBlocks is the number of blocks in a unit where it is known, otherwise `blocks` is.
  template <int M, int R, int kBlocks, bool kPair>
  static void add_units(const ProductCall& c, Rows rows, int blocks, const Vector* x, Sums<L, M, R>& sums) {
    const uint8_t* p = codes(c, rows.first);
    const int64_t step = rows.step * (codes(c, 1) - codes(c, 0));
    // The R rows lie one after the other and are followed by the next R: what they read in a step is prefetched in
    // one piece, so far on that all of it has come before the next R begin.
    const uint8_t* ahead = p + max_of<int64_t>(kPrefetchBytes, R * step);
    for (int64_t g = 0; g < c.groups(); g += kScalesAtOnce) {
      const int count = static_cast<int>(min_of<int64_t>(kScalesAtOnce, c.groups() - g));
      alignas(64) Scales scales[R];
      bool tame = true;
      for (int r = 0; r < R; r++) tame &= expand<true>(c, rows.first + r * rows.step, g, count, scales[r]);
      if (!Codes::kMayBeWild || __builtin_expect(tame, 1)) {
        add_groups<true, M, R, kBlocks, kPair>(scales, count, blocks, x, p, step, ahead, sums);
      } else if constexpr (Codes::kMayBeWild) {
        for (int r = 0; r < R; r++) expand<false>(c, rows.first + r * rows.step, g, count, scales[r]);
        add_groups<false, M, R, kBlocks, kPair>(scales, count, blocks, x, p, step, ahead, sums);
      }
    }
  }

  // Moves x, p and ahead behind what it has used.
  template <bool kTame, int M, int R, int kBlocks, bool kPair>
  static inline __attribute__((always_inline)) void add_groups(const Scales (&scales)[R], int count, int blocks,
                                                               const Vector*& x, const uint8_t*& p, int64_t step,
                                                               const uint8_t*& ahead, Sums<L, M, R>& result) {
    constexpr int kGroups = kPair ? 2 : 1;
    Sums<L, M, R> sums;  // a copy that nothing can point at stays in registers
#pragma GCC unroll 16
    for (int i = 0; i < L::kParts * M * R; i++) sums[i] = result[i];
    // Tables that are used once are made a step ahead, among the look-ups in others: neither waits for the other.
    constexpr bool kAhead = M == 1 && kBlocks == 1 && Codes::kTablesAhead;
    typename Codes::Group group[R];
    if (kAhead && kGroups <= count) {
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) group[r] = Codes::template group<kTame, kPair>(scales[r], 0);
    }
    int g = 0;
    for (; g + kGroups <= count; g += kGroups) {
      if constexpr (!kAhead) {
#pragma GCC unroll 8
        for (int r = 0; r < R; r++) group[r] = Codes::template group<kTame, kPair>(scales[r], g);
      }
      const int next = g + 2 * kGroups <= count ? g + kGroups : g;
#pragma GCC unroll 1
      for (int block = 0; block < (kBlocks == 0 ? blocks : kBlocks); block++) {
        for (int i = 0; i < kBlockBytes * R; i += 64) prefetch(ahead, i);
        if constexpr (M == L::kRowsOfXForPairs && !kAhead) {
#pragma GCC unroll 4
          for (int r = 0; r < R; r += 2) {
            Vector w[L::kVectors], v[L::kVectors];
            Codes::template block<kTame, kPair>(group[r], p + r * step, w);
            Codes::template block<kTame, kPair>(group[r + 1], p + (r + 1) * step, v);
            DenseRows<L>::template multiply_two<M, R>(x, w, v, r, sums);
          }
        } else {
#pragma GCC unroll 8
          for (int r = 0; r < R; r++) {
            Vector w[L::kVectors];
            Codes::template block<kTame, kPair>(group[r], p + r * step, w);
            if constexpr (kAhead) group[r] = Codes::template group<kTame, kPair>(scales[r], next);
            DenseRows<L>::template multiply<M, R>(x, w, r, sums);
          }
        }
        p += kBlockBytes;
        ahead += kBlockBytes * R;
        x += L::kVectors * M;
      }
    }
    if (kPair && g < count) {
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        Vector w[L::kVectors];
        Codes::half_block(scales[r], g, p + r * step, w);
        DenseRows<L>::template multiply<M, R>(x, w, r, sums);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < L::kParts * M * R; i++) result[i] = sums[i];
  }

  // panel[(block * kVectors + vector) * stride] = blocks [begin, end) of a row. Requires that begin starts a group.
  static void expand(const ProductCall& c, int64_t row, int64_t begin, int64_t end, int stride, Vector* panel) {
    const int64_t size = c.codes.group_size, last = min_of<int64_t>(end * L::kBlock, c.k) / size;
    const uint8_t* p = codes(c, row) + begin * kBlockBytes;
    for (int64_t g = begin * L::kBlock / size; g < last; g += kScalesAtOnce) {
      const int count = static_cast<int>(min_of<int64_t>(kScalesAtOnce, last - g));
      alignas(64) Scales scales;
      const bool tame = expand<true>(c, row, g, count, scales);
      const int blocks = static_cast<int>(size / L::kBlock);
      if constexpr (L::kBlock > 32) {
        if (blocks == 0) {
          expand_groups<true, true>(scales, count, 1, p, stride, panel);
          continue;
        }
      }
      if (!Codes::kMayBeWild || tame) {
        expand_groups<true, false>(scales, count, blocks, p, stride, panel);
      } else if constexpr (Codes::kMayBeWild) {
        expand<false>(c, row, g, count, scales);
        expand_groups<false, false>(scales, count, blocks, p, stride, panel);
      }
    }
  }

  // Moves p and panel behind what it has used.
  template <bool kTame, bool kPair>
  static void expand_groups(const Scales& scales, int count, int blocks, const uint8_t*& p, int stride,
                            Vector*& panel) {
    constexpr int kGroups = kPair ? 2 : 1;
    int g = 0;
    for (; g + kGroups <= count; g += kGroups) {
      const typename Codes::Group group = Codes::template group<kTame, kPair>(scales, g);
      for (int block = 0; block < blocks; block++, p += kBlockBytes) {
        prefetch(p, kPrefetchBytes);
        Vector w[L::kVectors];
        Codes::template block<kTame, kPair>(group, p, w);
        for (int v = 0; v < L::kVectors; v++, panel += stride) *panel = in_order(w[v]);
      }
    }
    if (!kPair || g == count) return;
    Vector w[L::kVectors];
    Codes::half_block(scales, g, p, w);
    for (int v = 0; v < L::kVectors; v++, panel += stride) *panel = in_order(w[v]);
  }

  static Vector in_order(Vector w) {
    if constexpr (kPermuted) return L::permute(w, Codes::order_back());
    return w;
  }
};

template <class L>
void run_coded(const ProductCall& call) {
  switch (call.codes.bits) {
    case 2: return run_product(call, kernels_of<CodedRows<L, 2>>());
    case 3: return run_product(call, kernels_of<CodedRows<L, 3>>());
    case 4: return run_product(call, kernels_of<CodedRows<L, 4>>());
    case 5: return run_product(call, kernels_of<CodedRows<L, 5>>());
    case 6: return run_product(call, kernels_of<CodedRows<L, 6>>());
    default: return run_product(call, kernels_of<CodedRows<L, 8>>());
  }
}

}  // namespace
}  // namespace hearth::cpu
