// What all fast products have in common, whatever the instruction set: packing x once, and sharing the work out.
//
// K is walked in blocks of one or more vectors. Few rows of x meet each row of W straight
// from its codes; many rows meet panels of W that are expanded once into L1. Both add in the same order.
#pragma once

#include "core/cpu/product.h"

namespace hearth::cpu {

inline constexpr int kProductFewRows = 8;  // rows of x up to which W is not expanded

// matmul's and quantized_matmul's arguments in one form.
struct ProductCall {
  Dtype type = Dtype::kFloat32;
  const void* x = nullptr;
  const void* w = nullptr;  // dense; or null
  QuantizedMatrix codes;    // otherwise
  void* y = nullptr;
  int64_t m = 0, n = 0, k = 0;
  int64_t x_stride = 0, w_stride = 0, y_stride = 0;
  const int32_t* rows = nullptr;  // rows of x; null: 0 to m - 1

  int64_t row_of_x(int64_t i) const { return rows == nullptr ? i : rows[i]; }
  int64_t blocks(int block) const { return (k + block - 1) / block; }
  int64_t groups() const { return w == nullptr ? k / codes.group_size : 0; }
};

ProductCall product_call(const MatmulArgs& args);
ProductCall product_call(const QuantizedMatmulArgs& args, const QuantizedProduct& product);

// One type's and format's kernels. Scratch is 64-byte aligned.
struct ProductKernels {
  int block;              // elements of K that are packed together
  int block_bytes;        // of such a block of one row
  int few_rows_of_w;      // rows of W that `few` takes at once
  int tile_m, tile_n;     // rows of x and of W in a register tile
  int accumulator_bytes;  // of one sum in a register

  // Packs rows [first, first + count) of x, followed by zero rows up to `padded`: [block][vector][row]. `for_few` lays
  // lanes out as `few` wants them, otherwise they are in natural order.
  void (*pack)(const ProductCall& call, int64_t first, int count, int padded, bool for_few, void* packed);

  // y[:, begin..end) for all (at most kProductFewRows) rows of x, packed to `padded` rows: 1, 2, 4 or 8.
  void (*few)(const ProductCall& call, const void* packed, int padded, int64_t begin, int64_t end);

  // y[m_begin..m_end, n_begin..n_end). Tile t of x (tile_m rows) is at packed + t * tile_m * blocks * block_bytes;
  // m_begin is a multiple of tile_m.
  void (*many)(const ProductCall& call, const void* packed, int64_t m_begin, int64_t m_end, int64_t n_begin,
               int64_t n_end, void* scratch);
};

// Rows of x that stay in L2 while panels of W pass by: as many as have this size, but enough to pay for expanding a
// panel. And bytes of a panel of W in L1.
inline constexpr int64_t kProductBytesInL2 = 512 * 1024, kProductLeastRows = 128;
inline constexpr int64_t kPanelBytes = 24 * 1024;
inline constexpr int64_t kPanelRounding = 4096;  // bytes beyond, for up to three more blocks: whole groups are expanded

void run_product(const ProductCall& call, const ProductKernels& kernels);

// Float32 and float16 products of expanded codes, for the table with BF16.
void expanded_matmul_avx512(Dtype type, const ProductCall& call);

}  // namespace hearth::cpu
