#include "session/conversation.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/model.h"
#include "text/chat_template.h"

namespace hearth::session {
namespace {

generate::LoadedModel tiny() { return generate::load(HEARTH_SOURCE_DIR "/tests/testdata/tiny"); }

generate::Request settings() { return {.max_tokens = 8, .sampler = {.temperature = 1}, .seed = 4}; }

TEST(Conversation, ReadsOnlyWhatATurnAddsAndAnswersAsIfItHadReadAll) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model, {.system_prompt = "the quick brown fox"});
  EXPECT_EQ(conversation.ask("what is gravity", settings()).answer.usage.reused_tokens, 0);
  const int kept = conversation.kept_tokens();
  const Json before = conversation.messages();
  const generate::Answer second = conversation.ask("why", settings()).answer;
  EXPECT_GT(second.usage.reused_tokens, 0);
  EXPECT_LE(second.usage.reused_tokens, kept);

  Conversation fresh(model);
  fresh.messages() = before;
  const generate::Answer recomputed = fresh.ask("why", settings()).answer;
  EXPECT_EQ(recomputed.usage.reused_tokens, 0);
  EXPECT_EQ(second.tokens, recomputed.tokens);
  EXPECT_EQ(conversation.messages(), fresh.messages());
}

TEST(Conversation, KeepsTheTruePrefixOfEditedMessages) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model, {.system_prompt = "a long system prompt that stays"});
  conversation.ask("first question", settings());
  conversation.messages().at(1)["content"] = "another question";
  const generate::Answer answer = conversation.ask("and then", settings()).answer;
  const auto prefix = generate::encode_text(model, "<|im_start|>system\na long system prompt that stays", false);
  EXPECT_GE(answer.usage.reused_tokens, static_cast<int>(prefix.size()));
}

TEST(Conversation, ForgetsOnReset) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model, {.system_prompt = "be brief"});
  const generate::Answer first = conversation.ask("hello", settings()).answer;
  conversation.ask("again", settings());
  conversation.reset();
  EXPECT_EQ(conversation.messages().size(), 1u);
  EXPECT_EQ(conversation.ask("hello", settings()).answer.tokens, first.tokens);
}

TEST(Conversation, StaysAsItWasWhenATurnIsRefused) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model);
  conversation.ask("hello", settings());
  const Json before = conversation.messages();
  EXPECT_THROW(conversation.ask("\xff", settings()), RequestError);
  std::string endless;
  for (int i = 0; i < 3000; ++i) endless += " x y";
  EXPECT_THROW(conversation.ask(endless, settings()), RequestError);
  EXPECT_EQ(conversation.messages(), before);
}

TEST(Conversation, DropsWholeOldestTurnsAndKeepsTheSystemPrompt) {
  generate::LoadedModel model = tiny();
  Conversation conversation(
      model, {.system_prompt = "be brief", .engine = {.context_length = 200}, .overflow = Overflow::kDropOldest});
  int dropped = 0, times = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string question = "question number " + std::to_string(i);
    const Turn turn = conversation.ask(question, settings());
    dropped += turn.dropped_turns;
    times += turn.dropped_turns > 0;
    EXPECT_LE(turn.answer.usage.prompt_tokens + turn.answer.usage.generation_tokens, 200);
    const Json& messages = conversation.messages();
    EXPECT_EQ(messages.at(0).at("content"), "be brief");
    EXPECT_EQ(messages.at(1).at("role"), "user");
    EXPECT_EQ(messages.size(), 1u + 2 * static_cast<size_t>(i + 1 - dropped));
    EXPECT_EQ(messages.at(messages.size() - 2).at("content"), question);
  }
  EXPECT_GT(times, 1);
  EXPECT_GT(dropped, times);  // several at once, so that most turns go on from what is kept
}

TEST(Conversation, RefusesWhatDoesNotFitUnlessTurnsMayGo) {
  generate::LoadedModel model = tiny();
  std::string endless;
  for (int i = 0; i < 200; ++i) endless += " x y";
  for (const Overflow overflow : {Overflow::kRefuse, Overflow::kDropOldest}) {
    Conversation conversation(model, {.engine = {.context_length = 200}, .overflow = overflow});
    conversation.ask("hello", settings());
    const Json before = conversation.messages();
    EXPECT_THROW(conversation.ask(endless, settings()), RequestError);  // too long by itself
    EXPECT_EQ(conversation.messages(), before);
    int answered = 0;
    try {
      for (; answered < 20; ++answered) conversation.ask("and then", settings());
    } catch (const RequestError& error) {
      EXPECT_EQ(error.status(), 413);
    }
    EXPECT_EQ(answered == 20, overflow == Overflow::kDropOldest);
  }
}

