// The two products of attention for a vector type V, included by the ISA files inside their target region.
//
// Scores run along the head: a lane adds every V::kWidth-th product of a query and a key, then the lanes are joined in
// one tree. Weighted values run along the keys: one chain of fused multiply-adds per output, keys ascending. Each
// output has its own sums, so how many rows or keys are computed together changes no bit.
#pragma once

namespace hearth::cpu {

// Scores of up to kRows rows against V::kWidth / kSlots keys: out[r][c] = q[r] . key[c] over `width` elements, a
// multiple of V::kWidth. kSlots, a power of two, says how the joined sums are laid out.
template <class V, int kRows, int kSlots, class B>
inline void score_tile(const float* q, int64_t ldq, const B* const* key, int width, float* out, int64_t ldo) {
  constexpr int kKeys = V::kWidth / kSlots;
  V sum[V::kWidth];
#pragma GCC unroll 16
  for (int i = 0; i < V::kWidth; i++) sum[i] = V::zero();
  for (int d = 0; d < width; d += V::kWidth) {
    V left[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; r++) left[r] = V::load(q + r * ldq + d);
#pragma GCC unroll 16
    for (int c = 0; c < kKeys; c++) {
      const V right = V::load(key[c] + d);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; r++) sum[r * kKeys + c] = fma(left[r], right, sum[r * kKeys + c]);
    }
  }
  float joined[V::kWidth];
  sums_of(sum).store(joined);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r++) __builtin_memcpy(out + r * ldo, joined + r * kKeys, kKeys * sizeof(float));
}

// Rows of a score tile: four keys for each fill one vector of sums.
template <class V>
inline constexpr int kScoreRows = V::kWidth / 4;

// Scores of up to kScoreRows rows against keys [begin, end), multiples of V::kWidth; key_at(c) is where key c lies.
template <class V, int kRows, int kSlots, class F>
inline void score_keys(const float* q, int64_t ldq, F key_at, int begin, int end, int width, float* out, int64_t ldo) {
  constexpr int kKeys = V::kWidth / kSlots;
  for (int c = begin; c < end; c += kKeys) {
    decltype(key_at(0)) key[kKeys];
    for (int i = 0; i < kKeys; i++) key[i] = key_at(c + i);
    score_tile<V, kRows, kSlots>(q, ldq, key, width, out + c, ldo);
  }
}

template <class V, class F>
inline void score(int rows, const float* q, int64_t ldq, F key_at, int begin, int end, int width, float* out,
                  int64_t ldo) {
  if (rows == 1) return score_keys<V, 1, 1>(q, ldq, key_at, begin, end, width, out, ldo);
  if (rows == 2) return score_keys<V, 2, 2>(q, ldq, key_at, begin, end, width, out, ldo);
  if constexpr (kScoreRows<V> == 4) {
    if (rows == 3) return score_keys<V, 3, 4>(q, ldq, key_at, begin, end, width, out, ldo);
    score_keys<V, 4, 4>(q, ldq, key_at, begin, end, width, out, ldo);
  }
}

// c[r][n] += sum over k of a[r][k] * b[k][n], k ascending, one chain of fused multiply-adds per output.
// R rows, N vectors of columns; leading dimensions in elements.
template <class V, int R, int N, class B>
inline void multiply_tile(const float* a, int64_t lda, const B* b, int64_t ldb, float* c, int64_t ldc, int count) {
  V sum[R][N];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) sum[r][n] = V::load(c + r * ldc + n * V::kWidth);
  }
  for (int k = 0; k < count; k++) {
    V right[N];
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) right[n] = V::load(b + k * ldb + n * V::kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      const V left = V::all(a[r * lda + k]);
#pragma GCC unroll 8
      for (int n = 0; n < N; n++) sum[r][n] = fma(left, right[n], sum[r][n]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) sum[r][n].store(c + r * ldc + n * V::kWidth);
  }
}

// Rows of a register tile: 6 x 4 of 32 registers, 6 x 2 of 16.
inline constexpr int kRegisterRows = 6;

template <class V, int N, class B>
inline void multiply_rows(const float* a, int64_t lda, const B* b, int64_t ldb, float* c, int64_t ldc, int count,
                          int rows) {
  switch (rows) {
    case 1: return multiply_tile<V, 1, N>(a, lda, b, ldb, c, ldc, count);
    case 2: return multiply_tile<V, 2, N>(a, lda, b, ldb, c, ldc, count);
    case 3: return multiply_tile<V, 3, N>(a, lda, b, ldb, c, ldc, count);
    case 4: return multiply_tile<V, 4, N>(a, lda, b, ldb, c, ldc, count);
    case 5: return multiply_tile<V, 5, N>(a, lda, b, ldb, c, ldc, count);
    default: return multiply_tile<V, 6, N>(a, lda, b, ldb, c, ldc, count);
  }
}

// Up to kRegisterRows rows, columns a multiple of V::kWidth.
template <class V, class B>
inline void multiply(const float* a, int64_t lda, const B* b, int64_t ldb, float* c, int64_t ldc, int count, int rows,
                     int columns) {
  constexpr int kVectors = V::kWidth == 16 ? 4 : 2;
  int n = 0;
  for (; n + kVectors * V::kWidth <= columns; n += kVectors * V::kWidth) {
    multiply_rows<V, kVectors>(a, lda, b + n, ldb, c + n, ldc, count, rows);
  }
  for (; n < columns; n += V::kWidth) multiply_rows<V, 1>(a, lda, b + n, ldb, c + n, ldc, count, rows);
}

}  // namespace hearth::cpu
