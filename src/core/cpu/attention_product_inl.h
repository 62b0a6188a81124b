// The two products of attention for a vector type V of 16 lanes, included by the ISA files inside their target region.
//
// Scores run along the head: a lane adds every 16th product of a query and a key, then the lanes are joined in one
// tree. Weighted values run along the keys: one chain of fused multiply-adds per output, keys ascending. Each output
// has its own sums, so how many rows or keys are computed together changes no bit.
//
// Tiles are made of V's registers. Where it has two, a score tile passes over the head once for each, because the sums
// of both would not fit the register file.
#pragma once

namespace hearth::cpu {

// Scores of up to kRows rows against R::kWidth / kSlots keys, R being V's register: out[r][c] = q[r] . key[c] over
// `width` elements, a multiple of V::kWidth. kSlots, a power of two, says how the joined sums are laid out.
template <class V, int kRows, int kSlots, class B>
inline void score_tile(const float* q, int64_t ldq, const B* const* key, int width, float* out, int64_t ldo) {
  using Register = typename V::Register;
  constexpr int kKeys = Register::kWidth / kSlots;
  Register joined;
#pragma GCC unroll 2
  for (int part = 0; part < V::kRegisters; part++) {
    Register sum[Register::kWidth];
#pragma GCC unroll 16
    for (int i = 0; i < Register::kWidth; i++) sum[i] = Register::zero();
    for (int d = part * Register::kWidth; d < width; d += V::kWidth) {
      Register left[kRows];
#pragma GCC unroll 16
      for (int r = 0; r < kRows; r++) left[r] = Register::load(q + r * ldq + d);
#pragma GCC unroll 16
      for (int c = 0; c < kKeys; c++) {
        const Register right = Register::load(key[c] + d);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; r++) sum[r * kKeys + c] = fma(left[r], right, sum[r * kKeys + c]);
      }
    }
    joined = part == 0 ? sums_of(sum) : joined + sums_of(sum);
  }
  float scores[Register::kWidth];
  joined.store(scores);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r++) __builtin_memcpy(out + r * ldo, scores + r * kKeys, kKeys * sizeof(float));
}

// Rows of a score tile: four keys for each fill one register of sums.
template <class V>
inline constexpr int kScoreRows = V::Register::kWidth / 4;

// Scores of up to kScoreRows rows against keys [begin, end), multiples of a register's width; key_at(c) is where key c
// lies.
template <class V, int kRows, int kSlots, class F>
inline void score_keys(const float* q, int64_t ldq, F key_at, int begin, int end, int width, float* out, int64_t ldo) {
  constexpr int kKeys = V::Register::kWidth / kSlots;
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
  using Register = typename V::Register;
  constexpr int kVectors = Register::kWidth == 16 ? 4 : 2, kColumns = kVectors * Register::kWidth;
  int n = 0;
  for (; n + kColumns <= columns; n += kColumns) {
    multiply_rows<Register, kVectors>(a, lda, b + n, ldb, c + n, ldc, count, rows);
  }
  for (; n < columns; n += Register::kWidth) multiply_rows<Register, 1>(a, lda, b + n, ldb, c + n, ldc, count, rows);
}

}  // namespace hearth::cpu
