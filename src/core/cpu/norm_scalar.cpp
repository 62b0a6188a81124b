// The specification of the norms: sums in 16 lanes, element i in lane i % 16, added up in halves.
#include <cmath>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/norm.h"
#include "core/cpu/scalar_types.h"

namespace hearth::cpu {
namespace {

float sum_in_lanes(const std::vector<float>& x) {
  float lanes[16] = {};
  for (size_t i = 0; i < x.size(); i++) lanes[i % 16] += x[i];
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

template <class T>
void rms_norm_row(const RmsNormArgs& args, int64_t row) {
  const T* x = static_cast<const T*>(args.x) + row * args.x_stride;
  std::vector<float> values(args.columns);
  for (int64_t i = 0; i < args.columns; i++) {
    values[i] = to_float(x[i]);
    if (args.residual) {
      const T sum =
          from_float<T>(values[i] + to_float(static_cast<const T*>(args.residual)[row * args.residual_stride + i]));
      static_cast<T*>(args.sum)[row * args.sum_stride + i] = sum;
      values[i] = to_float(sum);
    }
  }
  std::vector<float> squares = values;
  for (float& value : squares) value *= value;
  const float scale = 1.0f / std::sqrt(sum_in_lanes(squares) / static_cast<float>(args.columns) + args.eps);
  T* out = static_cast<T*>(args.out) + row * args.out_stride;
  for (int64_t i = 0; i < args.columns; i++) {
    const float weight = args.weight ? to_float(static_cast<const T*>(args.weight)[i]) : 1.0f;
    out[i] = from_float<T>(values[i] * scale * weight);
  }
}

template <class T>
void layer_norm_row(const LayerNormArgs& args, int64_t row) {
  const T* x = static_cast<const T*>(args.x) + row * args.x_stride;
  std::vector<float> values(args.columns);
  for (int64_t i = 0; i < args.columns; i++) values[i] = to_float(x[i]);
  const float count = static_cast<float>(args.columns), mean = sum_in_lanes(values) / count;
  for (float& value : values) value -= mean;
  std::vector<float> squares = values;
  for (float& value : squares) value *= value;
  const float scale = 1.0f / std::sqrt(sum_in_lanes(squares) / count + args.eps);
  T* out = static_cast<T*>(args.out) + row * args.out_stride;
  for (int64_t i = 0; i < args.columns; i++) {
    const float weight = args.weight ? to_float(static_cast<const T*>(args.weight)[i]) : 1.0f;
    const float bias = args.bias ? to_float(static_cast<const T*>(args.bias)[i]) : 0.0f;
    out[i] = from_float<T>(values[i] * scale * weight + bias);
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
