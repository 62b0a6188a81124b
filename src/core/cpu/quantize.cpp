#include "core/cpu/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "core/cpu/scalar_types.h"

namespace hearth::cpu {

namespace {

struct Affine {
  float scale, bias;
};

// The group's value of largest magnitude is kept exactly (it becomes the bias), and zero falls on a whole code.
Affine fit(const float* w, int group_size, float top) {
  float low = std::numeric_limits<float>::infinity(), high = -low;
  for (int i = 0; i < group_size; i++) {
    low = std::min(low, w[i]);
    high = std::max(high, w[i]);
  }
  const bool negative_edge = std::abs(low) > std::abs(high);
  const float step = std::max((high - low) / top, 1e-7f);
  const float scale = negative_edge ? step : -step;
  const float edge = negative_edge ? low : high;
  const float zero = std::rint(edge / scale);
  if (zero == 0) return {scale, 0};
  return {edge / zero, edge};
}

// Appends the codes of one group to the row's bit stream, which is at a whole byte. What is not a number gets code 0,
// as in MLX.
void pack(const float* w, int group_size, int bits, Affine a, float top, uint8_t* out) {
  uint64_t pending = 0;
  int pending_bits = 0;
  for (int i = 0; i < group_size; i++) {
    const float place = std::rint((w[i] - a.bias) / a.scale), code = place > 0 ? std::min(place, top) : 0.0f;
    pending |= static_cast<uint64_t>(code) << pending_bits;
    for (pending_bits += bits; pending_bits >= 8; pending_bits -= 8, pending >>= 8) {
      *out++ = static_cast<uint8_t>(pending);
    }
  }
}

template <class T>
void quantize_rows(const QuantizeArgs& args, int64_t begin, int64_t end) {
  const float top = static_cast<float>((1 << args.bits) - 1);
  const int64_t groups = args.k / args.group_size;
  const int64_t group_bytes = args.group_size * args.bits / 8;
  float w[128];
  for (int64_t row = begin; row < end; row++) {
    const T* from = static_cast<const T*>(args.w) + row * args.w_stride;
    for (int64_t g = 0; g < groups; g++) {
      for (int i = 0; i < args.group_size; i++) w[i] = to_float(from[g * args.group_size + i]);
      const Affine a = fit(w, args.group_size, top);
      const int64_t group = row * groups + g;
      pack(w, args.group_size, args.bits, a, top, reinterpret_cast<uint8_t*>(args.packed) + group * group_bytes);
      static_cast<T*>(args.scales)[group] = from_float<T>(a.scale);
      static_cast<T*>(args.biases)[group] = from_float<T>(a.bias);
    }
  }
}

}  // namespace

void quantize(const QuantizeArgs& args) {
  const size_t grain = static_cast<size_t>(std::max<int64_t>(1, 4096 / std::max<int64_t>(args.k, 1)));
  parallel_for(static_cast<size_t>(args.n), grain, [&](size_t begin, size_t end) {
    const int64_t first = static_cast<int64_t>(begin), last = static_cast<int64_t>(end);
    if (args.type == Dtype::kFloat32) return quantize_rows<float>(args, first, last);
    if (args.type == Dtype::kFloat16) return quantize_rows<Float16>(args, first, last);
    quantize_rows<Bfloat16>(args, first, last);
  });
}

}  // namespace hearth::cpu
