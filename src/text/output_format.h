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
  json_by_name,    // [{"f": {...}}]: the arguments under the function's name (Apertus)
  mistral,         // [TOOL_CALLS]: an array of JSON calls, or NAME[ARGS]{...}
  kimi,            // sections of functions.NAME:INDEX and JSON
  deepseek,        // sections of NAME and JSON (V3.1), or function, NAME and fenced JSON (V3, R1)
  dsml,            // <｜DSML｜invoke name="..."> (V3.2, V4; V4.1 has a space before the tags' names)
  minimax,         // <invoke name="..."><parameter name="...">
  nested,          // <invoke name="..."><city>Paris</city>, with a mark before every tag (MiniMax M3)
  minicpm,         // <function name="..."><param name="...">, values perhaps in CDATA
  function_json,   // <function=NAME>{...}</function>
  steptml,         // <steptml:invoke name="..."><steptml:parameter name="...">
  hunyuan,         // NAME<tool_sep> and <arg_key> pairs
  xtml,            // <|open|>call tool="..."<|sep|> (Kimi K3)
  longcat,         // JSON, or <longcat_arg_key> pairs
  pythonic,        // [f(a=1, b="x"), g()]; or JSON, told apart by its first bytes
  pythonic_lines,  // f(a=1, b="x"), one a line
  gemma,           // call:f{a:1,b:<|"|>x<|"|>}
  function_gemma,  // call:f{a:1,b:<escape>x<escape>}
  wrapped_json,    // JSON between the start and end marks of the region, after a fence's word (```json) too
};

struct OutputFormat {
  struct Marks {
    std::string start, end;
  };
  struct Region {
    std::string start, end;  // end may be empty: the region ends where its grammar does
    CallSyntax syntax;
    // The start mark occurs in ordinary text too (a brace, a fence): the region is a call only if it names one of the
    // tools and has arguments, otherwise text as if it had no mark. The grammar reads the start mark as well.
    bool weak = false;
  };
  enum class Layout {
    markers,     // text with the marks and regions below
    channels,    // messages with headers (harmony)
    recipients,  // >>>NAME and a newline before each part (Functionary v3.2)
  };

  std::string name = {};
  std::vector<Marks> reasoning = {};
  std::vector<Region> regions = {};
  std::vector<std::string> ignored = {};  // markers that are layout: removed from the text
  Layout layout = Layout::markers;
  bool built_marks = false;         // templates put the reasoning marks together: their text does not show them
  bool calls_in_reasoning = false;  // models of this format call without ending their thinking
  bool short_ids = false;           // made ids are nine letters and digits, as Mistral's templates demand
};

// Names of all formats, in the order of detection.
std::vector<std::string> output_format_names();

// Throws std::invalid_argument naming the known formats when there is none of that name.
OutputFormat output_format(std::string_view name);

// The format whose markers the template uses; "plain" (no calls) if none. `named` is a format that the model's folder
// names itself (mlx-lm's tool_parser_type): it is taken if it is known. Reasoning marks are those the template
// has, unless the format's templates build them.
OutputFormat detect_output_format(std::string_view chat_template, std::string_view named = "");

// True when a rendered prompt has opened a thinking block for the answer, which so begins with reasoning: the block's
// start mark stands at the prompt's very end, white space aside. `begun` is what the prompt holds of the answer (the
// text of a message to be continued): the block may have been opened right before it or in it. Marks anywhere else are
// somebody's words.
bool ends_in_reasoning(const OutputFormat& format, std::string_view prompt, std::string_view begun = "");

}  // namespace hearth::text
