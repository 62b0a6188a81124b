// A conversation that keeps its keys and values, so that a turn computes only what is new in its prompt.
//
// What is reused is decided by the tokens: the whole conversation is rendered and tokenized each turn and compared
// with what the cache holds. Editing or replacing messages is safe: the longest true prefix is kept.
// Answers go into the messages as templates expect them: content, reasoning_content and tool_calls apart.
// Threads: one caller at a time. Lifetime: the model outlives the conversation.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "generate/generate.h"
#include "text/output_parser.h"

namespace hearth::session {

// What to do with a conversation that the model's context has no room for.
enum class Overflow {
  kRefuse,      // the turn, with RequestError 413
  kDropOldest,  // leave out whole turns from the oldest on, for good; leading system messages and the new turn stay
};

struct ConversationOptions {
  std::optional<std::string> system_prompt = {};  // none: what the template says without one
  std::string tools_json = {};                    // an array of tools that the model may call; "": none
  generate::ChatOptions chat = {};                // template variables
  generate::EngineOptions engine = {};
  // Dropping makes room for the answer (at most a quarter of the context) and frees another quarter: what is left has
  // to be read again, which should not happen at every turn.
  Overflow overflow = Overflow::kRefuse;
};

// One answer, as it was generated and taken apart.
struct Turn {
  generate::Answer answer;
  text::ParsedOutput output;
  int dropped_turns = 0;  // left out before it, for lack of room
};

// Called for each response with what it adds to the parsed answer; false ends the answer, as cancelled.
using OnTurn = std::function<bool(const generate::Response& response, std::span<const text::OutputEvent> events)>;

class Conversation {
 public:
  // Throws LoadError or std::invalid_argument when tools_json is no JSON array.
  Conversation(generate::LoadedModel& model, ConversationOptions options = {});
  ~Conversation();

  // One turn: adds the user's message, answers it, adds the answer. `settings` gives everything but the prompt and
  // the kept sequence. A cancelled answer stays in the conversation as far as it went.
  // Throws as stream_generate does; then the conversation is as before the call.
  Turn ask(std::string_view message, generate::Request settings, const OnTurn& on_turn = {});

  // One turn that begins with what the calls of the last answer returned, in their order, instead of a user's message.
  // Throws std::invalid_argument when there are not as many results as calls.
  Turn answer_calls(std::span<const std::string> results, generate::Request settings, const OnTurn& on_turn = {});

  // Back to the system prompt. The keys and values stay, for the prefix the next conversation shares.
  void reset();

  // The messages so far; may be edited between turns.
  Json& messages();

  // Tokens whose keys and values are kept, and the bytes they take.
  int kept_tokens() const;
  size_t kept_bytes() const;

 private:
  Turn proceed(Json messages, generate::Request settings, const OnTurn& on_turn);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth::session
