// A conversation that keeps its keys and values, so that a turn computes only what is new in its prompt.
//
// What is reused is decided by the tokens: the whole conversation is rendered and tokenized each turn and compared
// with what the cache holds. Editing or replacing messages is safe: the longest true prefix is kept.
// Threads: one caller at a time. Lifetime: the model outlives the conversation.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "generate/generate.h"

namespace hearth::session {

struct ConversationOptions {
  std::string system_prompt = {};   // "": none
  generate::ChatOptions chat = {};  // template variables
  generate::EngineOptions engine = {};
};

class Conversation {
 public:
  Conversation(generate::LoadedModel& model, ConversationOptions options = {});
  ~Conversation();

  // One turn: adds the user's message, answers it, adds the answer. `settings` gives everything but the prompt and
  // the kept sequence. A cancelled answer stays in the conversation as far as it went.
  // Throws as stream_generate does; then the conversation is as before the call.
  generate::Answer ask(std::string_view message, generate::Request settings,
                       const generate::OnResponse& on_response = {});

  // Back to the system prompt. The keys and values stay, for the prefix the next conversation shares.
  void reset();

  // The messages so far; may be edited between turns.
  Json& messages();

  // Tokens whose keys and values are kept, and the bytes they take.
  int kept_tokens() const;
  size_t kept_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth::session
