// Rope for a vector type V, included by the ISA files inside their target region.
//
// A token's cos and sin are computed once, laid out as its pairs lie, and used for all heads.
#pragma once

#include "core/cpu/extrema.h"

namespace hearth::cpu {

// Factors of one token, [rotated] each: out[i] = x[i] * cos[i] + x[partner of i] * sin[i]. Both halves of a pair have
// the same cos, and sin with opposite signs.
struct TokenAngles {
  float *cos, *sin;
};

template <class V>
void compute_angles(const RopeArgs& args, int64_t token, const TokenAngles& angles) {
  const int half = args.rotated / 2;
  const int64_t position = args.positions ? args.positions[token] : args.offset + token;
  const V scaled = V::all(static_cast<float>(position) * args.position_scale), mscale = V::all(args.mscale);
  for (int i = 0; i < half; i += V::kWidth) {
    const int count = min_of(V::kWidth, half - i);
    const V freqs = count == V::kWidth ? V::load(args.freqs + i) : V::load_first(args.freqs + i, count);
    const V angle = first_lanes(scaled * (V::all(1.0f) / freqs), count);
    V sin, cos;
    sin_cos(angle, sin, cos);
    float sines[V::kWidth], cosines[V::kWidth];
    (sin * mscale).store(sines);
    (cos * mscale).store(cosines);
    for (int lane = 0; lane < count; lane++) {
      const int first = args.traditional ? 2 * (i + lane) : i + lane;
      const int second = args.traditional ? first + 1 : first + half;
      angles.cos[first] = angles.cos[second] = cosines[lane];
      angles.sin[first] = -sines[lane];
      angles.sin[second] = sines[lane];
    }
  }
}

template <class V, class T, class Lanes>
inline void turn_halves(const T* x, T* out, int i, int half, const TokenAngles& angles, Lanes lanes) {
  const V a = lanes.load(x + i), b = lanes.load(x + half + i);
  const V cos = lanes.load(angles.cos + i), sin = lanes.load(angles.sin + half + i);
  lanes.store(fnma(b, sin, a * cos), out + i);
  lanes.store(fma(a, sin, b * cos), out + half + i);
}

template <class V, class T>
void turn_head(const RopeArgs& args, const T* x, T* out, const TokenAngles& angles) {
  const int half = args.rotated / 2;
  if (args.traditional) {
    for_each_vector<V>(args.rotated, [&](int64_t i, auto lanes) {
      const V v = lanes.load(x + i);
      lanes.store(fma(v, lanes.load(angles.cos + i), swap_pairs(v) * lanes.load(angles.sin + i)), out + i);
    });
  } else {
    for_each_vector<V>(half, [&](int64_t i, auto lanes) { turn_halves<V>(x, out, i, half, angles, lanes); });
  }
  for (int i = args.rotated; i < args.head_size; i++) out[i] = x[i];
}

template <class V, class T>
void rope_tokens(const RopeArgs& args, int64_t begin, int64_t end) {
  float* scratch = thread_scratch(ScratchUse::kTile, 2 * size_t(args.rotated));
  const TokenAngles angles{scratch, scratch + args.rotated};
  for (int64_t token = begin; token < end; token++) {
    compute_angles<V>(args, token, angles);
    for (int head = 0; head < args.heads; head++) {
      turn_head<V>(args, static_cast<const T*>(args.x) + token * args.x_token_stride + head * args.x_head_stride,
                   static_cast<T*>(args.out) + token * args.out_token_stride + head * args.out_head_stride, angles);
    }
  }
}

template <class V>
void rope(const RopeArgs& args) {
  // About 16k elements, some 3 us, a thread at a time.
  const size_t grain = max_of<size_t>(1, 16384 / max_of(1, args.heads * args.head_size));
  with_short_float(args.type, [&](auto zero) {
    parallel_for(args.tokens, grain,
                 [&](size_t begin, size_t end) { rope_tokens<V, decltype(zero)>(args, begin, end); });
  });
}

}  // namespace hearth::cpu
