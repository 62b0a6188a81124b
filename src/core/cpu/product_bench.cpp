// Products at the shapes of two models, next to what the machine can do, measured in the same run: read bandwidth of
// all threads for one row of x, the peak of multiply-add (vdpbf16ps for bfloat16 where there is one, FMA otherwise) for
// 512.
//
//   core_cpu_bench --benchmark_filter=Product
//
// Counters: GB/s of codes, scales and biases, and `of_read`, their share of the read bandwidth; GFLOP/s and `of_peak`.
//
// Zen 4 (EPYC, 2 cores at 3.69 GHz), cycles a zmm instruction: FMA, vdpbf16ps, add, permutations, variable shifts 1;
// logic and integer max 0.5; vcvtps2ph, vcvtph2ps 1.33 (one after the other 3.1); vcvtne2ps2bf16 1.5. Pipes: FMA and
// vdpbf16ps 0 1; permutations 1 2; adds and shifts 2 3; logic any. vbroadcastss, vbroadcast*x4 and masked merges from
// memory take a permutation slot too; vpbroadcastd and vpbroadcastq from memory do not. Peaks a core: FMA 118,
// vdpbf16ps 236 GFLOP/s; read 27 GB/s by one thread, 34 by two.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/half.h"
#include "base/memory_bandwidth.h"
#include "base/thread_pool.h"
#include "core/cpu/kernels.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX2

namespace hearth::cpu {
namespace {

// 12 independent sums, here and below: enough to fill the pipes whatever the latency.
void eight_multiply_adds(int64_t count) {
  __m256 sums[12], one = _mm256_set1_ps(1.0f);
  for (auto& sum : sums) sum = one;
  for (int64_t i = 0; i < count; i++) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm256_fmadd_ps(one, one, sum);
#pragma GCC unroll 12
    for (auto& sum : sums) asm volatile("" : "+x"(sum));
  }
}

}  // namespace
}  // namespace hearth::cpu

HEARTH_TARGET_END

HEARTH_TARGET_BEGIN_AVX512BF16

namespace hearth::cpu {
namespace {

void sixteen_multiply_adds(int64_t count) {
  __m512 sums[12], one = _mm512_set1_ps(1.0f);
  for (auto& sum : sums) sum = one;
  for (int64_t i = 0; i < count; i++) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm512_fmadd_ps(one, one, sum);
#pragma GCC unroll 12
    for (auto& sum : sums) asm volatile("" : "+v"(sum));
  }
}
void bfloat16_multiply_adds(int64_t count) {
  __m512 sums[12];
  __m512i one = _mm512_set1_epi32(0x3f803f80);
  for (auto& sum : sums) sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < count; i++) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm512_dpbf16_ps(sum, (__m512bh)one, (__m512bh)one);
#pragma GCC unroll 12
    for (auto& sum : sums) asm volatile("" : "+v"(sum));
  }
}

}  // namespace
}  // namespace hearth::cpu

HEARTH_TARGET_END

namespace hearth::cpu {
namespace {

double seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

// The best of five, in units of `amount` a second.
template <class Work>
double best_rate(double amount, Work work) {
  double best = 0;
  for (int i = 0; i < 5; i++) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::max(best, amount / seconds(start));
  }
  return best;
}

double read_bytes_per_second() {
  static const double rate = 1e9 * measure_read_bandwidth();
  return rate;
}

// Each with its operations of 12 sums.
struct MultiplyAdds {
  void (*run)(int64_t count);
  int flops;
};

MultiplyAdds fastest_multiply_adds(Dtype type) {
  if (type == Dtype::kBfloat16 && active_isa() == Isa::kAvx512Bf16) return {bfloat16_multiply_adds, 12 * 64};
  if (active_isa() >= Isa::kAvx512) return {sixteen_multiply_adds, 12 * 32};
  return {eight_multiply_adds, 12 * 16};
}

double peak_flops(Dtype type) {
  if (active_isa() == Isa::kScalar) return INFINITY;  // not measured: of_peak is 0
  const MultiplyAdds adds = fastest_multiply_adds(type);
  const int64_t rounds = 200000;
  const double threads = ThreadPool::global().size();
  return best_rate(threads * static_cast<double>(rounds) * adds.flops,
                   [&] { parallel_for(static_cast<size_t>(threads), 1, [&](size_t, size_t) { adds.run(rounds); }); });
}

struct Codes {
  std::vector<uint32_t> packed;
  std::vector<uint16_t> scales, biases;
  QuantizedMatrix matrix;
  size_t bytes;

