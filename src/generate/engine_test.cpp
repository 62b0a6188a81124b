#include "generate/engine.h"

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "generate/toy_model.h"
#include "text/tokenizer.h"

namespace hearth::generate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What came out of one request.
struct Outcome {
  std::vector<int32_t> tokens;
  std::vector<TokenLogProbability> logprobs;
  std::vector<int> progress;
  std::string text;
  std::optional<FinishReason> reason;
  std::string error;
  int status = 0;
  Usage usage;
  KeptSequence sequence;
};

std::map<uint64_t, Outcome> collect(std::vector<Event> events, std::map<uint64_t, Outcome> outcomes = {}) {
  for (Event& event : events) {
    Outcome& outcome = outcomes[event.id];
    if (auto* progress = std::get_if<PromptProgress>(&event.what)) outcome.progress.push_back(progress->processed);
    if (auto* token = std::get_if<TokenEvent>(&event.what)) {
      outcome.tokens.push_back(token->token);
      outcome.logprobs.push_back(token->logprob);
      outcome.text += token->text;
    }
    if (auto* finished = std::get_if<Finished>(&event.what)) {
      outcome.reason = finished->reason;
      outcome.error = finished->error;
      outcome.status = finished->status;
      outcome.text += finished->text;
      outcome.usage = finished->usage;
      outcome.sequence = std::move(finished->sequence);
    }
  }
  return outcomes;
}

