#include "generate/generate.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/tokenizer.h"

namespace hearth::generate {
namespace {

using ::testing::HasSubstr;

LoadedModel& tiny() {
  static LoadedModel model = load(HEARTH_SOURCE_DIR "/tests/testdata/tiny");
  return model;
}

template <typename Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const RequestError& error) {
    return error.what();
  }
  return "";
}

TEST(Load, OpensAFolder) {
  EXPECT_EQ(tiny().model_type, "llama");
  EXPECT_EQ(tiny().context_length, 2048);
  EXPECT_EQ(tiny().stop_tokens, std::vector<int32_t>{2});
  EXPECT_NE(tiny().chat_template, nullptr);
  EXPECT_GT(tiny().weight_bytes, 50'000u);
  EXPECT_THROW(load("/absent/folder"), LoadError);
}

TEST(Encode, PutsAMessageIntoTheChatTemplate) {
  EXPECT_EQ(tiny().tokenizer->decode(encode_message(tiny(), "hi", "be brief")),
            "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(Encode, GoesOnFromTheBeginningOfAnAnswer) {
  const Json messages = {{{"role", "user"}, {"content", "hi"}}, {{"role", "assistant"}, {"content", "Well"}}};
  EXPECT_EQ(tiny().tokenizer->decode(encode_chat(tiny(), messages, nullptr, {.continue_final_message = true})),
            "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nWell");
}

TEST(Encode, RefusesTextThatIsNotUtf8) {
  EXPECT_THAT(refusal([] { encode_text(tiny(), "ab\xff"); }), HasSubstr("not UTF-8: byte 2"));
  EXPECT_THAT(refusal([] { encode_message(tiny(), "\xc3"); }), HasSubstr("not UTF-8"));
}

TEST(Encode, FindsEndTokensByTextAndNumber) {
  EXPECT_EQ(token_id(tiny(), "<|im_start|>"), 1);
  EXPECT_EQ(token_id(tiny(), "17"), tiny().tokenizer->token_to_id("17").value_or(17));
  EXPECT_THAT(refusal([] { token_id(tiny(), "99999"); }), HasSubstr("99999"));
  EXPECT_THAT(refusal([] { token_id(tiny(), "no such token"); }), HasSubstr("no such token"));
}

TEST(StreamGenerate, GivesItsAnswerPieceByPiece) {
  std::string text;
  std::vector<int32_t> tokens;
  int last_read = 0, ends = 0;
  const Answer answer = stream_generate(tiny(), {.prompt = encode_message(tiny(), "hello"), .max_tokens = 20},
                                        [&](const Response& response) {
                                          EXPECT_EQ(ends, 0);
                                          text += response.text;
                                          if (response.token) tokens.push_back(*response.token);
                                          last_read = response.prompt.processed;
                                          ends += response.finish_reason.has_value();
                                          return true;
                                        });
  EXPECT_EQ(text, answer.text);
  EXPECT_EQ(tokens, answer.tokens);
  EXPECT_EQ(last_read, answer.usage.prompt_tokens);
  EXPECT_EQ(ends, 1);
  EXPECT_GT(answer.usage.prompt_tps(), 0);
  EXPECT_GT(answer.peak_memory_gb, 0);
}

TEST(StreamGenerate, EndsWhenTheCallerHasEnough) {
  int tokens = 0;
  const Answer answer = stream_generate(tiny(), {.prompt = {5, 6}, .max_tokens = -1}, [&](const Response& response) {
    tokens += response.token.has_value();
    return tokens < 4;
  });
  EXPECT_EQ(answer.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(answer.tokens.size(), 4u);
}

TEST(StreamGenerate, SaysWhyAPromptIsRefused) {
  EXPECT_THAT(refusal([] { stream_generate(tiny(), {}); }), HasSubstr("empty"));
  EXPECT_THAT(refusal([] { stream_generate(tiny(), {.prompt = std::vector<int32_t>(3000, 5)}); }), HasSubstr("2048"));
}

}  // namespace
}  // namespace hearth::generate
