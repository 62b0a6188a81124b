#include "session/conversation.h"

#include <nlohmann/json.hpp>

#include "text/tokenizer.h"

namespace hearth::session {

struct Conversation::State {
  generate::LoadedModel& model;
  ConversationOptions options;
  Json messages;
  generate::KeptSequence kept;
};

Conversation::Conversation(generate::LoadedModel& model, ConversationOptions options)
    : state_(new State{model, std::move(options), Json::array(), {}}) {
  reset();
}

Conversation::~Conversation() = default;

void Conversation::reset() {
  State& s = *state_;
  s.messages = Json::array();
  if (!s.options.system_prompt.empty())
    s.messages.push_back({{"role", "system"}, {"content", s.options.system_prompt}});
}

generate::Answer Conversation::ask(std::string_view message, generate::Request settings,
                                   const generate::OnResponse& on_response) {
  State& s = *state_;
  Json messages = s.messages;
  messages.push_back({{"role", "user"}, {"content", message}});
  settings.prompt = generate::encode_chat(s.model, messages, nullptr, s.options.chat);
  settings.kept = std::move(s.kept);
  s.kept = {};
  generate::Answer answer = stream_generate(s.model, std::move(settings), on_response, s.options.engine);
  s.kept = std::move(answer.sequence);
  messages.push_back({{"role", "assistant"}, {"content", answer.text}});
  s.messages = std::move(messages);
  return answer;
}

Json& Conversation::messages() { return state_->messages; }

int Conversation::kept_tokens() const { return static_cast<int>(state_->kept.tokens.size()); }

size_t Conversation::kept_bytes() const { return state_->kept.cache ? state_->kept.cache->bytes() : 0; }

}  // namespace hearth::session
