// The specification of rope: token by token, pair by pair. Of a pair's four products two are rounded, the other two
// join them unrounded: which ones depends on how pairs lie.
#include "core/cpu/rope.h"
#include "core/cpu/vector_scalar.h"

#include "core/cpu/vector_math_inl.h"

namespace hearth::cpu {
namespace {

struct Pair {
  float first, second;
};

Pair turned(Pair x, Pair angle, bool traditional) {
  const auto [cos, sin] = angle;
  if (traditional) {
    return {multiply_add(x.first, cos, x.second * -sin), multiply_add(x.second, cos, x.first * sin)};
  }
  return {multiply_add(-x.second, sin, x.first * cos), multiply_add(x.first, sin, x.second * cos)};
}

template <class T>
void rope_token(const RopeArgs& args, int64_t token) {
  const int half = args.rotated / 2;
  const float position =
      static_cast<float>(args.positions ? args.positions[token] : args.offset + token) * args.position_scale;
  for (int head = 0; head < args.heads; head++) {
    const T* x = static_cast<const T*>(args.x) + token * args.x_token_stride + head * args.x_head_stride;
    T* out = static_cast<T*>(args.out) + token * args.out_token_stride + head * args.out_head_stride;
    for (int i = 0; i < half; i++) {
      F32x1 sin, cos;
      sin_cos(F32x1{position * (1.0f / args.freqs[i])}, sin, cos);
      const int first = args.traditional ? 2 * i : i, second = args.traditional ? 2 * i + 1 : i + half;
      const Pair y = turned({to_float(x[first]), to_float(x[second])}, {cos.v * args.mscale, sin.v * args.mscale},
                            args.traditional);
      out[first] = from_float<T>(y.first);
      out[second] = from_float<T>(y.second);
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
