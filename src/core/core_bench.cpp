// What the engine itself costs: building and evaluating a thousand additions of one element (at most 0.5 ms in all).
#include <benchmark/benchmark.h>

#include "core/mx.h"

namespace hearth::core {
namespace {

void thousand_additions(benchmark::State& state) {
  const array one(1.0f);
  for (auto _ : state) {
    array x(0.0f);
    for (int i = 0; i < 1000; ++i) x = add(x, one);
    eval(x);
    benchmark::DoNotOptimize(x.data<float>());
  }
}
BENCHMARK(thousand_additions)->Unit(benchmark::kMicrosecond);

void thousand_views(benchmark::State& state) {
  const array source = zeros({4, 6});
  array(source).eval();
  for (auto _ : state) {
    array x = source;
    for (int i = 0; i < 500; ++i) x = reshape(reshape(x, {24}), {4, 6});
    eval(x);
    benchmark::DoNotOptimize(x.data<float>());
  }
}
BENCHMARK(thousand_views)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace hearth::core