TEST(Conversation, KeepsACancelledAnswerAsFarAsItWent) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model);
  int tokens = 0;
  generate::Request request = settings();
  request.max_tokens = 100;
  const auto count = [&](const generate::Response& response, std::span<const text::OutputEvent>) {
    tokens += response.token.has_value();
    return tokens < 3;
  };
  const generate::Answer answer = conversation.ask("hello", std::move(request), count).answer;
  EXPECT_EQ(answer.finish_reason, generate::FinishReason::kCancelled);
  EXPECT_EQ(answer.tokens.size(), 3u);
  EXPECT_EQ(conversation.messages().back().at("content"), answer.text);
}

// Says what it is told to say; remembers as the model inside does.
class ScriptedModel final : public models::Model {
 public:
  explicit ScriptedModel(std::unique_ptr<models::Model> inside) : inside_(std::move(inside)) {
    info_ = inside_->info();
  }
  mx::array forward(const mx::array& tokens, cache::RaggedBatch& batch) override {
    return inside_->forward(tokens, batch);
  }
  mx::array logits(const mx::array& hidden) override {
    std::vector<float> row(static_cast<size_t>(vocab_size()), 0.0f);
    row[static_cast<size_t>(script.at(said_++))] = 100;
    return mx::broadcast_to(mx::array(row.data(), mx::Shape{1, vocab_size()}, mx::float32),
                            mx::Shape{hidden.shape(0), vocab_size()});
  }
  std::unique_ptr<cache::SequenceCache> make_cache(const models::CacheOptions& options) const override {
    return inside_->make_cache(options);
  }
  std::vector<int32_t> script;

 private:
  std::unique_ptr<models::Model> inside_;
  size_t said_ = 0;
};

// A template in the manner of Qwen's, and a model that answers `texts` one after the other.
generate::LoadedModel scripted(const std::vector<std::string>& texts) {
  generate::LoadedModel model = tiny();
  model.chat_template = std::make_unique<const text::ChatTemplate>(
      "{%- if tools %}{{ '<|im_start|>system\n' }}{% for t in tools %}{{ t|tojson }}{% endfor %}{{ '<|im_end|>\n' }}{% "
      "endif %}"
      "{%- for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
      "{%- if m.reasoning_content %}{{ '<think>\n' + m.reasoning_content.strip('\n') + '\n</think>\n\n' }}{% endif %}"
      "{{- m.content }}{% for call in m.tool_calls or [] %}"
      "{{- '\n<tool_call>\n{\"name\": \"' + call.function.name + '\", \"arguments\": ' + "
      "(call.function.arguments|tojson) + '}\n</tool_call>' }}"
      "{% endfor %}{{ '<|im_end|>\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
  auto script = std::make_unique<ScriptedModel>(std::move(model.model));
  for (const std::string& text : texts) {
    for (const int32_t token : generate::encode_text(model, text, false)) script->script.push_back(token);
    script->script.push_back(model.stop_tokens.front());
  }
  model.model = std::move(script);
  return model;
}

constexpr const char* kTools = R"([{"type": "function", "function": {"name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}])";

TEST(Conversation, KeepsReasoningAndCallsApartAndReadsOnlyTheirResults) {
  generate::LoadedModel model = scripted(
      {"<think>\nI must look.\n</think>\n\nLet me see.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": "
       "{\"city\": \"Paris\"}}\n</tool_call>",
       "It rains."});
  Conversation conversation(model, {.tools_json = kTools});
  generate::Request request{.max_tokens = 500, .sampler = {.temperature = 0}};
  const Turn first = conversation.ask("Weather?", std::move(request));
  ASSERT_EQ(first.output.tool_calls.size(), 1u) << first.answer.text;
  const Json& message = conversation.messages().back();
  EXPECT_EQ(message["reasoning_content"], "I must look.");
  EXPECT_EQ(message["content"], "Let me see.");
  EXPECT_EQ(message["tool_calls"][0]["function"]["arguments"], Json::parse(R"({"city": "Paris"})"));

  const int before = first.answer.usage.prompt_tokens;
  const std::vector<std::string> results{"rain"};
  const Turn second = conversation.answer_calls(results, {.max_tokens = 500, .sampler = {.temperature = 0}});
  EXPECT_EQ(second.output.content, "It rains.");
  EXPECT_GE(second.answer.usage.reused_tokens, before + static_cast<int>(first.answer.tokens.size()) - 1);
  EXPECT_EQ(conversation.messages().at(2)["tool_call_id"], first.output.tool_calls[0].id);
}

TEST(Conversation, WantsAResultForEachCall) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model);
  const std::vector<std::string> results{"rain"};
  EXPECT_THROW(conversation.answer_calls(results, settings()), std::invalid_argument);
}

TEST(Conversation, RefusesToolsThatTheTemplateIgnores) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model, {.tools_json = kTools});
  EXPECT_THROW(conversation.ask("hello", settings()), RequestError);
}

}  // namespace
}  // namespace hearth::session
