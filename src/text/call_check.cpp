// What the template writes for an answer is found by rendering the conversation twice: up to where the answer begins,
// and with it. Text that closes the turn is known from an answer without calls.
#include "text/call_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "text/output_parser.h"

namespace hearth::text {

namespace {

using Case = CallCheck::Case;
using Result = CallCheck::Case::Result;

const Json& tools() {
  static const Json tools = Json::parse(R"json([
    {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city.", "parameters": {
      "type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": "Which."}, "days": {"type": "integer", "description": "How many."},
        "limit": {"type": "number", "description": "At most."}, "metric": {"type": "boolean", "description": "Or not."},
        "tags": {"type": "array", "items": {"type": "string"}, "description": "Some."},
        "where": {"type": "object", "description": "There.",
                  "additionalProperties": {"type": "number"}}}}}},
    {"type": "function", "function": {"name": "get_time", "description": "The time.", "parameters": {
      "type": "object", "required": [], "properties": {}}}},
    {"type": "function", "function": {"name": "write_file", "description": "Writes a file.", "parameters": {
      "type": "object", "required": ["path", "text"], "properties": {
        "path": {"type": "string", "description": "Where."}, "text": {"type": "string", "description": "What."}}}}}])json");
  return tools;
}

struct Scenario {
  const char* name;
  const char* reasoning;
  const char* calls;  // [[name, arguments], ...]
};

constexpr Scenario kScenarios[] = {
    {"one call", "", R"([["get_weather", {"city": "Paris"}]])"},
    {"no arguments", "", R"([["get_time", {}]])"},
    {"two calls", "", R"([["get_weather", {"city": "Rome", "days": 3}], ["get_time", {}]])"},
    {"values", "",
     R"([["get_weather", {"city": "Zürich", "days": -7, "limit": 2.5, "metric": true, "tags": ["a", "b c"],
                       "where": {"lat": 48.8, "lon": 2}}]])"},
    {"code", "",
     R"json([["write_file", {"path": "a/b.py", "text": "def f(x):\n    return x < 2 & x > \"1\"\n\nf(1)"}]])json"},
    {"thinking", "I look it up.", R"([["get_weather", {"city": "Paris"}]])"},
};

const Json& user_message() {
  static const Json message = {{"role", "user"}, {"content", "How is the weather?"}};
  return message;
}

// Calls in a template's form. Ids in the forms that templates insist on: nine letters, or with name and number.
Json assistant_message(const Scenario& scenario, bool arguments_as_text, bool named_ids) {
  Json message = {{"role", "assistant"}, {"content", ""}, {"tool_calls", Json::array()}};
  if (scenario.reasoning[0] != '\0') message["reasoning_content"] = scenario.reasoning;
  for (const Json& call : Json::parse(scenario.calls)) {
    const std::string number = std::to_string(message["tool_calls"].size());
    const std::string id = named_ids ? "functions." + call[0].get<std::string>() + ":" + number : "callcall" + number;
    const Json arguments = arguments_as_text ? Json(call[1].dump()) : call[1];
    message["tool_calls"].push_back(
        {{"id", id}, {"type", "function"}, {"function", {{"name", call[0]}, {"arguments", arguments}}}});
  }
  return message;
}

struct Answer {
  std::string text;
  bool in_reasoning;  // the prompt has opened the thinking
};

std::string render(const ChatTemplate& chat, const Json* answer, bool generate) {
  Json messages = Json::array({user_message()});
  if (answer != nullptr) messages.push_back(*answer);
  return chat.render(messages, tools(), {{"add_generation_prompt", generate}});
}

// The rendering behind `prompt`, or behind the prompt's thinking that the answer leaves out; else the whole turn, with
// what opens it.
Answer cut_answer(const OutputFormat& format, std::string whole, std::string prompt, const std::string& before) {
  if (whole.starts_with(prompt)) return {whole.substr(prompt.size()), ends_in_reasoning(format, prompt)};
  for (const OutputFormat::Marks& marks : format.reasoning)
    if (const size_t thinking = prompt.rfind(marks.start); thinking != std::string::npos)
      if (whole.starts_with(prompt.substr(0, thinking))) return {whole.substr(thinking), false};
  if (whole.starts_with(before)) return {whole.substr(before.size()), false};
  const std::string asked = user_message()["content"];
  const size_t at = whole.rfind(asked);
  return {at == std::string::npos ? whole : whole.substr(at + asked.size()), false};
}

