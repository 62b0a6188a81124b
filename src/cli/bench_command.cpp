// A run has two parts. First all sequences read their prompts, each giving one token: prompt speed and time to the
// first token. Then they go on together from what is kept: generation speed, timed between the first and the last
// token.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/memory_bandwidth.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/load_model.h"
#include "generate/generate.h"
#include "models/model.h"
#include "weights/model_folder.h"

namespace hearth::cli {
namespace {

constexpr const char* kBenchExamples = R"(  hearth bench --model DIR
  hearth bench --model DIR -p 8 -g 256 -r 3 --json
  hearth bench --model DIR -p 512 --context 4096
  hearth bench --model DIR -p 64 --batch 8
)";

struct BenchOptions {
  std::string model = kDefaultModel;
  int prompt = 512, generation = 128, runs = 5;
  int context = 0;  // tokens before the generated ones; 0: the prompt's
  int batch = 1;
  int prefill_step_size = generate::EngineOptions{}.prefill_step_size;
  int threads = 0;
  bool json = false;
};

struct Run {
  double prompt_tps, generation_tps, ttft_ms;
};

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::vector<int32_t> random_tokens(const generate::LoadedModel& model, int count, uint64_t seed) {
  generate::RandomStream random(seed);
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  for (int32_t& token : tokens) token = static_cast<int32_t>(random.uniform() * model.model->vocab_size());
  return tokens;
}

[[noreturn]] void fail(const generate::Finished& finished) { throw RequestError(finished.status, finished.error); }

// Steps until the engine is idle; calls on_token() after each step that gave tokens. Returns what was kept.
template <typename OnTokens>
std::vector<generate::KeptSequence> run_to_end(generate::Engine& engine, OnTokens on_tokens) {
  std::vector<generate::KeptSequence> kept;
  while (!engine.idle()) {
    int tokens = 0;
    for (generate::Event& event : engine.step()) {
      tokens += std::holds_alternative<generate::TokenEvent>(event.what);
      if (auto* finished = std::get_if<generate::Finished>(&event.what)) {
        if (finished->reason == generate::FinishReason::kError) fail(*finished);
        kept.push_back(std::move(finished->sequence));
      }
    }
    if (tokens > 0) on_tokens(tokens);
  }
  return kept;
}

// Reads `count` prompts of `length` tokens. Seconds until the first and until the last of them has its token.
std::vector<generate::KeptSequence> read_prompts(generate::LoadedModel& model, const BenchOptions& options, int length,
                                                 double& first, double& last) {
  generate::Engine engine(*model.model, nullptr, {.prefill_step_size = options.prefill_step_size});
  const auto start = Clock::now();
  for (int i = 0; i < options.batch; ++i)
    engine.submit({.prompt = random_tokens(model, length, static_cast<uint64_t>(i) + 1), .max_tokens = 1});
  first = last = 0;
  return run_to_end(engine, [&](int) {
    last = seconds_since(start);
    if (first == 0) first = last;
  });
}

double generation_speed(generate::LoadedModel& model, const BenchOptions& options,
                        std::vector<generate::KeptSequence> kept) {
  generate::Engine engine(*model.model, nullptr, {.max_running = options.batch});
  for (generate::KeptSequence& sequence : kept) {
    generate::Request request{.prompt = sequence.tokens, .max_tokens = options.generation + 1};
    request.kept = std::move(sequence);
    engine.submit(std::move(request));
  }
  Clock::time_point start;
  double seconds = 0;
  int generated = -1;  // steps of all sequences after the first
  run_to_end(engine, [&](int) {
    if (++generated == 0) start = Clock::now();
    seconds = seconds_since(start);
  });
  return options.batch * generated / seconds;
}

Run run_once(generate::LoadedModel& model, const BenchOptions& options) {
  double first = 0, last = 0, unused = 0;
  std::vector<generate::KeptSequence> kept = read_prompts(model, options, options.prompt, first, last);
  if (options.context > 0) kept = read_prompts(model, options, options.context, unused, unused);
  return {.prompt_tps = options.batch * options.prompt / last,
          .generation_tps = generation_speed(model, options, std::move(kept)),
          .ttft_ms = first * 1e3};
}

struct Summary {
  double median, min, max;
};

Summary summarize(const std::vector<Run>& runs, double Run::*value) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(run.*value);
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return {values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2, values.front(), values.back()};
}

// Bytes of weights that a step reads: all, but of an embedding that is not also the head only a row a token.
size_t weight_bytes_per_step(const std::filesystem::path& path) {
  weights::TensorSet tensors = weights::ModelFolder(path).tensors();
  const std::vector<std::string> names = tensors.names();
  const auto is_head = [](const std::string& name) { return name.starts_with("lm_head."); };
  if (std::any_of(names.begin(), names.end(), is_head))
    for (const std::string& name : names)
      if (name.find("embed_tokens.") != std::string::npos) tensors.drop(name);
  return tensors.bytes();
}

