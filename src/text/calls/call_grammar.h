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
  // Empty, or why it is no call: no tool of this name was offered. An empty id: the model gave none.
  virtual std::string start(std::string_view name, std::string_view id) = 0;
  virtual void arguments(std::string_view json) = 0;  // the next bytes of a JSON object
  // The call is whole; `repaired`: not as the model wrote it. Empty, or why it is none after all: parse_json refuses
  // its arguments.
  virtual std::string end(bool repaired) = 0;
};

enum class CallStatus {
  more,         // the byte belongs to the region, which goes on
  done,         // the region ended with this byte
  done_before,  // the region ended before this byte: see rest()
  failed,       // not a call after all: see reason()
};

class CallGrammar {
 public:
  virtual ~CallGrammar() = default;
  virtual CallStatus push(char c) = 0;
  // The answer ended. done if nothing is missing but end markers, otherwise failed.
  virtual CallStatus finish() = 0;
  const std::string& reason() const { return reason_; }
  // After done_before, or a finish() that is done: the last bytes, which do not belong to the region.
  virtual std::string_view rest() const { return rest_; }

 protected:
  CallStatus fail(std::string why) {
    reason_ = std::move(why);
    return CallStatus::failed;
  }
  CallStatus leave_before(std::string_view rest) {
    rest_ = rest;
    return CallStatus::done_before;
  }

 private:
  std::string reason_, rest_;
};

// What a grammar is to know beside its syntax. All of it must outlive the grammar.
struct CallContext {
  const OutputFormat::Region& region;
  const Json* tools;  // for the types of arguments; may be null
  bool repair;        // what breaks the syntax and has one reading is read, too
  CallSink& sink;
};

std::unique_ptr<CallGrammar> make_call_grammar(const CallContext& context);

// What the grammars share.
std::string_view trim(std::string_view text);
constexpr size_t kLongestName = 512;  // bytes of a function's or argument's name

}  // namespace hearth::text