// What closes the assistant's turn; empty if that cannot be told.
std::string end_of_turn(const ChatTemplate& chat) {
  constexpr const char* kText = "It is sunny.";
  try {
    const Json plain = {{"role", "assistant"}, {"content", kText}};
    const std::string whole = render(chat, &plain, false);
    const size_t at = whole.rfind(kText);
    return at == std::string::npos ? "" : whole.substr(at + std::string_view(kText).size());
  } catch (const std::exception&) {
    return "";
  }
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kLongest = 200;
  const size_t size = std::min(text.size(), kLongest);
  return Json(std::string(text.substr(0, size)) + (size < text.size() ? "..." : ""))
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json calls_of(const ParsedOutput& output) {
  Json calls = Json::array();
  for (const ToolCall& call : output.tool_calls) calls.push_back({call.name, Json::parse(call.arguments)});
  return calls;
}

// The scenario's calls that the template has written: those whose names are there. No scenario has a name twice.
Json written_calls(const Scenario& scenario, const std::string& answer) {
  Json written = Json::array();
  for (const Json& call : Json::parse(scenario.calls))
    if (answer.find(call[0].get_ref<const std::string&>()) != std::string::npos) written.push_back(call);
  return written;
}

// Why the answer's calls are not the expected ones; empty if they are.
std::string difference(const Json& expected, const ParsedOutput& output, const std::string& written) {
  const Json found = calls_of(output);
  if (found == expected) return "";
  if (!output.malformed.empty()) return "the template writes " + in_quotes(written) + ": " + output.malformed[0].reason;
  if (found.empty()) return "the template writes " + in_quotes(written) + ", in which no call is seen";
  return "the template writes " + in_quotes(written) + ", which reads " + in_quotes(found.dump());
}

std::string left_out_of(size_t count, size_t all) {
  return count == all ? "" : std::to_string(count) + " of " + std::to_string(all) + " calls";
}

class Checker {
 public:
  explicit Checker(const ChatTemplate& chat) : chat_(chat), format_(chat.output_format()), end_(end_of_turn(chat)) {
    named_ids_ = std::any_of(format_.regions.begin(), format_.regions.end(),
                             [](const auto& region) { return region.syntax == CallSyntax::kimi; });
  }

  const std::string& format() const { return format_.name; }

  // Arguments go to the template as objects; some take only their text.
  Case check(const Scenario& scenario) const {
    Case as_object = check(scenario, false);
    if (as_object.result == Result::read_back || as_object.result == Result::left_out) return as_object;
    Case as_text = check(scenario, true);
    if (as_text.result != Result::read_back) return as_object;
    as_text.detail = "only if its arguments come as text: " + as_object.detail;
    return as_text;
  }

 private:
  Case check(const Scenario& scenario, bool arguments_as_text) const {
    const Json message = assistant_message(scenario, arguments_as_text, named_ids_);
    try {
      Answer answer = cut_answer(format_, render(chat_, &message, false), render(chat_, nullptr, true),
                                 render(chat_, nullptr, false));
      if (!end_.empty() && answer.text.ends_with(end_)) answer.text.resize(answer.text.size() - end_.size());
      const Json expected = written_calls(scenario, answer.text);
      const ParsedOutput output =
          parse_output(format_, answer.text, {.tools = &tools(), .starts_in_reasoning = answer.in_reasoning});
      const std::string problem = difference(expected, output, answer.text);
      if (!problem.empty()) return {Result::not_read_back, scenario.name, problem};
      const size_t left_out = message["tool_calls"].size() - expected.size();
      if (left_out > 0) return {Result::left_out, scenario.name, left_out_of(left_out, message["tool_calls"].size())};
      return {Result::read_back, scenario.name, ""};
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      return {Result::refused, scenario.name, error.what()};
    }
  }

  const ChatTemplate& chat_;
  OutputFormat format_;
  std::string end_;
  bool named_ids_;
};

}  // namespace

CallCheck check_calls(const ChatTemplate& chat_template) {
  const Checker checker(chat_template);
  CallCheck check;
  check.format = checker.format();
  for (const Scenario& scenario : kScenarios) check.cases.push_back(checker.check(scenario));
  const auto any = [&](Result result) {
    return std::any_of(check.cases.begin(), check.cases.end(), [&](const Case& one) { return one.result == result; });
  };
  if (any(Result::not_read_back)) {
    check.verdict = CallCheck::Verdict::not_read_back;
  } else if (!any(Result::read_back)) {
    check.verdict = any(Result::left_out) ? CallCheck::Verdict::no_calls : CallCheck::Verdict::not_read_back;
  }
  return check;
}

}  // namespace hearth::text
