// Attention of SmolLM2's and a 1B Llama's layers. Counters: multiply-adds a second, and microseconds a call.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/attention.h"
#include "core/cpu/kernels.h"

namespace hearth::cpu {
namespace {

// heads, kv heads, head size, new tokens, context, threads, type
void attention(benchmark::State& state) {
  const int heads = state.range(0), kv_heads = state.range(1), size = state.range(2), tokens = state.range(3);
  const int context = state.range(4);
  ThreadPool::global().resize(state.range(5));
  const Dtype type = static_cast<Dtype>(state.range(6));
  const size_t bytes = size_of(type);
  std::vector<uint8_t> q(size_t(tokens) * heads * size * bytes, 0x31), out(q.size());
  std::vector<uint8_t> k(size_t(kv_heads) * context * size * bytes, 0x32), v(k.size(), 0x33);
  AttentionRun run;
  run.q = q.data(), run.out = out.data(), run.k = k.data(), run.v = v.data();
  run.q_token_stride = run.out_token_stride = heads * size, run.q_head_stride = run.out_head_stride = size;
  run.k_head_stride = run.v_head_stride = int64_t(context) * size, run.k_slot_stride = run.v_slot_stride = size;
  run.tokens = tokens, run.first_position = context - tokens, run.keys = context;
  AttentionArgs args;
  args.type = type, args.heads = heads, args.kv_heads = kv_heads, args.head_size = args.value_size = size;
  args.scale = 0.125f, args.runs = &run, args.run_count = 1;
  for (auto _ : state) kernels().attention(args);
  const double keys_seen = double(tokens) * (context - tokens) + double(tokens) * (tokens + 1) / 2;
  state.counters["fma/s"] =
      benchmark::Counter(keys_seen * heads * size * 2, benchmark::Counter::kIsIterationInvariantRate);
}

constexpr int kHalf = static_cast<int>(Dtype::kFloat16), kBrain = static_cast<int>(Dtype::kBfloat16);
BENCHMARK(attention)
    ->ArgNames({"H", "Hkv", "D", "T", "S", "threads", "type"})
    ->Args({9, 3, 64, 512, 512, 1, kHalf})
    ->Args({9, 3, 64, 512, 512, 2, kHalf})
    ->Args({9, 3, 64, 1, 8, 1, kHalf})
    ->Args({9, 3, 64, 1, 512, 1, kHalf})
    ->Args({9, 3, 64, 1, 512, 2, kHalf})
    ->Args({32, 8, 64, 512, 512, 1, kBrain})
    ->Args({32, 8, 64, 512, 512, 2, kBrain})
    ->Args({32, 8, 64, 1, 512, 1, kBrain})
    ->Args({32, 8, 64, 1, 512, 2, kBrain})
    ->Args({32, 8, 128, 1, 4096, 2, kBrain})
    ->Args({32, 32, 128, 1, 4096, 2, kHalf})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace hearth::cpu
