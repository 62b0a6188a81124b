// The next turn's prompt repeats this turn's answer as the template writes it, so an answer is kept in the form whose
// rendering goes on longest as the model wrote it: with its white space, or, for templates that put their own around
// reasoning and calls, without.
#include "session/conversation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "text/tokenizer.h"

namespace hearth::session {
namespace {

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin));
}

Json to_message(const text::ParsedOutput& output, bool trim) {
  const auto part = [&](const std::string& text) { return trim ? trimmed(text) : text; };
  Json message = {{"role", "assistant"}, {"content", part(output.content)}};
  if (!output.reasoning.empty()) message["reasoning_content"] = part(output.reasoning);
  for (const text::ToolCall& call : output.tool_calls)
    message["tool_calls"].push_back(
        {{"id", call.id},
         {"type", "function"},
         {"function", {{"name", call.name}, {"arguments", parse_json(call.arguments, "arguments")}}}});
  return message;
}

// How far the rendered messages go along with `prompt` and what was answered to it.
size_t common_prefix(const generate::LoadedModel& model, const Json& messages, const Json& tools,
                     generate::ChatOptions options, std::string_view prompt, std::string_view answer) {
  try {
    options.opens_answer = false;
    const std::string text = generate::render_chat(model, messages, tools, options);
    const std::string wanted = std::string(prompt) + std::string(answer);
    return static_cast<size_t>(std::mismatch(text.begin(), text.end(), wanted.begin(), wanted.end()).first -
                               text.begin());
  } catch (const std::exception&) {  // some templates refuse a conversation that ends with the assistant
    return 0;
  }
}

// A conversation as the model reads it.
struct Prompt {
  Json messages;
  std::string text;
  std::vector<int32_t> tokens;
  int dropped_turns = 0;

  int length() const { return static_cast<int>(tokens.size()); }
};

// Where each turn begins: the user's messages behind leading system messages.
std::vector<size_t> turn_starts(const Json& messages) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < messages.size(); ++i)
    if (messages[i].value("role", "") == "user") starts.push_back(i);
  return starts;
}

Json without_oldest(const Json& messages, const std::vector<size_t>& starts, size_t turns) {
  Json rest = Json::array();
  for (size_t i = 0; i < messages.size(); ++i)
    if (i < starts.front() || i >= starts[turns]) rest.push_back(messages[i]);
  return rest;
}

}  // namespace

struct Conversation::State {
  generate::LoadedModel& model;
  ConversationOptions options;
  Json tools;
  Json messages;
  generate::KeptSequence kept;

  Prompt render(Json messages) const {
    std::string text = generate::render_chat(model, messages, tools, options.chat);
    std::vector<int32_t> tokens = generate::encode_rendered(model, text);
    return {std::move(messages), std::move(text), std::move(tokens)};
  }

  // The messages as a prompt, without the oldest turns where the context would be too short and they may be dropped.
  Prompt render_what_fits(Json messages, int max_tokens) const {
    const int context = options.engine.context_length > 0 ? options.engine.context_length : model.context_length;
    Prompt prompt = render(std::move(messages));
    const int room = std::max(1, max_tokens < 0 ? context / 4 : std::min(max_tokens, context / 4));
    if (options.overflow == Overflow::kRefuse || context == 0 || prompt.length() <= context - room) return prompt;
    const std::vector<size_t> starts = turn_starts(prompt.messages);
    size_t fewest = 1, most = starts.empty() ? 0 : starts.size() - 1;  // turns to drop; the newest stays
    if (most == 0) return prompt;
    const Json all = std::move(prompt.messages);
    while (fewest < most) {
      const size_t half = (fewest + most) / 2;
      const bool fits = render(without_oldest(all, starts, half)).length() <= context - room - context / 4;
      (fits ? most : fewest) = fits ? half : half + 1;
    }
    prompt = render(without_oldest(all, starts, most));
    prompt.dropped_turns = static_cast<int>(most);
    return prompt;
  }
};

Conversation::Conversation(generate::LoadedModel& model, ConversationOptions options)
    : state_(new State{model, std::move(options), nullptr, Json::array(), {}}) {
  State& s = *state_;
  if (!s.options.tools_json.empty()) s.tools = parse_json(s.options.tools_json, "tools");
  if (!s.tools.is_null() && !s.tools.is_array()) throw std::invalid_argument("[Conversation] tools must be an array");
  reset();
}

Conversation::~Conversation() = default;

void Conversation::reset() {
  State& s = *state_;
  s.messages = Json::array();
  if (s.options.system_prompt) s.messages.push_back({{"role", "system"}, {"content", *s.options.system_prompt}});
}

Turn Conversation::ask(std::string_view message, generate::Request settings, const OnTurn& on_turn) {
  Json messages = state_->messages;
  messages.push_back({{"role", "user"}, {"content", message}});
  return proceed(std::move(messages), std::move(settings), on_turn);
}

Turn Conversation::answer_calls(std::span<const std::string> results, generate::Request settings,
                                const OnTurn& on_turn) {
  Json messages = state_->messages;
  const Json calls = messages.empty() ? Json() : messages.back().value("tool_calls", Json::array());
  if (calls.empty() || calls.size() != results.size())
    throw std::invalid_argument("[answer_calls] the last answer has " + std::to_string(calls.size()) + " calls, not " +
                                std::to_string(results.size()));
  for (size_t i = 0; i < results.size(); ++i)
    messages.push_back({{"role", "tool"},
                        {"tool_call_id", calls.at(i).at("id")},
                        {"name", calls.at(i).at("function").at("name")},
                        {"content", results[i]}});
  return proceed(std::move(messages), std::move(settings), on_turn);
}

Turn Conversation::proceed(Json messages, generate::Request settings, const OnTurn& on_turn) {
  State& s = *state_;
  Prompt fitting = s.render_what_fits(std::move(messages), settings.max_tokens);
  messages = std::move(fitting.messages);
  const std::string prompt = std::move(fitting.text);
  settings.prompt = std::move(fitting.tokens);
  settings.kept = std::move(s.kept);
  s.kept = {};
  Turn turn;
  turn.dropped_turns = fitting.dropped_turns;
  text::OutputParser parser = generate::answer_parser(s.model, prompt, s.tools, messages.size());
  const auto on_response = [&](const generate::Response& response) {
    const std::vector<text::OutputEvent> events = generate::parse(parser, response);
    for (const text::OutputEvent& event : events) turn.output.add(event);
    return !on_turn || on_turn(response, events);
  };
  turn.answer = stream_generate(s.model, std::move(settings), on_response, s.options.engine);
  s.kept = std::move(turn.answer.sequence);

  const auto reach = [&](const Json& message) {
    Json with_answer = messages;
    with_answer.push_back(message);
    return common_prefix(s.model, with_answer, s.tools, s.options.chat, prompt, turn.answer.text);
  };
  Json exact = to_message(turn.output, false), bare = to_message(turn.output, true);
  messages.push_back(exact != bare && reach(bare) > reach(exact) ? std::move(bare) : std::move(exact));
  s.messages = std::move(messages);
  return turn;
}

Json& Conversation::messages() { return state_->messages; }

int Conversation::kept_tokens() const { return static_cast<int>(state_->kept.tokens.size()); }

size_t Conversation::kept_bytes() const { return state_->kept.cache ? state_->kept.cache->bytes() : 0; }

}  // namespace hearth::session
