// Splits what a model says into content, reasoning and tool calls, as the text arrives.
//
// The result depends on the text alone, never on how it was cut into pieces: the parser consumes bytes one by one.
// Nothing is lost and nothing throws: a call that cannot be understood comes back as text, with the reason.
// Layout is not text: the white space between two calls and after the last one is dropped, all other text is exact.
// Cost: about 10 ns a byte; memory is bounded by the longest single call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/output_format.h"

namespace hearth::text {

struct OutputEvent {
  enum class Kind {
    content,         // text: part of the answer
    reasoning,       // text: part of the thinking before it
    call_start,      // id, name
    call_arguments,  // text: the next bytes of the arguments' JSON object
    call_end,        // the joined argument pieces are one whole JSON object; repaired
    call_failed,     // text: the call as the model wrote it, markers included; reason: why it was not understood
  };
  Kind kind;
  std::string text = {};
  int call = -1;  // which call, counted from 0 in order of call_start; -1: not part of a call, or it never started
  std::string id = {}, name = {}, reason = {};
  bool repaired = false;
};

struct ToolCall {
  std::string id, name;
  std::string arguments = {};  // a JSON object as text
  bool repaired = false;       // the model broke the syntax in a way that leaves one reading (docs/text.md)
};

struct MalformedCall {
  std::string text, reason;
};

// A whole answer. `content` holds the text of malformed calls too, in its place.
struct ParsedOutput {
  std::string reasoning, content;
  std::vector<ToolCall> tool_calls;
  std::vector<MalformedCall> malformed;

  // Adds one event's part.
  void add(const OutputEvent& event);
};

struct OutputParserOptions {
  // The request's tools, an array in OpenAI's or Anthropic's shape, copied by the constructor. Only they are called:
  // none are if it is empty. Null: nobody knows the tools, and what has the form of a call is one.
  const Json* tools = nullptr;
  bool starts_in_reasoning = false;  // the prompt ended inside a thinking block: see ends_in_reasoning()
  uint64_t id_seed = 0;              // ids made for calls that carry none are a function of this and the call's number
};

class OutputMachine;

// One answer's parser. Threads: one caller at a time.
class OutputParser {
 public:
  explicit OutputParser(OutputFormat format, const OutputParserOptions& options = {});
  ~OutputParser();
  OutputParser(OutputParser&&) noexcept;
  OutputParser& operator=(OutputParser&&) noexcept;

  // What `piece` adds. Text that may be the beginning of a marker is held back until that is decided.
  std::vector<OutputEvent> feed(std::string_view piece);

  // The answer has ended: gives everything held back. Call once, last.
  std::vector<OutputEvent> finish();

  // True while the text goes to reasoning: what a thinking budget counts.
  bool in_reasoning() const;

 private:
  std::unique_ptr<OutputMachine> machine_;
};

// Parses a whole answer at once.
ParsedOutput parse_output(const OutputFormat& format, std::string_view text, const OutputParserOptions& options = {});

}  // namespace hearth::text
