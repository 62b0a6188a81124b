// The dialects in which models mark reasoning and tool calls, by name, and how to tell them from a chat template.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::text {

// Which grammar reads the bytes of a call region.
enum class CallSyntax {
  tool_call_tag,   // <tool_call>: JSON, <function=...> or <arg_key> pairs, told apart by their first byte
  json,            // one call object, an array of them, or several in a row
  mistral,         // [TOOL_CALLS]: an array of JSON calls, or NAME[ARGS]{...}
  kimi,            // sections of functions.NAME:INDEX and JSON
  deepseek,        // sections of NAME and JSON (V3.1), or function, NAME and fenced JSON (V3, R1)
  dsml,            // <｜DSML｜invoke name="..."> (V3.2)
  minimax,         // <invoke name="..."><parameter name="...">
  longcat,         // JSON, or <longcat_arg_key> pairs
  pythonic,        // [f(a=1, b="x"), g()]
  gemma,           // call:f{a:1,b:<|"|>x<|"|>}
  function_gemma,  // call:f{a:1,b:<escape>x<escape>}
};

struct OutputFormat {
  struct Marks {
    std::string start, end;
  };
  struct Region {
    std::string start, end;  // end may be empty: the region ends where its grammar does
    CallSyntax syntax;
  };
  enum class Bare { none, json, pythonic };  // calls without any marker, at the beginning of the answer

  std::string name = {};
  std::vector<Marks> reasoning = {};
  std::vector<Region> regions = {};
  std::vector<std::string> ignored = {};  // markers that are layout: removed from the text
  Bare bare = Bare::none;
  bool harmony = false;    // channels (gpt-oss) instead of all of the above
  bool short_ids = false;  // made ids are nine letters and digits, as Mistral's templates demand
};

// Names of all formats, in the order of detection.
std::vector<std::string> output_format_names();

// Throws std::invalid_argument naming the known formats when there is none of that name.
OutputFormat output_format(std::string_view name);

// The format whose markers the template uses; "plain" (no calls) if none. `named` is a format that the model's folder
// names itself (mlx-lm's tool_parser_type): it is taken if it is known. Reasoning marks are those the template has.
OutputFormat detect_output_format(std::string_view chat_template, std::string_view named = "");

// True when a rendered prompt ends inside a thinking block, so that the answer begins with reasoning.
bool ends_in_reasoning(const OutputFormat& format, std::string_view prompt);

}  // namespace hearth::text