  Codes(Dtype type, int64_t n, int64_t k, int bits, int group)
      : packed(static_cast<size_t>(n * k * bits / 32)),
        scales(static_cast<size_t>(n * k / group)),
        biases(scales.size()),
        bytes(packed.size() * 4 + scales.size() * 4) {
    for (size_t i = 0; i < packed.size(); i++) packed[i] = static_cast<uint32_t>(i * 2654435761u);
    const auto round = type == Dtype::kFloat16 ? float_to_float16 : float_to_bfloat16;
    for (size_t i = 0; i < scales.size(); i++) {
      scales[i] = round(0.01f + 0.001f * static_cast<float>(i % 16));
      biases[i] = round(-0.08f - 0.007f * static_cast<float>(i % 13));
    }
    matrix = {.packed = packed.data(),
              .scales = scales.data(),
              .biases = biases.data(),
              .n = n,
              .k = k,
              .bits = bits,
              .group_size = group};
  }
};

// Enough matrices in turn that one row of x finds each in memory, not in a cache.
void quantized_product(benchmark::State& state, Dtype type, int bits, int group) {
  const int64_t n = state.range(0), k = state.range(1), m = state.range(2);
  const size_t bytes = Codes(type, n, k, bits, group).bytes;
  std::vector<Codes> matrices;
  for (size_t i = 0; i < std::max<size_t>(1, m > 16 ? 1 : (size_t{160} << 20) / bytes); i++) {
    matrices.emplace_back(type, n, k, bits, group);
  }
  for (Codes& c : matrices) {  // vectors may have moved
    c.matrix.packed = c.packed.data();
    c.matrix.scales = c.scales.data();
    c.matrix.biases = c.biases.data();
  }
  const auto round = type == Dtype::kFloat16 ? float_to_float16 : float_to_bfloat16;
  std::vector<uint16_t> x(static_cast<size_t>(m * k)), y(static_cast<size_t>(m * n));
  for (size_t i = 0; i < x.size(); i++) x[i] = round(0.01f * static_cast<float>(i * 37 % 101) - 0.5f);
  const double read = read_bytes_per_second(), peak = peak_flops(type);

  size_t next = 0;
  for (auto _ : state) {
    const QuantizedProduct product = {
        .w = matrices[next++ % matrices.size()].matrix, .y = y.data(), .y_stride = n, .m = m};
    kernels().quantized_matmul(
        {.x_type = type, .scale_type = type, .y_type = type, .x = x.data(), .x_stride = k, .products = {&product, 1}});
  }
  const double calls = static_cast<double>(state.iterations());
  const auto rate = benchmark::Counter::kIsRate;
  state.counters["GB/s"] = benchmark::Counter(static_cast<double>(bytes) * calls / 1e9, rate);
  state.counters["of_read"] = benchmark::Counter(static_cast<double>(bytes) * calls / read, rate);
  state.counters["GFLOP/s"] = benchmark::Counter(2.0 * static_cast<double>(m * n * k) * calls / 1e9, rate);
  state.counters["of_peak"] = benchmark::Counter(2.0 * static_cast<double>(m * n * k) * calls / peak, rate);
}

void Product_bfloat16_4bit_g64(benchmark::State& state) { quantized_product(state, Dtype::kBfloat16, 4, 64); }
void Product_float16_4bit_g32(benchmark::State& state) { quantized_product(state, Dtype::kFloat16, 4, 32); }
void Product_float16_8bit_g32(benchmark::State& state) { quantized_product(state, Dtype::kFloat16, 8, 32); }

// N, K, M: a model of 1.2 billion weights, then SmolLM2 135M.
BENCHMARK(Product_bfloat16_4bit_g64)
    ->Args({2048, 2048, 1})
    ->Args({8192, 2048, 1})
    ->Args({2048, 8192, 1})
    ->Args({512, 2048, 1})
    ->Args({49152, 2048, 1})
    ->Args({8192, 2048, 2})
    ->Args({8192, 2048, 4})
    ->Args({8192, 2048, 8})
    ->Args({8192, 2048, 16})
    ->Args({2048, 2048, 512})
    ->Args({8192, 2048, 512})
    ->Args({2048, 8192, 512})
    ->Args({576, 576, 512})
    ->UseRealTime();
BENCHMARK(Product_float16_4bit_g32)
    ->Args({576, 576, 1})
    ->Args({192, 576, 1})
    ->Args({1536, 576, 1})
    ->Args({576, 1536, 1})
    ->Args({1536, 576, 8})
    ->Args({576, 576, 512})
    ->Args({1536, 576, 512})
    ->Args({576, 1536, 512})
    ->UseRealTime();
BENCHMARK(Product_float16_8bit_g32)->Args({49152, 576, 1})->Args({49152, 576, 8})->UseRealTime();

}  // namespace
}  // namespace hearth::cpu
