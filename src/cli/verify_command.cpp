// One sequence is run in many ways: in one piece, in chunks, beside others, on other numbers of threads, trimmed back,
// from a copy of its cache. Its hidden states at every position and its logits at some are compared as bytes with those
// of the run in one piece, once for each instruction set.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "base/thread_pool.h"
#include "cli/across_isas.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "core/cpu/isa.h"
#include "generate/random_stream.h"
#include "models/model.h"
#include "weights/model_folder.h"

namespace hearth::cli {
namespace {

constexpr const char* kVerifyExamples = R"(  hearth verify --model DIR
  hearth verify --model DIR --tokens 200 --isa avx2
  hearth verify --model DIR --across-isas
)";

constexpr int kLogitsEvery = 8;  // positions

// Enough for whole tiles and a rest of every kernel. The scalar ones have no tiles; of a model of 135M parameters they
// decode about one token a second on two cores, the others more than thirty.
int default_tokens(cpu::Isa isa, const models::Model& model) {
  const int tokens = isa == cpu::Isa::kScalar ? 20 : 64, context = model.info().context_length;
  return context > 0 ? std::min(tokens, context) : tokens;
}

// What the model computed at each position, as bytes.
struct Trace {
  std::vector<std::string> hidden, logits;

  // The first position at which the two differ; none when they are the same.
  std::optional<size_t> first_difference(const Trace& other) const {
    for (size_t i = 0; i < hidden.size(); ++i)
      if (hidden[i] != other.hidden.at(i) || logits[i] != other.logits.at(i)) return i;
    return std::nullopt;
  }
};

std::vector<std::string> rows_as_bytes(const mx::array& rows) {
  const mx::array flat = mx::contiguous(rows);
  const char* data = reinterpret_cast<const char*>(flat.data<uint8_t>());
  const size_t bytes = flat.nbytes() / static_cast<size_t>(flat.shape(0));
  std::vector<std::string> result;
  for (int i = 0; i < flat.shape(0); ++i) result.emplace_back(data + static_cast<size_t>(i) * bytes, bytes);
  return result;
}

class Prover {
 public:
  Prover(models::Model& model, int tokens) : model_(model) {
    generate::RandomStream random(2024);
    for (int i = 0; i < tokens; ++i) tokens_.push_back(static_cast<int32_t>(random.uniform() * model.vocab_size()));
  }

  int tokens() const { return static_cast<int>(tokens_.size()); }

  Trace in_chunks_of(int size) {
    return run(*make_cache(), 0, [&](int) { return size; });
  }

  Trace in_random_chunks(uint64_t seed) {
    generate::RandomStream random(seed);
    return run(*make_cache(), 0, [&](int left) { return 1 + static_cast<int>(random.uniform() * left); });
  }

  // Beside `mates` other sequences, which come before and after it. They decode too when it does, with a longer chunk
  // now and then, else grow by chunks of other sizes.
  Trace beside(int mates, int chunk) {
    std::vector<std::unique_ptr<cache::SequenceCache>> others;
    for (int i = 0; i < mates; ++i) others.push_back(make_cache());
    int step = 0;
    return run(
        *make_cache(), 0, [&](int) { return chunk; },
        [&](cache::RaggedBatch& batch, std::vector<int32_t>& ids, bool before) {
          for (size_t i = before ? 0 : 1; i < others.size(); i += 2) {
            const bool decodes = chunk == 1 && step % 7 != 0;
            const int count = decodes ? 1 : 1 + (step * 5) % 11;
            ++step;
            batch.add(*others[i], count);
            for (int k = 0; k < count; ++k) ids.push_back(tokens_[static_cast<size_t>(k * 3 + step) % tokens_.size()]);
          }
        });
  }

  // Half of it, then other tokens that are taken back, then the rest.
  Trace after_trim() {
    const auto cache = make_cache();
    Trace trace = run(
        *cache, 0, [&](int) { return tokens() / 2; }, {}, tokens() / 2);
    std::vector<int32_t> wrong(tokens_.rbegin(), tokens_.rbegin() + std::min(9, tokens()));
    feed(*cache, wrong);
    if (!cache->can_trim(static_cast<int>(wrong.size()))) return trace;
    cache->trim(static_cast<int>(wrong.size()));
    append(trace, run(*cache, tokens() / 2, [&](int left) { return left; }));
    return trace;
  }

