#include "text/output_format.h"

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace hearth::text {

namespace {

using Region = OutputFormat::Region;
using Marks = OutputFormat::Marks;

const Marks kThinkMarks{"<think>", "</think>"};
const Marks kMiniMaxThinkMarks{"<mm:think>", "</mm:think>"};

// How models of several formats call without the marks that they were taught.
const Region kBareObject{"{", "", CallSyntax::json, true}, kBareArray{"[", "", CallSyntax::json, true},
    kFence{"```", "```", CallSyntax::wrapped_json, true};

const Region kToolCallsRegion{"<tool_calls>", "</tool_calls>", CallSyntax::json};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct Known {
  OutputFormat format;
  std::function<bool(std::string_view chat_template)> matches;
};

// In order of detection: the more particular markers come first, since several formats share <tool_call>. The last one
// fits every template.
const std::vector<Known>& known_formats() {
  static const std::vector<Known> formats = {
      {{.name = "minimax_m3",
        .reasoning = {kMiniMaxThinkMarks},
        .regions = {{"]<]minimax[>[<tool_call>", "]<]minimax[>[</tool_call>", CallSyntax::nested}},
        .ignored = {"</mm:think>"},  // written in front of an answer without thinking
        .calls_in_reasoning = true},
       [](auto t) { return has(t, "]<]minimax[>["); }},
      {{.name = "minimax_m2",
        .reasoning = {kMiniMaxThinkMarks, kThinkMarks},
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
      {{.name = "kimi_k3",
        .reasoning = {{"<|open|>think<|sep|>", "<|close|>think<|sep|>"}},
        .regions = {{"<|open|>tools<|sep|>", "<|close|>tools<|sep|>", CallSyntax::xtml}},
        .ignored = {"<|open|>response<|sep|>", "<|close|>response<|sep|>", "<|close|>message<|sep|>", "<|end_of_msg|>"},
        .built_marks = true},
       [](auto t) { return has(t, "<|open|>") && has(t, "<|sep|>"); }},
      {{.name = "harmony",
        .reasoning = {{"<|channel|>analysis<|message|>", "<|end|>"}},
        .layout = OutputFormat::Layout::channels},
       [](auto t) { return has(t, "<|channel|>") && has(t, "<|message|>"); }},
      {{.name = "deepseek_v41",
        .reasoning = {kThinkMarks},
        .regions = {{"<｜DSML｜ calls>", "</｜DSML｜ calls>", CallSyntax::dsml},
                    {"<｜DSML｜ invoke name=", "", CallSyntax::dsml, true}}},
       [](auto t) { return has(t, "｜DSML｜") && has(t, " calls>"); }},
      {{.name = "deepseek_v4",
        .reasoning = {kThinkMarks},
        .regions = {{"<｜DSML｜tool_calls>", "</｜DSML｜tool_calls>", CallSyntax::dsml},
                    {"<｜DSML｜invoke name=", "", CallSyntax::dsml, true}}},
       [](auto t) { return has(t, "｜DSML｜") && has(t, "tool_calls>"); }},
      {{.name = "deepseek_v32",
        .reasoning = {kThinkMarks},
        .regions = {{"<｜DSML｜function_calls>", "</｜DSML｜function_calls>", CallSyntax::dsml},
                    {"<｜DSML｜invoke name=", "", CallSyntax::dsml, true}}},
       [](auto t) { return has(t, "｜DSML｜"); }},
      {{.name = "deepseek_v3",
        .reasoning = {kThinkMarks},
        .regions = {{"<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", CallSyntax::deepseek}}},
       [](auto t) { return has(t, "<｜tool▁calls▁begin｜>"); }},
      {{.name = "step3",
        .reasoning = {kThinkMarks},
        .regions = {{"<｜tool_calls_begin｜>", "<｜tool_calls_end｜>", CallSyntax::steptml}}},
       [](auto t) { return has(t, "<steptml:invoke"); }},
      {{.name = "seed_oss",
        .reasoning = {{"<seed:think>", "</seed:think>"}, {"<seed:think><seed:cot_budget_reflect>", "</seed:think>"}},
        .regions = {{"<seed:tool_call>", "</seed:tool_call>", CallSyntax::tool_call_tag}}},
       [](auto t) { return has(t, "<seed:tool_call>"); }},
      {{.name = "hy_v3_opensource",
        .reasoning = {{"<think:opensource>", "</think:opensource>"}},
        .regions = {{"<tool_calls:opensource>", "</tool_calls:opensource>", CallSyntax::hunyuan}},
        .built_marks = true},
       [](auto t) { return has(t, "<tool_sep") && has(t, "<arg_key") && has(t, ":opensource"); }},
      {{.name = "hy_v3",
        .reasoning = {kThinkMarks},
        .regions = {{"<tool_calls>", "</tool_calls>", CallSyntax::hunyuan}}},
       [](auto t) { return has(t, "<tool_sep>") && has(t, "<arg_key>"); }},
      {{.name = "glm47",
        .reasoning = {kThinkMarks},
        .regions = {{"<tool_call>", "</tool_call>", CallSyntax::tool_call_tag}}},
       [](auto t) { return has(t, "<arg_key>"); }},
      {{.name = "pythonic",
        .reasoning = {kThinkMarks},
        .regions = {{"<|tool_call_start|>", "<|tool_call_end|>", CallSyntax::pythonic}}},
       [](auto t) {
         return has(t, "<|tool_list_start|>") || has(t, "<|tool_call_start|>") || has(t, "List of tools: [");
       }},
      {{.name = "qwen3_coder",
        .reasoning = {kThinkMarks},
        .regions = {{"<tool_call>", "</tool_call>", CallSyntax::tool_call_tag},
                    {"<function=", "", CallSyntax::tool_call_tag, true}},
        .calls_in_reasoning = true},
       [](auto t) { return has(t, "<function=") && (has(t, "<tool_call>") || has(t, "<parameter=")); }},
      {{.name = "functionary_v31",
        .regions = {{"<function=", "", CallSyntax::function_json}},
        .ignored = {"<|eom_id|>", "<|eot_id|>"}},
       [](auto t) { return has(t, "<function=") && has(t, "</function>"); }},
      {{.name = "functionary_v32", .layout = OutputFormat::Layout::recipients},
       [](auto t) { return has(t, ">>>all"); }},
      {{.name = "minicpm5", .reasoning = {kThinkMarks}, .regions = {{"<function name=", "", CallSyntax::minicpm}}},
       [](auto t) { return has(t, "<function name=") && has(t, "<param name="); }},
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
      {{.name = "apertus",
        .reasoning = {{"<|inner_prefix|>", "<|inner_suffix|>"}},
        .regions = {{"<|tools_prefix|>", "<|tools_suffix|>", CallSyntax::json_by_name}}},
       [](auto t) { return has(t, "<|tools_prefix|>"); }},
      {{.name = "cohere",
        .reasoning = {{"<|START_THINKING|>", "<|END_THINKING|>"}},
        .regions = {{"<|START_ACTION|>", "<|END_ACTION|>", CallSyntax::json}},
        .ignored = {"<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"}},
       [](auto t) { return has(t, "<|START_ACTION|>"); }},
      {{.name = "command_r",
        .regions = {{"Action: ```json\n", "```", CallSyntax::json}, {"Action:\n```json\n", "```", CallSyntax::json}}},
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
      {{.name = "apriel",
        .reasoning = {{"Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"}, {"<thinking>", "</thinking>"}},
        .regions = {kToolCallsRegion},
        .ignored = {"[END FINAL RESPONSE]"}},
       [](auto t) { return has(t, "<tool_calls>") && (has(t, "[BEGIN FINAL RESPONSE]") || has(t, "<thinking>")); }},
      {{.name = "hunyuan",
        .reasoning = {kThinkMarks},
        .regions = {kToolCallsRegion},
        .ignored = {"<answer>\n", "\n</answer>"}},
       [](auto t) { return has(t, "<tool_calls>") && has(t, "<|extra_0|>"); }},
      {{.name = "tool_calls", .reasoning = {kThinkMarks}, .regions = {kToolCallsRegion}},
       [](auto t) { return has(t, "<tool_calls>"); }},
      {{.name = "olmo3",
        .reasoning = {kThinkMarks},
        .regions = {{"<function_calls>", "</function_calls>", CallSyntax::pythonic_lines}}},
       [](auto t) { return has(t, "<function_calls>") && !has(t, "<invoke"); }},
      {{.name = "gigachat3", .regions = {{"<|function_call|>", "", CallSyntax::json}}, .ignored = {"<|message_sep|>"}},
       [](auto t) { return has(t, "<|function_call|>"); }},
      {{.name = "internlm2",
        .reasoning = {kThinkMarks},
        .regions = {{"<|action_start|><|plugin|>", "<|action_end|>", CallSyntax::json}}},
       [](auto t) { return has(t, "<|action_start|>") && has(t, "<|plugin|>"); }},
      {{.name = "hermes",
        .reasoning = {kThinkMarks},
        .regions = {{"<tool_call>", "</tool_call>", CallSyntax::tool_call_tag},
                    {"<tools>", "</tools>", CallSyntax::wrapped_json, true},
                    kBareObject,
                    kBareArray,
                    kFence},
        .calls_in_reasoning = true},
       [](auto t) { return has(t, "<tool_call>"); }},
      {{.name = "xlam", .reasoning = {kThinkMarks}, .regions = {kBareObject, kBareArray, kFence}},
       [](auto t) { return has(t, "xLAM") || has(t, "make calls in a single JSON array"); }},
      {{.name = "llama3_json",
        .regions = {{"<|python_tag|>", "", CallSyntax::json}, kBareObject, kBareArray, kFence},
        .ignored = {"<|eom_id|>", "<|eot_id|>"}},
       [](auto t) { return has(t, "<|python_tag|>") || (has(t, "\"parameters\"") && has(t, "\"name\"")); }},
      {{.name = "llama4_pythonic",
        .regions = {{"<|python_start|>", "<|python_end|>", CallSyntax::pythonic},
                    {"[", "", CallSyntax::pythonic, true},
                    kBareObject}},
       [](auto t) { return has(t, "<|python_start|>") || has(t, "<|header_start|>") || has(t, "[func_name1("); }},
      {{.name = "plain", .reasoning = {kThinkMarks}}, [](auto) { return true; }},
  };
  return formats;
}

// Names that mlx-lm, vLLM and SGLang use for the same dialects.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"json_tools", "hermes"},
    {"qwen", "hermes"},
    {"qwen3", "hermes"},
    {"deepseek_r1", "deepseek_v3"},
    {"deepseek_v31", "deepseek_v3"},
    {"deepseek_dsml", "deepseek_v4"},
    {"gpt_oss", "harmony"},
    {"minicpm5xml", "minicpm5"},
    {"jamba", "tool_calls"},
    {"hunyuan_a13b", "hunyuan"},
    {"functionary", "functionary_v32"},
    {"lfm2", "pythonic"},
    {"glm45", "glm47"},
    {"glm4_moe", "glm47"},
    {"laguna", "glm47"},
    {"internlm", "internlm2"},
};

// Null when there is none of that name.
const Known* find_known(std::string_view name) {
  for (const auto& [other, own] : kOtherNames)
    if (name == other) name = own;
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
  if (!format.built_marks)
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