double bytes_per_step(const generate::LoadedModel& model, const BenchOptions& options) {
  const double context = (options.context > 0 ? options.context : options.prompt) + options.generation / 2.0;
  return static_cast<double>(weight_bytes_per_step(model.folder)) +
         options.batch * context * static_cast<double>(model.model->info().kv_bytes_per_token);
}

void check(const BenchOptions& options, const generate::LoadedModel& model) {
  const int longest = std::max(options.prompt, options.context) + options.generation + 1;
  if (model.context_length > 0 && longest > model.context_length)
    throw std::invalid_argument(
        fmt::format("bench: {} tokens do not fit the model's context of {}.", longest, model.context_length));
}

void require_positive(const char* option, int value, int least = 1) {
  if (value < least || value > 1 << 24)
    throw std::invalid_argument(fmt::format("bench: {} must be between {} and {}.", option, least, 1 << 24));
}

BenchOptions parse(const Arguments& arguments, bool& help) {
  BenchOptions options;
  CommandLine line("bench", "Measures prompt and generation speed on random tokens.", kBenchExamples);
  line.option("--model", options.model, std::string(kModelHelp) + " [" + kDefaultModel + "]");
  line.option("--prompt-tokens,-p", options.prompt, "Tokens of the prompt");
  line.option("--generation-tokens,-g", options.generation, "Tokens to generate");
  line.option("--runs,-r,--num-trials,-n", options.runs, "Measured runs, after one to warm up");
  line.option("--context", options.context, "Tokens before the generated ones; 0: the prompt's");
  line.option("--batch,--batch-size,-b", options.batch, "Sequences at once; speeds are their sum");
  line.option("--prefill-step-size", options.prefill_step_size, "Prompt tokens processed at a time");
  line.option("--threads", options.threads, "Threads; 0: one for each CPU");
  line.ignored_flag("--pipeline");
  line.ignored_option("--delay");
  line.flag("--json", options.json, "Print one JSON object and nothing else");
  help = !line.parse(arguments);
  require_positive("--prompt-tokens", options.prompt);
  require_positive("--generation-tokens", options.generation);
  require_positive("--runs", options.runs);
  require_positive("--batch", options.batch);
  require_positive("--context", options.context, 0);
  require_positive("--prefill-step-size", options.prefill_step_size);
  return options;
}

}  // namespace

int run_bench(const Arguments& arguments) {
  bool help = false;
  const BenchOptions options = parse(arguments, help);
  if (help) return 0;
  use_threads(options.threads);
  generate::LoadedModel model = load_model(options.model);
  check(options, model);

  ProgressLine progress;
  std::vector<Run> runs;
  for (int i = 0; i <= options.runs; ++i) {
    progress.show(i == 0 ? "Warming up" : fmt::format("Run {} of {}", i, options.runs));
    const Run run = run_once(model, options);
    if (i > 0) runs.push_back(run);
  }
  const double peak = generate::peak_memory_gb();  // before the bandwidth's block counts too
  const double bandwidth = measure_read_bandwidth();
  progress.clear();

  const Summary prompt = summarize(runs, &Run::prompt_tps), generation = summarize(runs, &Run::generation_tps);
  const double ttft = summarize(runs, &Run::ttft_ms).median;
  const double share = bytes_per_step(model, options) * generation.median / options.batch / 1e9 / bandwidth;
  if (options.json) {
    print_now(Json{{"load_ms", model.load_seconds * 1e3},
                   {"ttft_ms", ttft},
                   {"prompt_tps", prompt.median},
                   {"prompt_tps_min", prompt.min},
                   {"prompt_tps_max", prompt.max},
                   {"generation_tps", generation.median},
                   {"generation_tps_min", generation.min},
                   {"generation_tps_max", generation.max},
                   {"peak_memory_gb", peak},
                   {"read_bandwidth_gbs", bandwidth},
                   {"bandwidth_share", share}}
                  .dump() +
              "\n");
    return 0;
  }
  print_now(
      fmt::format("Load            {:10.1f} ms\nFirst token     {:10.1f} ms\n", model.load_seconds * 1e3, ttft) +
      fmt::format("Prompt          {:10.1f} tokens/s  ({:.1f} to {:.1f})\n", prompt.median, prompt.min, prompt.max) +
      fmt::format("Generation      {:10.1f} tokens/s  ({:.1f} to {:.1f})\n", generation.median, generation.min,
                  generation.max) +
      fmt::format("Peak memory     {:10.3f} GB\nRead bandwidth  {:10.1f} GB/s, of which generation used {:.0f} %\n",
                  peak, bandwidth, share * 100));
  return 0;
}

}  // namespace hearth::cli
