// The specification of the norms: sums run in 64 lanes, element i in lane i % 64; quarters are added, then halves.
// Squares are added without being rounded first.
#include <cmath>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/norm.h"
#include "core/cpu/vector_scalar.h"

namespace hearth::cpu {
namespace {

struct Lanes {
  float lane[64] = {};

  void add(size_t i, float x) { lane[i % 64] += x; }
  void add_square(size_t i, float x) { lane[i % 64] = multiply_add(x, x, lane[i % 64]); }
  float total() const {
    float sums[16];
    for (int i = 0; i < 16; i++) sums[i] = (lane[i] + lane[16 + i]) + (lane[32 + i] + lane[48 + i]);
    for (int width = 8; width > 0; width /= 2) {
      for (int i = 0; i < width; i++) sums[i] += sums[i + width];
    }
    return sums[0];
  }
};

template <class T>
void rms_norm_row(const RmsNormArgs& args, int64_t row) {
  const T* x = static_cast<const T*>(args.x) + row * args.x_stride;
  std::vector<float> values(args.columns);
  Lanes squares;
  for (int64_t i = 0; i < args.columns; i++) {
    values[i] = to_float(x[i]);
    if (args.residual) {
      const T sum =
          from_float<T>(values[i] + to_float(static_cast<const T*>(args.residual)[row * args.residual_stride + i]));
      static_cast<T*>(args.sum)[row * args.sum_stride + i] = sum;
      values[i] = to_float(sum);
    }
    squares.add_square(i, values[i]);
  }
  const float scale = 1.0f / std::sqrt(squares.total() / static_cast<float>(args.columns) + args.eps);
  T* out = static_cast<T*>(args.out) + row * args.out_stride;
  for (int64_t i = 0; i < args.columns; i++) {
    const float y = values[i] * scale;
    out[i] = from_float<T>(args.weight ? y * to_float(static_cast<const T*>(args.weight)[i]) : y);
  }
}

template <class T>
void layer_norm_row(const LayerNormArgs& args, int64_t row) {
  const T* x = static_cast<const T*>(args.x) + row * args.x_stride;
  const float count = static_cast<float>(args.columns);
  Lanes sums, squares;
  for (int64_t i = 0; i < args.columns; i++) sums.add(i, to_float(x[i]));
  const float mean = sums.total() / count;
  for (int64_t i = 0; i < args.columns; i++) squares.add_square(i, to_float(x[i]) - mean);
  const float scale = 1.0f / std::sqrt(squares.total() / count + args.eps);
  T* out = static_cast<T*>(args.out) + row * args.out_stride;
  for (int64_t i = 0; i < args.columns; i++) {
    float y = (to_float(x[i]) - mean) * scale;
    if (args.weight) y *= to_float(static_cast<const T*>(args.weight)[i]);
    if (args.bias) y += to_float(static_cast<const T*>(args.bias)[i]);
    out[i] = from_float<T>(y);
  }
}

}  // namespace

void rms_norm_scalar(const RmsNormArgs& args) {
  with_short_float(args.type, [&](auto zero) {
    for (int64_t row = 0; row < args.rows; row++) rms_norm_row<decltype(zero)>(args, row);
  });
}

void layer_norm_scalar(const LayerNormArgs& args) {
  with_short_float(args.type, [&](auto zero) {
    for (int64_t row = 0; row < args.rows; row++) layer_norm_row<decltype(zero)>(args, row);
  });
}

}  // namespace hearth::cpu