std::map<uint64_t, Outcome> run_all(Engine& engine) {
  std::map<uint64_t, Outcome> outcomes;
  for (int steps = 0; !engine.idle() && steps < 10'000; ++steps) outcomes = collect(engine.step(), std::move(outcomes));
  return outcomes;
}

Request sampled(std::vector<int32_t> prompt, uint64_t seed, int max_tokens = 12) {
  return {.prompt = std::move(prompt), .max_tokens = max_tokens, .sampler = {.temperature = 1}, .seed = seed};
}

std::vector<int32_t> prompt(int length, int first = 1) {
  std::vector<int32_t> tokens(static_cast<size_t>(length));
  for (int i = 0; i < length; ++i) tokens[static_cast<size_t>(i)] = (first + 7 * i) % ToyModel::kVocab;
  return tokens;
}

Outcome run_one(ToyModel& model, Request request, EngineOptions options = {}) {
  Engine engine(model, nullptr, options);
  const uint64_t id = engine.submit(std::move(request));
  return std::move(run_all(engine)[id]);
}

// A tokenizer of 64 tokens: the characters from "0" to "o".
std::shared_ptr<const text::Tokenizer> toy_tokenizer() {
  Json vocabulary = Json::object();
  for (int i = 0; i < ToyModel::kVocab; ++i) vocabulary[std::string(1, static_cast<char>('0' + i))] = i;
  const Json model = {{"type", "BPE"}, {"vocab", std::move(vocabulary)}, {"merges", Json::array()}};
  return text::Tokenizer::from_json(Json{{"model", model}}.dump());
}

TEST(Engine, GivesTheSameTokensInAnyBatchAndAnyChunks) {
  ToyModel model;
  std::vector<std::vector<int32_t>> alone;
  for (int i = 0; i < 6; ++i) alone.push_back(run_one(model, sampled(prompt(3 + 9 * i, i), 100 + i)).tokens);
  for (const int step : {1, 2, 5, 16, 512}) {
    Engine engine(model, nullptr, {.prefill_step_size = step, .max_running = 4});
    std::map<uint64_t, Outcome> outcomes;
    for (int i = 0; i < 6; ++i) {
      engine.submit(sampled(prompt(3 + 9 * i, i), 100 + i));
      outcomes = collect(engine.step(), std::move(outcomes));  // each joins while the earlier ones run
    }
    while (!engine.idle()) outcomes = collect(engine.step(), std::move(outcomes));
    for (int i = 0; i < 6; ++i) EXPECT_EQ(outcomes[i + 1].tokens, alone[i]) << "step size " << step << " request " << i;
  }
}

TEST(Engine, RunsDecodesBesideALongPrompt) {
  ToyModel model;
  Engine engine(model, nullptr, {.prefill_step_size = 8});
  const uint64_t first = engine.submit(sampled(prompt(4), 1, 20));
  engine.step();
  const uint64_t second = engine.submit(sampled(prompt(40), 2, 1));
  for (int chunk = 1; chunk <= 5; ++chunk) {
    auto outcomes = collect(engine.step());
    EXPECT_EQ(outcomes[first].tokens.size(), 1u);
    EXPECT_THAT(outcomes[second].progress, ElementsAre(8 * chunk));
    EXPECT_EQ(outcomes[second].tokens.size(), chunk == 5 ? 1u : 0u);
  }
  EXPECT_EQ(model.largest_step, 9);
}

TEST(Engine, SharesTheBudgetOfAStepAmongPromptsInOrder) {
  ToyModel model;
  Engine engine(model, nullptr, {.prefill_step_size = 8});
  const uint64_t first = engine.submit(sampled(prompt(12), 1, 1)), second = engine.submit(sampled(prompt(12), 2, 1));
  EXPECT_THAT(collect(engine.step())[first].progress, ElementsAre(8));
  auto outcomes = collect(engine.step());
  EXPECT_THAT(outcomes[first].progress, ElementsAre(12));
  EXPECT_THAT(outcomes[second].progress, ElementsAre(4));
  EXPECT_EQ(model.largest_step, 8);
}

TEST(Engine, ComputesLogitsOnlyForTokensItWants) {
  ToyModel model;
  run_one(model, sampled(prompt(50), 1, 10), {.prefill_step_size = 7});
  EXPECT_EQ(model.logit_rows, 10);
}

TEST(Engine, EndsAtStopTokensMaximumAndFullContext) {
  ToyModel model;
  const Outcome whole = run_one(model, sampled(prompt(5), 7, 30));
  EXPECT_EQ(whole.reason, FinishReason::kLength);
  EXPECT_EQ(whole.tokens.size(), 30u);

  Request stopping = sampled(prompt(5), 7, 30);
  stopping.stop_tokens = {whole.tokens[10]};
  const Outcome stopped = run_one(model, std::move(stopping));
  EXPECT_EQ(stopped.reason, FinishReason::kStop);
  EXPECT_EQ(stopped.tokens.back(), whole.tokens[10]);
  EXPECT_EQ(stopped.usage.generation_tokens, static_cast<int>(stopped.tokens.size()));

  const Outcome full = run_one(model, sampled(prompt(5), 7, -1), {.context_length = 20});
  EXPECT_EQ(full.reason, FinishReason::kLength);
  EXPECT_EQ(full.tokens.size(), 15u);
}

TEST(Engine, OnlyReadsThePromptWhenNoTokenIsWanted) {
  ToyModel model;
  Outcome outcome = run_one(model, sampled(prompt(20), 1, 0), {.prefill_step_size = 6});
  EXPECT_EQ(outcome.reason, FinishReason::kLength);
  EXPECT_EQ(outcome.usage.generation_tokens, 0);
  EXPECT_EQ(model.logit_rows, 0);
  EXPECT_EQ(outcome.sequence.tokens, prompt(20));
  EXPECT_EQ(outcome.sequence.cache->offset(), 20);
}

TEST(Engine, ReusesTheLongestTruePrefixOfAKeptSequence) {
  ToyModel model;
  Outcome first = run_one(model, sampled(prompt(30), 1));
  std::vector<int32_t> next = prompt(30);
  next[20] = (next[20] + 1) % ToyModel::kVocab;  // edited
  const Outcome expected = run_one(model, sampled(next, 2));
  Request request = sampled(next, 2);
  request.kept = std::move(first.sequence);
  const Outcome reused = run_one(model, std::move(request));
  EXPECT_EQ(reused.usage.reused_tokens, 20);
  EXPECT_EQ(reused.tokens, expected.tokens);
}

TEST(Engine, ComputesOneTokenOfAPromptThatIsKeptWhole) {
  ToyModel model;
  Outcome first = run_one(model, sampled(prompt(30), 1));
  Request again = sampled(prompt(30), 1);
  again.kept = std::move(first.sequence);
  model.largest_step = 0;
  const Outcome second = run_one(model, std::move(again));
  EXPECT_EQ(second.usage.reused_tokens, 29);
  EXPECT_EQ(model.largest_step, 1);
  EXPECT_EQ(second.tokens, first.tokens);
}

TEST(Engine, ComputesAnewWhatAWindowHasDropped) {
  ToyModel model;
  Request windowed = sampled(prompt(900), 1);
  windowed.max_kv_size = 32;
  Outcome first = run_one(model, std::move(windowed));
  Request edited = sampled(prompt(20), 2);
  edited.max_kv_size = 32;
  edited.kept = std::move(first.sequence);
  const Outcome second = run_one(model, std::move(edited));
  EXPECT_EQ(second.usage.reused_tokens, 0);
  EXPECT_EQ(second.reason, FinishReason::kLength);
}

TEST(Engine, DropsAKeptSequenceOfAnotherWindow) {
  ToyModel model;
  Outcome first = run_one(model, sampled(prompt(12), 3));
  Request request = sampled(prompt(12), 3);
  request.max_kv_size = 64;
  request.kept = std::move(first.sequence);
  first = run_one(model, std::move(request));
  EXPECT_EQ(first.usage.reused_tokens, 0);
  request = sampled(prompt(12), 3);
  request.max_kv_size = 64;
  request.kept = std::move(first.sequence);
  EXPECT_EQ(run_one(model, std::move(request)).usage.reused_tokens, 11);
}

TEST(Engine, SaysHowFarACancelledPromptWasRead) {
  ToyModel model;
  Engine engine(model, nullptr, {.prefill_step_size = 8});
  const uint64_t id = engine.submit(sampled(prompt(50), 1));
  auto outcomes = collect(engine.step());
  engine.cancel(id);
  while (!engine.idle()) outcomes = collect(engine.step(), std::move(outcomes));
  EXPECT_EQ(outcomes[id].usage.prompt_tokens, 8);
}

TEST(Engine, CancelsOneRequestAndGoesOnWithTheOthers) {
  ToyModel model;
  const Outcome alone = run_one(model, sampled(prompt(9), 5));
  Engine engine(model, nullptr);
  const uint64_t kept = engine.submit(sampled(prompt(9), 5));
  const uint64_t cancelled = engine.submit(sampled(prompt(9), 6, -1));
  auto outcomes = collect(engine.step());
  EXPECT_TRUE(engine.cancel(cancelled));
  EXPECT_FALSE(engine.cancel(cancelled));
  EXPECT_FALSE(engine.cancel(999));
  while (!engine.idle()) outcomes = collect(engine.step(), std::move(outcomes));
  EXPECT_EQ(outcomes[cancelled].reason, FinishReason::kCancelled);
  EXPECT_EQ(outcomes[cancelled].sequence.cache->offset(), 9);
  EXPECT_EQ(outcomes[kept].tokens, alone.tokens);
}

TEST(Engine, KeepsAFailureToTheRequestThatCausedIt) {
  ToyModel model;
  std::vector<std::vector<int32_t>> alone;
  for (int i = 0; i < 3; ++i) alone.push_back(run_one(model, sampled(prompt(9 + i), i)).tokens);
  Engine engine(model, nullptr, {.prefill_step_size = 6});
  for (int i = 0; i < 3; ++i) engine.submit(sampled(prompt(9 + i), i));
  std::map<uint64_t, Outcome> outcomes = collect(engine.step());
  model.failing_token = 63;
  std::vector<int32_t> poisoned = {2, 63, 3};
  for (const auto& tokens : alone)
    ASSERT_EQ(std::count(tokens.begin(), tokens.end(), 63), 0) << "choose other seeds: the toy says 63 itself";
  const uint64_t culprit = engine.submit(sampled(poisoned, 1));
  while (!engine.idle()) outcomes = collect(engine.step(), std::move(outcomes));
  EXPECT_EQ(outcomes[culprit].reason, FinishReason::kError);
  EXPECT_THAT(outcomes[culprit].error, HasSubstr("toy fails"));
  EXPECT_EQ(outcomes[culprit].status, 500);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(outcomes[i + 1].tokens, alone[i]) << i;
}

TEST(Engine, OutlivesAStepThatDoesNotFitTheMemory) {
  ToyModel model;
  std::vector<std::vector<int32_t>> alone;
  for (int i = 0; i < 3; ++i) alone.push_back(run_one(model, sampled(prompt(10), i)).tokens);
  model.memory = 25;
  Engine engine(model, nullptr);
  for (int i = 0; i < 3; ++i) engine.submit(sampled(prompt(10), i));
  const uint64_t too_large = engine.submit(sampled(prompt(50), 9));
  auto outcomes = run_all(engine);
  EXPECT_EQ(outcomes[too_large].status, 507);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(outcomes[i + 1].tokens, alone[i]) << i;
}

TEST(Engine, StreamsTextAndEndsItAtAStopText) {
  ToyModel model;
  const auto tokenizer = toy_tokenizer();
  Engine engine(model, tokenizer);
  const uint64_t whole = engine.submit(sampled(prompt(5), 3, 40));
  const Outcome reference = std::move(run_all(engine)[whole]);
  EXPECT_EQ(reference.text, tokenizer->decode(reference.tokens));
  for (size_t begin = 0; begin + 4 < reference.text.size(); ++begin) {
    const std::string stop = reference.text.substr(begin, 4);
    Request request = sampled(prompt(5), 3, 40);
    request.stop_texts = {"never said", stop};
    const uint64_t id = engine.submit(std::move(request));
    const Outcome stopped = std::move(run_all(engine)[id]);
    EXPECT_EQ(stopped.text, reference.text.substr(0, reference.text.find(stop)));
    EXPECT_EQ(stopped.reason, FinishReason::kStop);
  }
}

TEST(Engine, ReportsLogProbabilitiesOfTheTokensItChose) {
  ToyModel model;
  Request request{.prompt = prompt(6), .max_tokens = 5, .top_logprobs = 3};
  const Outcome outcome = run_one(model, std::move(request));
  ASSERT_EQ(outcome.logprobs.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    ASSERT_EQ(outcome.logprobs[i].top.size(), 3u);
    EXPECT_EQ(outcome.logprobs[i].top[0].first, outcome.tokens[i]);  // greedy: the chosen one is the likeliest
    EXPECT_EQ(outcome.logprobs[i].top[0].second, outcome.logprobs[i].logprob);
  }
}

TEST(Engine, AppliesProcessorsToPromptAndAnswer) {
  ToyModel model;
  Request request{.prompt = prompt(64), .max_tokens = 1};  // every token of the vocabulary
  request.processors = {.logit_bias = {{11, 50.0f}}, .presence_penalty = 20, .presence_context = 64};
  EXPECT_THAT(run_one(model, std::move(request)).tokens, ElementsAre(11));
}

std::string refusal(const std::function<void(Request&)>& change, int context_length = 0) {
  ToyModel model;
  Engine engine(model, nullptr, {.context_length = context_length});
  Request request = sampled(prompt(11), 1);
  change(request);
  try {
    engine.submit(std::move(request));
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(Engine, RefusesARequestInItsOwnWords) {
  EXPECT_EQ(refusal([](Request&) {}), "");
  EXPECT_THAT(refusal([](Request& r) { r.prompt.clear(); }), HasSubstr("empty"));
  EXPECT_THAT(refusal([](Request& r) { r.prompt[3] = 64; }), HasSubstr("token 64"));
  EXPECT_THAT(refusal([](Request&) {}, 10), HasSubstr("context of 10"));
  EXPECT_THAT(refusal([](Request& r) { r.max_tokens = -2; }), HasSubstr("max_tokens"));
  EXPECT_THAT(refusal([](Request& r) { r.sampler.top_p = 2; }), HasSubstr("top_p"));
  EXPECT_THAT(refusal([](Request& r) { r.top_logprobs = 65; }), HasSubstr("top_logprobs"));
  EXPECT_THAT(refusal([](Request& r) { r.stop_texts = {"x"}; }), HasSubstr("stop_texts"));
  EXPECT_THAT(refusal([](Request& r) { r.processors.logit_bias = {{64, 1.0f}}; }), HasSubstr("logit_bias"));
  ToyModel model;
  EXPECT_THROW(Engine(model, nullptr, {.prefill_step_size = 0}), std::invalid_argument);
}

TEST(Engine, IsIdleWithoutRequests) {
  ToyModel model;
  Engine engine(model, nullptr);
  EXPECT_TRUE(engine.idle());
  EXPECT_TRUE(engine.step().empty());
}

}  // namespace
}  // namespace hearth::generate
