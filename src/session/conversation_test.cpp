#include "session/conversation.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace hearth::session {
namespace {

generate::LoadedModel tiny() { return generate::load(HEARTH_SOURCE_DIR "/tests/testdata/tiny"); }

generate::Request settings() { return {.max_tokens = 8, .sampler = {.temperature = 1}, .seed = 4}; }

TEST(Conversation, ReadsOnlyWhatATurnAddsAndAnswersAsIfItHadReadAll) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model, {.system_prompt = "the quick brown fox"});
  EXPECT_EQ(conversation.ask("what is gravity", settings()).usage.reused_tokens, 0);
  const int kept = conversation.kept_tokens();
  const Json before = conversation.messages();
  const generate::Answer second = conversation.ask("why", settings());
  EXPECT_GT(second.usage.reused_tokens, 0);
  EXPECT_LE(second.usage.reused_tokens, kept);

  Conversation fresh(model);
  fresh.messages() = before;
  const generate::Answer recomputed = fresh.ask("why", settings());
  EXPECT_EQ(recomputed.usage.reused_tokens, 0);
  EXPECT_EQ(second.tokens, recomputed.tokens);
  EXPECT_EQ(conversation.messages(), fresh.messages());
}

TEST(Conversation, KeepsTheTruePrefixOfEditedMessages) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model, {.system_prompt = "a long system prompt that stays"});
  conversation.ask("first question", settings());
  conversation.messages().at(1)["content"] = "another question";
  const generate::Answer answer = conversation.ask("and then", settings());
  const auto prefix = generate::encode_text(model, "<|im_start|>system\na long system prompt that stays", false);
  EXPECT_GE(answer.usage.reused_tokens, static_cast<int>(prefix.size()));
}

TEST(Conversation, ForgetsOnReset) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model, {.system_prompt = "be brief"});
  const generate::Answer first = conversation.ask("hello", settings());
  conversation.ask("again", settings());
  conversation.reset();
  EXPECT_EQ(conversation.messages().size(), 1u);
  EXPECT_EQ(conversation.ask("hello", settings()).tokens, first.tokens);
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

TEST(Conversation, KeepsACancelledAnswerAsFarAsItWent) {
  generate::LoadedModel model = tiny();
  Conversation conversation(model);
  int tokens = 0;
  generate::Request request = settings();
  request.max_tokens = 100;
  const generate::Answer answer = conversation.ask("hello", std::move(request), [&](const generate::Response& response) {
    tokens += response.token.has_value();
    return tokens < 3;
  });
  EXPECT_EQ(answer.finish_reason, generate::FinishReason::kCancelled);
  EXPECT_EQ(answer.tokens.size(), 3u);
  EXPECT_EQ(conversation.messages().back().at("content"), answer.text);
}

}  // namespace
}  // namespace hearth::session
