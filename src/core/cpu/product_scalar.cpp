// The specification of dense products and of dequantization, and the fallback on CPUs without AVX2. Values of 16-bit
// types are brought to float32 exactly; quantized ones are fma(s, q, b) rounded to the type.
// Order along K: element k goes to lane k % 16, its product not rounded before; lanes are added in halves.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/product.h"
#include "core/cpu/vector_scalar.h"

namespace hearth::cpu {

namespace {

template <class T>
float rounded(float value) {
  return to_float(from_float<T>(value));
}

template <class T>
void widen(const T* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i++) to[i] = to_float(from[i]);
}

// Code k of a row: its bits may straddle two bytes.
uint32_t code_at(const uint8_t* row, int64_t k, int bits) {
  const int64_t bit = k * bits;
  const int shift = static_cast<int>(bit % 8);
  uint32_t window = row[bit / 8];
  if (shift + bits > 8) window |= static_cast<uint32_t>(row[bit / 8 + 1]) << 8;
  return (window >> shift) & ((1u << bits) - 1);
}

template <class T>
void dequantize_row(const QuantizedMatrix& w, int64_t n, float* to) {
  const uint8_t* codes = reinterpret_cast<const uint8_t*>(w.packed) + n * (w.k * w.bits / 8);
  const int64_t groups = w.k / w.group_size;
  const T* scales = static_cast<const T*>(w.scales) + n * groups;
  const T* biases = static_cast<const T*>(w.biases) + n * groups;
  for (int64_t k = 0; k < w.k; k++) {
    const int64_t g = k / w.group_size;
    const float q = static_cast<float>(code_at(codes, k, w.bits));
    to[k] = rounded<T>(std::fma(to_float(scales[g]), q, to_float(biases[g])));
  }
}

float dot(const float* x, const float* w, int64_t k) {
  float lanes[16] = {};
  for (int64_t i = 0; i < k; i++) lanes[i % 16] = multiply_add(x[i], w[i], lanes[i % 16]);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

template <class T>
void matmul_of(const MatmulArgs& a) {
  std::vector<float> rows(static_cast<size_t>(a.m * a.k));
  for (int64_t i = 0; i < a.m; i++) widen(static_cast<const T*>(a.x) + i * a.x_stride, a.k, rows.data() + i * a.k);
  const size_t grain = static_cast<size_t>(std::max<int64_t>(1, 8192 / std::max<int64_t>(a.m * a.k, 1)));
  parallel_for(static_cast<size_t>(a.n), grain, [&](size_t begin, size_t end) {
    std::vector<float> w(static_cast<size_t>(a.k));
    for (int64_t j = static_cast<int64_t>(begin); j < static_cast<int64_t>(end); j++) {
      widen(static_cast<const T*>(a.w) + j * a.w_stride, a.k, w.data());
      for (int64_t i = 0; i < a.m; i++) {
        static_cast<T*>(a.y)[i * a.y_stride + j] = from_float<T>(dot(rows.data() + i * a.k, w.data(), a.k));
      }
    }
  });
}

template <class T>
void write_row(const QuantizedMatrix& w, int64_t n, T* out) {
  std::vector<float> row(static_cast<size_t>(w.k));
  dequantize_row<T>(w, n, row.data());
  for (int64_t k = 0; k < w.k; k++) out[k] = from_float<T>(row[static_cast<size_t>(k)]);
}

// source(i) is the row of w that becomes row i of out.
template <class T, class Source>
void write_rows(const QuantizedMatrix& w, int64_t count, void* out, int64_t out_stride, Source source) {
  const size_t grain = static_cast<size_t>(std::max<int64_t>(1, 4096 / std::max<int64_t>(w.k, 1)));
  parallel_for(static_cast<size_t>(count), grain, [&](size_t begin, size_t end) {
    for (int64_t i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); i++) {
      write_row(w, source(i), static_cast<T*>(out) + i * out_stride);
    }
  });
}

}  // namespace

void matmul_scalar(const MatmulArgs& args) {
  if (args.type == Dtype::kFloat32) return matmul_of<float>(args);
  if (args.type == Dtype::kFloat16) return matmul_of<Float16>(args);
  matmul_of<Bfloat16>(args);
}

void dequantize_scalar(const DequantizeArgs& args) {
  const auto same = [](int64_t i) { return i; };
  if (args.type == Dtype::kFloat32) return write_rows<float>(args.w, args.w.n, args.out, args.out_stride, same);
  if (args.type == Dtype::kFloat16) return write_rows<Float16>(args.w, args.w.n, args.out, args.out_stride, same);
  write_rows<Bfloat16>(args.w, args.w.n, args.out, args.out_stride, same);
}

void gather_rows_dequantize_scalar(const GatherDequantizeArgs& args) {
  const auto row = [&](int64_t i) { return static_cast<int64_t>(args.rows[i]); };
  if (args.type == Dtype::kFloat32) return write_rows<float>(args.w, args.count, args.out, args.out_stride, row);
  if (args.type == Dtype::kFloat16) return write_rows<Float16>(args.w, args.count, args.out, args.out_stride, row);
  write_rows<Bfloat16>(args.w, args.count, args.out, args.out_stride, row);
}

}  // namespace hearth::cpu
