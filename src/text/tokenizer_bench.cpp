// Speed of a real tokenizer. HEARTH_TOKENIZER names a tokenizer.json, HEARTH_TEXT a text; without them a test fixture
// is measured. tools/bench_tokenizers.py runs this beside the tokenizers library and prints the ratios.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "base/file.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"

namespace hearth::text {
namespace {

std::string file_named_by(const char* variable, const char* fallback) {
  const char* path = std::getenv(variable);
  return path ? read_file(path) : std::string(fallback);
}

const std::string& tokenizer_json() {
  static const std::string json =
      file_named_by("HEARTH_TOKENIZER", R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}})");
  return json;
}

const std::string& sample_text() {
  static const std::string text = file_named_by("HEARTH_TEXT", "abababbbaaab abba");
  return text;
}

const std::shared_ptr<const Tokenizer>& tokenizer() {
  static const auto tokenizer = Tokenizer::from_json(tokenizer_json());
  return tokenizer;
}

void Load(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Tokenizer::from_json(tokenizer_json()));
}
BENCHMARK(Load)->Unit(benchmark::kMillisecond);

void Encode(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer()->encode(sample_text()));
  state.SetBytesProcessed(static_cast<int64_t>(sample_text().size()) * state.iterations());
}
BENCHMARK(Encode)->Unit(benchmark::kMillisecond);

void EncodeWithOffsets(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer()->encode_with_offsets(sample_text()));
  state.SetBytesProcessed(static_cast<int64_t>(sample_text().size()) * state.iterations());
}
BENCHMARK(EncodeWithOffsets)->Unit(benchmark::kMillisecond);

void Decode(benchmark::State& state) {
  const auto ids = tokenizer()->encode(sample_text());
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer()->decode(ids));
  state.SetBytesProcessed(static_cast<int64_t>(sample_text().size()) * state.iterations());
}
BENCHMARK(Decode)->Unit(benchmark::kMillisecond);

void Stream(benchmark::State& state) {
  const auto ids = tokenizer()->encode(sample_text());
  for (auto _ : state) {
    Detokenizer detokenizer(tokenizer());
    for (const int32_t id : ids) benchmark::DoNotOptimize(detokenizer.add(id));
  }
  state.SetItemsProcessed(static_cast<int64_t>(ids.size()) * state.iterations());
}
BENCHMARK(Stream)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hearth::text
