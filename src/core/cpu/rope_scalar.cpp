// The specification of rope: token by token, pair by pair.
#include <cmath>

#include "core/cpu/rope.h"
#include "core/cpu/scalar_types.h"

namespace hearth::cpu {
namespace {

template <class T>
void rope_token(const RopeArgs& args, int64_t token) {
  const int half = args.rotated / 2;
  const float position =
      static_cast<float>(args.positions ? args.positions[token] : args.offset + token) * args.position_scale;
  for (int head = 0; head < args.heads; head++) {
    const T* x = static_cast<const T*>(args.x) + token * args.x_token_stride + head * args.x_head_stride;
    T* out = static_cast<T*>(args.out) + token * args.out_token_stride + head * args.out_head_stride;
    for (int i = 0; i < half; i++) {
      const float angle = position * (1.0f / args.freqs[i]);
      const float cos = std::cos(angle) * args.mscale, sin = std::sin(angle) * args.mscale;
      const int first = args.traditional ? 2 * i : i, second = args.traditional ? 2 * i + 1 : i + half;
      const float a = to_float(x[first]), b = to_float(x[second]);
      out[first] = from_float<T>(a * cos - b * sin);
      out[second] = from_float<T>(a * sin + b * cos);
    }
    for (int i = args.rotated; i < args.head_size; i++) out[i] = x[i];
  }
}

}  // namespace

void rope_scalar(const RopeArgs& args) {
  with_short_float(args.type, [&](auto zero) {
    for (int64_t token = 0; token < args.tokens; token++) rope_token<decltype(zero)>(args, token);
  });
}

}  // namespace hearth::cpu