  // Half of it, then the rest on a copy of what was kept.
  Trace from_kept_copy() {
    const auto cache = make_cache();
    Trace trace = run(
        *cache, 0, [&](int) { return 5; }, {}, tokens() / 2);
    const auto copy = cache->clone();
    feed(*cache, {1, 2, 3});
    append(trace, run(*copy, tokens() / 2, [](int) { return 1; }));
    return trace;
  }

 private:
  using Mates = std::function<void(cache::RaggedBatch& batch, std::vector<int32_t>& ids, bool before)>;

  std::unique_ptr<cache::SequenceCache> make_cache() const { return model_.make_cache({}); }

  static void append(Trace& trace, Trace more) {
    std::move(more.hidden.begin(), more.hidden.end(), std::back_inserter(trace.hidden));
    std::move(more.logits.begin(), more.logits.end(), std::back_inserter(trace.logits));
  }

  void feed(cache::SequenceCache& cache, const std::vector<int32_t>& ids) {
    cache::RaggedBatch batch;
    batch.add(cache, static_cast<int>(ids.size()));
    mx::eval(model_.forward(mx::array(ids.data(), mx::Shape{static_cast<int>(ids.size())}, mx::int32), batch));
  }

  // Runs tokens [begin, end) in chunks of next(tokens left) each, `mates` around them.
  Trace run(cache::SequenceCache& cache, int begin, const std::function<int(int left)>& next, const Mates& mates = {},
            int end = -1) {
    if (end < 0) end = tokens();
    Trace trace;
    while (begin < end) {
      const int count = std::clamp(next(end - begin), 1, end - begin);
      cache::RaggedBatch batch;
      std::vector<int32_t> ids;
      if (mates) mates(batch, ids, true);
      const int first_row = static_cast<int>(ids.size());
      batch.add(cache, count);
      ids.insert(ids.end(), tokens_.begin() + begin, tokens_.begin() + begin + count);
      if (mates) mates(batch, ids, false);
      const mx::array hidden =
          model_.forward(mx::array(ids.data(), mx::Shape{static_cast<int>(ids.size())}, mx::int32), batch);
      append(trace,
             rows(mx::slice(hidden, mx::Shape{first_row, 0}, mx::Shape{first_row + count, hidden.shape(1)}), begin));
      begin += count;
    }
    return trace;
  }

  // `hidden` are the rows of the tokens from `position` on.
  Trace rows(const mx::array& hidden, int position) {
    Trace trace;
    trace.hidden = rows_as_bytes(hidden);
    trace.logits.resize(trace.hidden.size());
    std::vector<int32_t> chosen;
    for (int i = 0; i < hidden.shape(0); ++i)
      if ((position + i) % kLogitsEvery == 0) chosen.push_back(i);
    if (chosen.empty()) return trace;
    const mx::array indices(chosen.data(), mx::Shape{static_cast<int>(chosen.size())}, mx::int32);
    std::vector<std::string> logits = rows_as_bytes(model_.logits(mx::take(hidden, indices, 0)));
    for (size_t i = 0; i < chosen.size(); ++i) trace.logits[static_cast<size_t>(chosen[i])] = std::move(logits[i]);
    return trace;
  }

