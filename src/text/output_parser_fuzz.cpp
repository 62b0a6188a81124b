// Any bytes, in any pieces, through every format: nothing is lost but layout, the result does not depend on the cut,
// and every call's arguments are JSON that parse_json reads.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "text/output_parser.h"

using namespace hearth::text;

namespace {

struct Seen {
  std::string text, calls;
};

Seen parse(const OutputFormat& format, std::string_view text, size_t step) {
  OutputParser parser(format);
  ParsedOutput result;
  for (size_t at = 0; at < text.size(); at += step)
    for (const OutputEvent& event : parser.feed(text.substr(at, step))) result.add(event);
  for (const OutputEvent& event : parser.finish()) result.add(event);
  Seen seen{result.reasoning + "|" + result.content, ""};
  for (const ToolCall& call : result.tool_calls) {
    seen.calls += call.id + call.name + call.arguments;
    if (!hearth::parse_json(call.arguments, "arguments").is_object()) std::abort();
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const std::vector<std::string> names = output_format_names();
  const OutputFormat format = output_format(names[data[0] % names.size()]);
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const Seen whole = parse(format, text, text.size() + 1), bytes = parse(format, text, 1),
             pieces = parse(format, text, 3);
  if (whole.text != bytes.text || whole.calls != bytes.calls || whole.text != pieces.text) std::abort();
  return 0;
}
