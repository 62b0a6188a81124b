// Each message is written by its role; what a user or tool message opens (thinking or not) depends on whether it is the
// last one. Reasoning before the last user message is forgotten.
#include "text/deepseek_encoder.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/python_format.h"

namespace hearth::text {

namespace {

constexpr std::string_view kBos = "<｜begin▁of▁sentence｜>", kEos = "<｜end▁of▁sentence｜>";
constexpr std::string_view kUser = "<｜User｜>", kAssistant = "<｜Assistant｜>";
constexpr std::string_view kThink = "<think>", kThinkEnd = "</think>";

// What surrounds the schemas of the tools.
constexpr std::string_view kToolsBefore =
    "## Tools\n\n"
    "You have access to a set of tools you can use to answer the user's question.\n"
    "You can invoke functions by writing a \"<｜DSML｜function_calls>\" block like the following as part of your reply "
    "to the user:\n"
    "<｜DSML｜function_calls>\n"
    "<｜DSML｜invoke name=\"$FUNCTION_NAME\">\n"
    "<｜DSML｜parameter name=\"$PARAMETER_NAME\" string=\"true|false\">$PARAMETER_VALUE</｜DSML｜parameter>\n"
    "...\n"
    "</｜DSML｜invoke>\n"
    "<｜DSML｜invoke name=\"$FUNCTION_NAME2\">\n"
    "...\n"
    "</｜DSML｜invoke>\n"
    "</｜DSML｜function_calls>\n\n"
    "String and scalar parameters should be specified as is without any escaping or quotes, while lists and objects "
    "should use JSON format. The \"string\" attribute should be set to \"true\" for string type parameters and "
    "\"false\" for other types (numbers, booleans, arrays, objects).\n\n"
    "If the thinking_mode is enabled, then after function results you should strongly consider outputting a thinking "
    "block. Here is an example:\n\n"
    "<｜DSML｜function_calls>\n"
    "...\n"
    "</｜DSML｜function_calls>\n\n"
    "<function_results>\n"
    "...\n"
    "</function_results>\n\n"
    "<think>...thinking about results</think>\n\n"
    "Here are the functions available in JSONSchema format:\n"
    "<functions>\n";
constexpr std::string_view kToolsAfter = "\n</functions>\n";

[[noreturn]] void refuse_conversation(const std::string& reason) { throw RequestError(400, "deepseek_v32: " + reason); }

std::string to_json(const Json& value) { return python_json_dumps(value, {.ensure_ascii = false}); }

const Json& field(const Json& object, const char* name) {
  static const Json kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

// Python's truth of a JSON value.
bool truthy(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  return value.is_string() ? !value.get_ref<const std::string&>().empty() : !value.empty();
}

std::string text_or_empty(const Json& value) { return truthy(value) ? python_str(value) : ""; }

bool is_role(const Json& message, std::string_view role) {
  const Json& own = field(message, "role");
  return own.is_string() && own.get_ref<const std::string&>() == role;
}

std::string render_tools(const Json& tools) {
  if (!tools.is_array()) refuse_conversation("tools must be an array");
  std::string out(kToolsBefore);
  bool first = true;
  for (const Json& tool : tools) {
    if (!tool.is_object() || !tool.contains("function")) refuse_conversation("every tool needs a \"function\"");
    if (!first) out += '\n';
    first = false;
    out += to_json(tool["function"]);
  }
  return out += kToolsAfter;
}

std::string render_response_format(const Json& schema) {
  return "\n\n## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n" + to_json(schema);
}

std::string render_call(const Json& call) {
  const Json& function = field(call, "function");
  if (!function.is_object()) refuse_conversation("every tool call needs a \"function\"");
  const Json& given = field(function, "arguments");
  if (!given.is_string()) refuse_conversation("a tool call's arguments must be JSON text");
  Json arguments;
  try {
    arguments = parse_json(given.get_ref<const std::string&>(), "tool call arguments");
  } catch (const LoadError& error) {
    refuse_conversation(error.what());
  }
  if (!arguments.is_object()) refuse_conversation("a tool call's arguments must be a JSON object");
  std::string out = "<｜DSML｜invoke name=\"" + python_str(field(function, "name")) + "\">\n";
  bool first = true;
  for (const auto& [key, value] : arguments.items()) {
    if (!first) out += '\n';
    first = false;
    out += "<｜DSML｜parameter name=\"" + key + "\" string=\"" + (value.is_string() ? "true" : "false") + "\">" +
           (value.is_string() ? value.get<std::string>() : to_json(value)) + "</｜DSML｜parameter>";
  }
  return out += "\n</｜DSML｜invoke>";
}

std::string render_calls(const Json& calls) {
  std::string out = "\n\n<｜DSML｜function_calls>\n";
  bool first = true;
  for (const Json& call : calls) {
    if (!first) out += '\n';
    first = false;
    out += render_call(call);
  }
  return out += "\n</｜DSML｜function_calls>";
}

class Encoder {
 public:
  Encoder(const std::vector<Json>& messages, bool thinking, const Json& tools)
      : messages_(messages), thinking_(thinking), tools_(tools) {
    for (size_t i = 0; i < messages.size(); ++i)
      if (is_role(messages[i], "user") || is_role(messages[i], "developer")) last_user_ = static_cast<int>(i);
  }

  std::string run() {
    for (size_t i = 0; i < messages_.size(); ++i) add(static_cast<int>(i));
    return std::move(out_);
  }

 private:
  void add(int index) {
    const Json& message = messages_[static_cast<size_t>(index)];
    if (is_role(message, "system")) {
      out_ += text_or_empty(field(message, "content"));
      if (truthy(tools_of(message))) out_ += "\n\n" + render_tools(tools_of(message));
      if (truthy(field(message, "response_format"))) out_ += render_response_format(field(message, "response_format"));
    } else if (is_role(message, "developer")) {
      add_developer(message);
      open_answer(index == last_user_);
    } else if (is_role(message, "user")) {
      out_ += std::string(kUser) + python_str(field(message, "content")) + std::string(kAssistant);
      open_answer(index == last_user_);
    } else if (is_role(message, "tool")) {
      add_tool_result(index, message);
    } else if (is_role(message, "assistant")) {
      add_assistant(index, message);
    } else {
      refuse_conversation("unknown role: " + python_str(field(message, "role")));
    }
  }

  const Json& tools_of(const Json& message) const { return truthy(tools_) ? tools_ : field(message, "tools"); }

  void open_answer(bool current) { out_ += current && thinking_ ? kThink : kThinkEnd; }

  void add_developer(const Json& message) {
    if (!truthy(field(message, "content"))) refuse_conversation("a developer message needs content");
    out_ += kUser;
    if (truthy(tools_of(message))) out_ += "\n\n" + render_tools(tools_of(message));
    if (truthy(field(message, "response_format"))) out_ += render_response_format(field(message, "response_format"));
    out_ += "\n\n# The user's message is: " + python_str(field(message, "content"));
    out_ += kAssistant;
  }

  void add_tool_result(int index, const Json& message) {
    int caller = index - 1;
    while (caller >= 0 && is_role(messages_[static_cast<size_t>(caller)], "tool")) --caller;
    if (caller < 0 || !is_role(messages_[static_cast<size_t>(caller)], "assistant"))
      refuse_conversation("a tool message must follow an assistant's tool calls");
    const Json& calls = field(messages_[static_cast<size_t>(caller)], "tool_calls");
    const auto number = static_cast<size_t>(index - caller);
    if (!truthy(calls) || calls.size() < number) refuse_conversation("no tool calls but found tool output");
    if (number == 1) out_ += "\n\n<function_results>";
    out_ += "\n<result>" + python_str(field(message, "content")) + "</result>";
    if (number != calls.size()) return;
    out_ += "\n</function_results>\n\n";
    open_answer(index >= last_user_);
  }

  void add_assistant(int index, const Json& message) {
    const Json& calls = field(message, "tool_calls");
    const Json& reasoning = field(message, "reasoning_content");
    if (thinking_ && index > last_user_) {
      if (!truthy(reasoning) && !truthy(calls))
        refuse_conversation(
            "thinking mode: the assistant message after the last user message needs reasoning_content or tool_calls");
      out_ += text_or_empty(reasoning) + std::string(kThinkEnd);
    }
    out_ += text_or_empty(field(message, "content"));
    if (truthy(calls)) out_ += render_calls(calls);
    out_ += kEos;
  }

  const std::vector<Json>& messages_;
  const bool thinking_;
  const Json& tools_;
  int last_user_ = -1;
  std::string out_;
};

bool is_thinking(const Json& options) {
  if (options.contains("enable_thinking")) return truthy(options["enable_thinking"]);
  if (!options.contains("thinking_mode")) return true;
  const Json& mode = options["thinking_mode"];
  if (mode != "thinking" && mode != "chat") refuse_conversation("thinking_mode must be \"thinking\" or \"chat\"");
  return mode == "thinking";
}

// Reasoning from before the last user message goes; so do developer messages, which were said to the model then.
std::vector<Json> without_old_reasoning(std::vector<Json> messages) {
  int last_user = -1;
  for (size_t i = 0; i < messages.size(); ++i)
    if (is_role(messages[i], "user") || is_role(messages[i], "developer")) last_user = static_cast<int>(i);
  std::vector<Json> kept;
  for (size_t i = 0; i < messages.size(); ++i) {
    Json& message = messages[i];
    const bool old = static_cast<int>(i) < last_user;
    if (old && is_role(message, "assistant")) message.erase("reasoning_content");
    const bool known = is_role(message, "user") || is_role(message, "system") || is_role(message, "tool") ||
                       is_role(message, "assistant");
    if (!old || known) kept.push_back(std::move(message));
  }
  return kept;
}

void remove_suffix(std::string& text, std::string_view suffix) {
  if (text.ends_with(suffix)) text.resize(text.size() - suffix.size());
}

}  // namespace

std::string encode_deepseek_v32(const Json& messages, const Json& tools, const Json& options) {
  if (!messages.is_array() || messages.empty()) refuse_conversation("messages must be a non-empty array");
  for (const Json& message : messages)
    if (!message.is_object()) refuse_conversation("every message must be an object");
  const bool thinking = is_thinking(options);
  std::vector<Json> kept(messages.begin(), messages.end());
  const bool drop = !options.contains("drop_thinking") || truthy(options["drop_thinking"]);
  if (thinking && drop) kept = without_old_reasoning(std::move(kept));
  const bool bos = !options.contains("add_default_bos_token") || truthy(options["add_default_bos_token"]);
  std::string out = (bos ? std::string(kBos) : "") + Encoder(kept, thinking, tools).run();
  const bool generate = truthy(field(options, "add_generation_prompt"));
  const bool go_on = truthy(field(options, "continue_final_message"));
  if (!generate && is_role(messages.back(), "user")) remove_suffix(out, std::string(kAssistant) + std::string(kThink));
  if (go_on && is_role(messages.back(), "assistant")) remove_suffix(out, kEos);
  return out;
}

}  // namespace hearth::text
