#include "text/output_format.h"

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace hearth::text {

namespace {

using Region = OutputFormat::Region;
using Marks = OutputFormat::Marks;

const Marks kThinkMarks{"<think>", "</think>"};

// How models of several formats call without the marks that they were taught.
const Region kBareObject{"{", "", CallSyntax::json, true}, kBareArray{"[", "", CallSyntax::json, true},
    kFence{"```", "```", CallSyntax::wrapped_json, true};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct Known {
  OutputFormat format;
  std::function<bool(std::string_view chat_template)> matches;
};

// In order of detection: the more particular markers come first, since several formats share <tool_call>. The last one
// fits every template.
const std::vector<Known>& known_formats() {
  static const std::vector<Known> formats = {
      {{.name = "minimax_m2",
        .reasoning = {kThinkMarks},
        .regions = {{"<minimax:tool_call>", "</minimax:tool_call>", CallSyntax::minimax},
                    {"<invoke name=", "", CallSyntax::minimax, true}}},
       [](auto t) { return has(t, "<minimax:tool_call>"); }},
      {{.name = "gemma4",
        .reasoning = {{"<|channel>thought", "<channel|>"}},
        .regions = {{"<|tool_call>", "<tool_call|>", CallSyntax::gemma}}},
       [](auto t) { return has(t, "<|tool_call>") && has(t, "<tool_call|>"); }},
      {{.name = "function_gemma",
        .regions = {{"<start_function_call>", "<end_function_call>", CallSyntax::function_gemma}}},
       [](auto t) { return has(t, "<start_function_call>"); }},
      {{.name = "longcat",
        .reasoning = {{"<longcat_think>", "</longcat_think>"}},
        .regions = {{"<longcat_tool_call>", "</longcat_tool_call>", CallSyntax::longcat}}},
       [](auto t) { return has(t, "<longcat_tool_call>"); }},
      {{.name = "harmony", .reasoning = {{"<|channel|>analysis<|message|>", "<|end|>"}}, .harmony = true},
       [](auto t) { return has(t, "<|channel|>") && has(t, "<|message|>"); }},
      {{.name = "deepseek_v32",
        .reasoning = {kThinkMarks},
        .regions = {{"<｜DSML｜function_calls>", "</｜DSML｜function_calls>", CallSyntax::dsml},
                    {"<｜DSML｜invoke name=", "", CallSyntax::dsml, true}}},
       [](auto t) { return has(t, "｜DSML｜"); }},
      {{.name = "deepseek_v3",
        .reasoning = {kThinkMarks},
        .regions = {{"<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", CallSyntax::deepseek}}},
       [](auto t) { return has(t, "<｜tool▁calls▁begin｜>"); }},
      {{.name = "glm47",
        .reasoning = {kThinkMarks},
        .regions = {{"<tool_call>", "</tool_call>", CallSyntax::tool_call_tag}}},
       [](auto t) { return has(t, "<arg_key>"); }},
      {{.name = "pythonic",
        .reasoning = {kThinkMarks},
        .regions = {{"<|tool_call_start|>", "<|tool_call_end|>", CallSyntax::pythonic}}},
       [](auto t) { return has(t, "<|tool_list_start|>") || has(t, "<|tool_call_start|>"); }},
      {{.name = "qwen3_coder",
        .reasoning = {kThinkMarks},
        .regions = {{"<tool_call>", "</tool_call>", CallSyntax::tool_call_tag},
                    {"<function=", "", CallSyntax::tool_call_tag, true}},
        .calls_in_reasoning = true},
       [](auto t) { return has(t, "<tool_call>") && has(t, "<function="); }},
      {{.name = "kimi_k2",
        .reasoning = {kThinkMarks},
        .regions = {{"<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", CallSyntax::kimi}},
        .calls_in_reasoning = true},
       [](auto t) { return has(t, "<|tool_calls_section_begin|>"); }},
      {{.name = "mistral",
        .reasoning = {{"[THINK]", "[/THINK]"}},
        .regions = {{"[TOOL_CALLS]", "", CallSyntax::mistral}},
        .short_ids = true},
       [](auto t) { return has(t, "[TOOL_CALLS]"); }},
      {{.name = "cohere",
        .reasoning = {{"<|START_THINKING|>", "<|END_THINKING|>"}},
        .regions = {{"<|START_ACTION|>", "<|END_ACTION|>", CallSyntax::json}},
        .ignored = {"<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"}},
       [](auto t) { return has(t, "<|START_ACTION|>"); }},
      {{.name = "command_r", .regions = {{"Action: ```json\n", "```", CallSyntax::json}}},
       [](auto t) { return has(t, "Action:") && has(t, "```json"); }},
      {{.name = "phi4",
        .reasoning = {kThinkMarks},
        .regions = {{"<|tool_call|>", "<|/tool_call|>", CallSyntax::json}, {"functools[", "]", CallSyntax::json}}},
       [](auto t) { return has(t, "<|/tool_call|>") || has(t, "functools["); }},
      {{.name = "granite",
        .reasoning = {kThinkMarks},
        .regions = {{"<|tool_call|>", "", CallSyntax::json},
                    {"<tool_call>", "</tool_call>", CallSyntax::tool_call_tag}}},
       [](auto t) { return has(t, "<|tool_call|>"); }},
      {{.name = "nemotron",
        .reasoning = {kThinkMarks},
        .regions = {{"<TOOLCALL>", "</TOOLCALL>", CallSyntax::json}, {"<toolcall>", "</toolcall>", CallSyntax::json}}},
       [](auto t) { return has(t, "<TOOLCALL>") || has(t, "<toolcall>"); }},
      {{.name = "hermes",
        .reasoning = {kThinkMarks},
        .regions = {{"<tool_call>", "</tool_call>", CallSyntax::tool_call_tag},
                    {"<tools>", "</tools>", CallSyntax::wrapped_json, true},
                    kBareObject,
                    kBareArray,
                    kFence},
        .calls_in_reasoning = true},
       [](auto t) { return has(t, "<tool_call>"); }},
      {{.name = "llama3_json",
        .regions = {{"<|python_tag|>", "", CallSyntax::json}, kBareObject, kBareArray, kFence},
        .ignored = {"<|eom_id|>", "<|eot_id|>"}},
       [](auto t) { return has(t, "<|python_tag|>") || (has(t, "\"parameters\"") && has(t, "\"name\"")); }},
      {{.name = "llama4_pythonic",
        .regions = {{"<|python_start|>", "<|python_end|>", CallSyntax::pythonic},
                    {"[", "", CallSyntax::pythonic, true},
                    kBareObject}},
       [](auto t) { return has(t, "<|python_start|>") || has(t, "<|header_start|>"); }},
      {{.name = "plain", .reasoning = {kThinkMarks}}, [](auto) { return true; }},
  };
  return formats;
}

// Null when there is none of that name.
const Known* find_known(std::string_view name) {
  // Names that other programs use for the same dialects.
  if (name == "json_tools" || name == "qwen" || name == "qwen3") name = "hermes";
  if (name == "deepseek_r1" || name == "deepseek_v31") name = "deepseek_v3";
  if (name == "gpt_oss") name = "harmony";
  for (const Known& known : known_formats())
    if (known.format.name == name) return &known;
  return nullptr;
}

}  // namespace

std::vector<std::string> output_format_names() {
  std::vector<std::string> names;
  for (const Known& known : known_formats()) names.push_back(known.format.name);
  return names;
}

OutputFormat output_format(std::string_view name) {
  if (const Known* known = find_known(name)) return known->format;
  std::string names;
  for (const std::string& one : output_format_names()) names += (names.empty() ? "" : ", ") + one;
  throw std::invalid_argument("[output_format] unknown format '" + std::string(name.substr(0, 64)) + "'; known are " +
                              names);
}

OutputFormat detect_output_format(std::string_view chat_template, std::string_view named) {
  const Known* chosen = find_known(named);
  if (chosen == nullptr) {
    const auto& formats = known_formats();
    chosen = &*std::find_if(formats.begin(), formats.end() - 1,
                            [&](const Known& known) { return known.matches(chat_template); });
  }
  OutputFormat format = chosen->format;
  std::erase_if(format.reasoning, [&](const Marks& marks) { return !has(chat_template, marks.end); });
  return format;
}

bool ends_in_reasoning(const OutputFormat& format, std::string_view prompt, std::string_view begun) {
  const auto without_end = [](std::string_view text) { return text.substr(0, text.find_last_not_of(" \n\t\r") + 1); };
  prompt = without_end(prompt);
  begun = without_end(begun);
  const size_t answer = prompt.size() - (prompt.ends_with(begun) ? begun.size() : 0);
  return std::any_of(format.reasoning.begin(), format.reasoning.end(), [&](const Marks& marks) {
    const size_t start = prompt.rfind(marks.start);
    if (start == std::string_view::npos || has(prompt.substr(start), marks.end)) return false;
    const size_t behind = start + marks.start.size();
    return behind >= answer || without_end(prompt.substr(behind, answer - behind)).empty();
  });
}

}  // namespace hearth::text
