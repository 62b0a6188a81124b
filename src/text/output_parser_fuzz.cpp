// Any bytes, in any pieces, through every format: nothing is lost but layout, the result does not depend on the cut,
// every call's arguments are JSON that parse_json reads, and only tools that were offered are called.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "text/output_parser.h"

using namespace hearth::text;

namespace {

struct Seen {
  std::string text, calls;
};

const hearth::Json& tools_of(uint8_t choice) {
  static const hearth::Json none = hearth::Json::array();
  static const hearth::Json some = hearth::Json::parse(
      R"([{"name": "f", "parameters": {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}}, {"name": "g"}])");
  return choice % 4 == 0 ? none : some;
}

Seen parse(const OutputFormat& format, const hearth::Json* tools, std::string_view text, size_t step) {
  OutputParser parser(format, {.tools = tools});
  ParsedOutput result;
  for (size_t at = 0; at < text.size(); at += step)
    for (const OutputEvent& event : parser.feed(text.substr(at, step))) result.add(event);
  for (const OutputEvent& event : parser.finish()) result.add(event);
  Seen seen{result.reasoning + "|" + result.content, ""};
  for (const ToolCall& call : result.tool_calls) {
    seen.calls += call.id + call.name + call.arguments + (call.repaired ? "!" : "");
    if (tools != nullptr && (tools->empty() || (call.name != "f" && call.name != "g"))) std::abort();
    if (!hearth::parse_json(call.arguments, "arguments").is_object()) std::abort();
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  static const std::vector<std::string> names = output_format_names();
  const OutputFormat format = output_format(names[data[0] % names.size()]);
  const hearth::Json* tools = data[1] % 4 == 1 ? nullptr : &tools_of(data[1]);
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const Seen whole = parse(format, tools, text, text.size() + 1), bytes = parse(format, tools, text, 1),
             pieces = parse(format, tools, text, 3);
  if (whole.text != bytes.text || whole.calls != bytes.calls || whole.text != pieces.text) std::abort();
  return 0;
}
