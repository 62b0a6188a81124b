// A grammar of tool calls: fed the bytes of a call region one by one, it reports calls to a sink as it understands
// them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "text/calls/json_scanner.h"
#include "text/output_format.h"

namespace hearth::text {

// Hears what a grammar has understood. start, arguments..., end; then the next call.
class CallSink {
 public:
  virtual ~CallSink() = default;
  virtual void start(std::string_view name, std::string_view id) = 0;  // empty id: the model gave none
  virtual void arguments(std::string_view json) = 0;                   // the next bytes of a JSON object
  // The call is whole. Empty, or why it is none after all: parse_json refuses its arguments.
  virtual std::string end() = 0;
};

enum class CallStatus {
  more,         // the byte belongs to the region, which goes on
  done,         // the region ended with this byte
  done_before,  // the region ended before this byte, which is text again
  failed,       // not a call after all: see reason()
};

class CallGrammar {
 public:
  virtual ~CallGrammar() = default;
  virtual CallStatus push(char c) = 0;
  // The answer ended. done if nothing is missing but end markers, otherwise failed.
  virtual CallStatus finish() = 0;
  const std::string& reason() const { return reason_; }

 protected:
  CallStatus fail(std::string why) {
    reason_ = std::move(why);
    return CallStatus::failed;
  }

 private:
  std::string reason_;
};

// `end` is the region's end marker, empty if it has none. `tools` and `sink` must outlive the grammar; tools may be
// null.
std::unique_ptr<CallGrammar> make_call_grammar(CallSyntax syntax, std::string_view end, const Json* tools,
                                               CallSink& sink);

// The same without markers: calls at the beginning of an answer, which count only if they name one of the tools.
std::unique_ptr<CallGrammar> make_bare_grammar(OutputFormat::Bare bare, const Json* tools, CallSink& sink);

// What the grammars share.
std::string_view trim(std::string_view text);
constexpr size_t kLongestName = 512;  // bytes of a function's or argument's name

}  // namespace hearth::text
