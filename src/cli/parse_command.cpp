#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/json_lines.h"
#include "cli/output_json.h"
#include "text/chat_template.h"
#include "text/output_parser.h"

namespace hearth::cli {
namespace {

constexpr const char* kParseExamples = R"(  hearth parse --format hermes < answer.json
  hearth parse --model DIR --events --jsonl < answers.jsonl
)";

// The pieces of an answer: a string, an array of strings, or an object with one of these as "text" and "tools".
std::vector<std::string> pieces_of(const Json& value) {
  const Json& text = value.is_object() && value.contains("text") ? value["text"] : value;
  std::vector<std::string> pieces;
  if (text.is_string()) return {text.get<std::string>()};
  if (!text.is_array()) throw RequestError(400, "An answer must be a JSON string or an array of strings.");
  for (const Json& piece : text) {
    if (!piece.is_string()) throw RequestError(400, "An answer must be a JSON string or an array of strings.");
    pieces.push_back(piece.get<std::string>());
  }
  return pieces;
}

// Nothing if the value does not speak of tools: then what has the form of a call is one.
std::optional<Json> tools_of(const Json& value) {
  if (!value.is_object() || !value.contains("tools")) return std::nullopt;
  if (value["tools"].is_null()) return Json::array();
  if (!value["tools"].is_array()) throw RequestError(400, "\"tools\" must be a list of tools.");
  return value["tools"];
}

Json parse_answer(const text::OutputFormat& format, const Json& value, bool as_events) {
  const std::optional<Json> tools = tools_of(value);
  const bool in_reasoning = value.is_object() && value.contains("in_reasoning") && value["in_reasoning"] == true;
  text::OutputParser parser(format, {.tools = tools ? &*tools : nullptr, .starts_in_reasoning = in_reasoning});
  text::ParsedOutput output;
  Json events = Json::array();
  const auto take = [&](const std::vector<text::OutputEvent>& more) {
    for (const text::OutputEvent& event : more) {
      output.add(event);
      events.push_back(to_json(event));
    }
  };
  for (const std::string& piece : pieces_of(value)) take(parser.feed(piece));
  take(parser.finish());
  return as_events ? Json{{"events", std::move(events)}} : to_json(output);
}

text::OutputFormat chosen_format(const std::string& name, const std::string& model) {
  if (!name.empty() && !model.empty()) throw std::invalid_argument("--format and --model exclude each other.");
  if (!name.empty()) return text::output_format(name);
  if (model.empty()) throw std::invalid_argument("parse: --format or --model is needed.");
  const auto chat_template = text::ChatTemplate::load(model_folder(model));
  return chat_template ? chat_template->output_format() : text::output_format("plain");
}

}  // namespace

int run_parse(const Arguments& arguments) {
  std::string format_name, model;
  bool events = false, jsonl = false;
  CommandLine line(
      "parse",
      "Splits a model's raw answer into reasoning, content and tool calls. Reads a JSON string from standard\n"
      "input, an array of strings (pieces), or an object with these as \"text\", the request's \"tools\" (only they\n"
      "can be called; without this key whatever has the form of a call is one), and \"in_reasoning\": true if the\n"
      "prompt had opened the thinking already.",
      kParseExamples);
  line.option("--format", format_name, "Format of calls and reasoning, by name");
  line.option("--model", model, "Model whose chat template tells the format");
  line.flag("--events", events, "Print the stream of events");
  line.flag("--jsonl", jsonl, "Take one JSON value a line, print one object a line");
  if (!line.parse(arguments)) return 0;

  const text::OutputFormat format = chosen_format(format_name, model);
  const auto answer = [&](const Json& value) { return parse_answer(format, value, events); };
  if (jsonl)
    answer_lines(answer);
  else
    print_json(answer(parse_json(read_standard_input(), "standard input")));
  return 0;
}

}  // namespace hearth::cli
