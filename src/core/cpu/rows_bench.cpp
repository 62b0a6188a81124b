// What a layer runs besides products and attention, at SmolLM2's decoding shapes, and reductions of its logits.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "core/cpu/kernels.h"

namespace hearth::cpu {
namespace {

constexpr int kWidth = 576, kFeedForward = 1536, kVocabulary = 49152;

void rms_norm(benchmark::State& state) {
  const int64_t rows = state.range(0);
  std::vector<uint16_t> x(rows * kWidth, 0x3c00), weight(kWidth, 0x3c00), out(x.size());
  RmsNormArgs args;
  args.type = Dtype::kFloat16, args.x = x.data(), args.weight = weight.data(), args.out = out.data();
  args.rows = rows, args.columns = args.x_stride = args.out_stride = kWidth;
  for (auto _ : state) kernels().rms_norm(args);
}
BENCHMARK(rms_norm)->Arg(1)->Arg(512);

void rope(benchmark::State& state) {
  const int tokens = state.range(0);
  std::vector<uint16_t> x(size_t(tokens) * kWidth, 0x3c00);
  std::vector<float> freqs(32);
  for (int i = 0; i < 32; i++) freqs[i] = std::pow(10000.0f, i / 32.0f);
  RopeArgs args;
  args.type = Dtype::kFloat16, args.x = args.out = x.data(), args.tokens = tokens, args.heads = 9;
  args.head_size = args.rotated = 64, args.freqs = freqs.data();
  args.x_token_stride = args.out_token_stride = kWidth, args.x_head_stride = args.out_head_stride = 64;
  for (auto _ : state) kernels().rope(args);
}
BENCHMARK(rope)->Arg(1)->Arg(512);

void swiglu(benchmark::State& state) {
  const int32_t shape[] = {static_cast<int32_t>(state.range(0)), kFeedForward};
  std::vector<uint16_t> gate(size_t(shape[0]) * kFeedForward, 0x3800), up(gate), out(gate);
  for (auto _ : state) {
    kernels().binary({BinaryOp::kSwiglu, Dtype::kFloat16, {gate.data()}, {up.data()}, out.data(), shape, 2});
  }
}
BENCHMARK(swiglu)->Arg(1)->Arg(512);

void add(benchmark::State& state) {
  const int32_t count = state.range(0);
  std::vector<float> a(count, 1.0f), b(count, 2.0f), out(count);
  for (auto _ : state)
    kernels().binary({BinaryOp::kAdd, Dtype::kFloat32, {a.data()}, {b.data()}, out.data(), &count, 1});
}
BENCHMARK(add)->Arg(1)->Arg(kWidth)->Arg(1 << 20);

std::vector<float> some_logits() {
  std::vector<float> logits(kVocabulary);
  for (int i = 0; i < kVocabulary; i++) logits[i] = static_cast<float>(i * 7919 % kVocabulary) / 4096;
  return logits;
}

void log_sum_exp(benchmark::State& state) {
  const std::vector<float> logits = some_logits();
  float out;
  for (auto _ : state) {
    kernels().log_sum_exp({Dtype::kFloat32, logits.data(), &out, 1, kVocabulary, kVocabulary});
  }
}
BENCHMARK(log_sum_exp);

void arg_max(benchmark::State& state) {
  const std::vector<float> logits = some_logits();
  uint32_t out;
  const int32_t shape = kVocabulary;
  for (auto _ : state) {
    kernels().arg_reduce({ArgReduceOp::kArgMax, Dtype::kFloat32, {logits.data()}, &out, &shape, 1});
  }
}
BENCHMARK(arg_max);

}  // namespace
}  // namespace hearth::cpu
