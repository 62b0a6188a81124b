// A step is planned, run, and its rows handed to their sequences. When a shared forward throws, nobody can say whose
// fault it was and the caches it touched are half written: everyone in it starts again from its tokens, one sequence a
// step, until the culprit fails alone. By the row law the recomputed numbers are the ones that were lost.
#include "generate/engine.h"

#include <algorithm>
#include <deque>
#include <stdexcept>

#include "generate/sequence.h"

namespace hearth::generate {
namespace {

// Tokens of one sequence that a step runs.
struct Run {
  Sequence* sequence;
  int tokens;

  bool completes() const { return static_cast<size_t>(tokens) == sequence->pending().size(); }
};

}  // namespace

struct Engine::State {
  models::Model& model;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  EngineOptions options;
  uint64_t last_id = 0;
  std::deque<std::unique_ptr<Sequence>> sequences;  // in order of submission
  std::vector<Event> cancelled;                     // for the next step

  std::vector<Run> plan() const;
  void run(const std::vector<Run>& plan, std::vector<Event>& events);
  mx::array forward(const std::vector<Run>& plan, std::vector<Sequence*>& rows);
  void recover(const std::vector<Run>& plan, std::exception_ptr thrown, std::vector<Event>& events);
};

Engine::Engine(models::Model& model, std::shared_ptr<const text::Tokenizer> tokenizer, EngineOptions options)
    : state_(new State{model, std::move(tokenizer), options, 0, {}, {}}) {
  if (options.prefill_step_size < 1) throw std::invalid_argument("[engine] prefill_step_size must be at least 1.");
  if (options.max_running < 1) throw std::invalid_argument("[engine] max_running must be at least 1.");
  if (options.context_length < 0) throw std::invalid_argument("[engine] context_length must be at least 0.");
}

Engine::~Engine() = default;

uint64_t Engine::submit(Request request) {
  State& s = *state_;
  s.sequences.push_back(
      std::make_unique<Sequence>(s.last_id + 1, std::move(request), s.model, s.tokenizer, s.options.context_length));
  return ++s.last_id;
}

bool Engine::cancel(uint64_t id) {
  for (const auto& sequence : state_->sequences) {
    if (sequence->id() != id || sequence->over()) continue;
    sequence->finish(FinishReason::kCancelled, state_->cancelled);
    return true;
  }
  return false;
}

bool Engine::idle() const { return state_->sequences.empty(); }

std::vector<Event> Engine::step() {
  State& s = *state_;
  std::vector<Event> events = std::exchange(s.cancelled, {});
  const auto drop_finished = [&] { std::erase_if(s.sequences, [](const auto& sequence) { return sequence->over(); }); };
  drop_finished();
  const std::vector<Run> plan = s.plan();
  try {
    s.run(plan, events);
  } catch (...) {
    s.recover(plan, std::current_exception(), events);
  }
  drop_finished();
  return events;
}

std::vector<Run> Engine::State::plan() const {
  for (const auto& sequence : sequences) {
    const int pending = static_cast<int>(sequence->pending().size());
    if (sequence->alone) return {{sequence.get(), std::min(pending, options.prefill_step_size)}};
  }
  std::vector<Run> result;
  int budget = options.prefill_step_size;
  for (const auto& sequence : sequences) {
    if (static_cast<int>(result.size()) == options.max_running) break;
    const int pending = static_cast<int>(sequence->pending().size());
    const int tokens = pending <= 1 ? pending : std::min(pending, budget);
    if (pending > 1) budget -= tokens;
    if (tokens > 0 || pending == 0) result.push_back({sequence.get(), tokens});
  }
  return result;
}

// Runs the plan's tokens. Returns the logits [R, V] float32 of the sequences that want a token, listed in `rows`.
mx::array Engine::State::forward(const std::vector<Run>& plan, std::vector<Sequence*>& rows) {
  std::vector<int32_t> tokens;
  std::vector<int32_t> last_rows;
  cache::RaggedBatch batch;
  for (const Run& run : plan) {
    const auto pending = run.sequence->pending().first(static_cast<size_t>(run.tokens));
    if (pending.empty()) continue;
    tokens.insert(tokens.end(), pending.begin(), pending.end());
    if (run.completes() && run.sequence->wants_token()) {
      rows.push_back(run.sequence);
      last_rows.push_back(static_cast<int32_t>(tokens.size()) - 1);
    }
    batch.add(run.sequence->cache(), run.tokens);
  }
  const int count = static_cast<int>(tokens.size());
  mx::array hidden = model.forward(mx::array(tokens.data(), {count}, mx::int32), batch);
  if (rows.empty()) {
    mx::eval(hidden);
    return hidden;
  }
  const int wanted = static_cast<int>(last_rows.size());
  if (wanted != count) hidden = mx::take(hidden, mx::array(last_rows.data(), {wanted}, mx::int32), 0);
  mx::array logits = mx::astype(model.logits(hidden), mx::float32);
  mx::eval(logits);
  return logits;
}

void Engine::State::run(const std::vector<Run>& plan, std::vector<Event>& events) {
  if (plan.empty()) return;
  std::vector<Sequence*> rows;
  const bool has_tokens = std::any_of(plan.begin(), plan.end(), [](const Run& run) { return run.tokens > 0; });
  std::optional<mx::array> logits;
  if (has_tokens) logits = forward(plan, rows);

  const size_t vocab = static_cast<size_t>(model.vocab_size());
  size_t row = 0;
  for (const Run& run : plan) {
    Sequence& sequence = *run.sequence;
    sequence.report_progress(events);
    if (row < rows.size() && rows[row] == &sequence) {
      const float* data = logits->data<float>() + row++ * vocab;
      sequence.alone = false;
      try {
        sequence.accept({data, vocab}, events);
      } catch (...) {
        sequence.fail(std::current_exception(), events);
      }
    } else if (!sequence.wants_token() && sequence.pending().empty()) {
      sequence.finish(FinishReason::kLength, events);
    }
  }
}

void Engine::State::recover(const std::vector<Run>& plan, std::exception_ptr thrown, std::vector<Event>& events) {
  for (const Run& run : plan) {
    if (run.sequence->over()) continue;
    if (plan.size() == 1) {
      run.sequence->fail(thrown, events);
      continue;
    }
    try {
      run.sequence->restart(model);
    } catch (...) {
      run.sequence->fail(std::current_exception(), events);
    }
  }
}

}  // namespace hearth::generate