  models::Model& model_;
  std::vector<int32_t> tokens_;
};

struct Check {
  std::string name;
  std::function<Trace(Prover&)> run;
};

Check with_threads(int threads, const std::string& name, std::function<Trace(Prover&)> run) {
  return {name, [threads, run = std::move(run)](Prover& prover) {
            const int before = ThreadPool::global().size();
            ThreadPool::global().resize(threads);
            Trace trace = run(prover);
            ThreadPool::global().resize(before);
            return trace;
          }};
}

std::vector<Check> all_checks() {
  std::vector<Check> checks;
  for (const int size : {1, 2, 7, 16, 33})
    checks.push_back({fmt::format("chunks of {}", size), [=](Prover& p) { return p.in_chunks_of(size); }});
  for (const uint64_t seed : {1, 2})
    checks.push_back(
        {fmt::format("random chunks, seed {}", seed), [=](Prover& p) { return p.in_random_chunks(seed); }});
  for (const int threads : {1, 2, 3, 4}) {
    checks.push_back(with_threads(threads, fmt::format("{} threads, one piece", threads),
                                  [](Prover& p) { return p.in_chunks_of(p.tokens()); }));
    checks.push_back(with_threads(threads, fmt::format("{} threads, chunks of 5", threads),
                                  [](Prover& p) { return p.in_chunks_of(5); }));
  }
  for (const int mates : {1, 3, 7}) {
    checks.push_back(
        {fmt::format("beside {} others, chunks of 6", mates), [=](Prover& p) { return p.beside(mates, 6); }});
    checks.push_back({fmt::format("beside {} others, decoding", mates), [=](Prover& p) { return p.beside(mates, 1); }});
  }
  checks.push_back({"trimmed and continued", [](Prover& p) { return p.after_trim(); }});
  checks.push_back({"continued from a copy of the kept cache", [](Prover& p) { return p.from_kept_copy(); }});
  return checks;
}

// Prints one row a check. Returns how many differed.
int prove(models::Model& model, cpu::Isa isa, std::optional<int> wanted_tokens) {
  cpu::use_isa(isa);
  const int tokens = wanted_tokens.value_or(default_tokens(isa, model));
  Prover prover(model, tokens);
  const Trace reference = prover.in_chunks_of(tokens);
  int failures = 0;
  for (const Check& check : all_checks()) {
    const std::optional<size_t> difference = reference.first_difference(check.run(prover));
    print_now(fmt::format("{:<12} {:<42} {}\n", cpu::isa_name(isa), check.name,
                          difference ? fmt::format("DIFFERS from token {} on", *difference) : "same bits"));
    failures += difference.has_value();
  }
  return failures;
}

}  // namespace

int run_verify(const Arguments& arguments) {
  std::string model_name = kDefaultModel, only;
  std::optional<int> tokens;
  bool across_isas = false;
  CommandLine line(
      "verify",
      "Proves on this machine that a token's numbers depend on its own history and nothing else: not on\n"
      "chunks, threads, other sequences, or whether what came before was kept; with --across-isas, not on\n"
      "the instruction set either. Exit status 1 if they do.",
      kVerifyExamples);
  line.option("--model", model_name, std::string(kModelHelp) + " [" + kDefaultModel + "]");
  line.option("--tokens", tokens,
              "Tokens of the sequence [64, or what fits the context; 20 on scalar, which is slow; 16 across]");
  line.option("--isa", only, "Only this instruction set: scalar, avx2, avx512, avx512bf16 [each this machine has]");
  line.flag("--across-isas", across_isas,
            "Compare scalar, avx2 and avx512 operation by operation, which must have the same bits. avx512bf16, whose "
            "products do not, is compared too");
  if (!line.parse(arguments)) return 0;
  if (across_isas && !only.empty()) throw std::invalid_argument("--across-isas compares all; --isa names one.");
  if (tokens && (*tokens < 16 || *tokens > 65536))
    throw std::invalid_argument("--tokens must be between 16 and 65536.");
  const auto isas = cpu::available_isas();
  if (!only.empty() && std::none_of(isas.begin(), isas.end(), [&](cpu::Isa isa) { return cpu::isa_name(isa) == only; }))
    throw std::invalid_argument("This machine has no instruction set '" + only + "'.");

  const std::unique_ptr<models::Model> model = models::load_model(weights::ModelFolder(model_folder(model_name)));
  const int context = model->info().context_length;
  if (tokens && context > 0 && *tokens > context)
    throw std::invalid_argument("The model's context is shorter than --tokens.");
  if (across_isas) return compare_isas(*model, tokens) == 0 ? 0 : 1;
  int failures = 0;
  for (auto isa = isas.rbegin(); isa != isas.rend(); ++isa)
    if (only.empty() || cpu::isa_name(*isa) == only) failures += prove(*model, *isa, tokens);
  print_now(failures == 0 ? "Every run gave the same bits.\n" : fmt::format("{} runs differ.\n", failures));
  return failures == 0 ? 0 : 1;
}

}  // namespace hearth::cli
