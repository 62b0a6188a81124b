// Calls in Kimi K3's markup: tags are <|open|>NAME key="value"<|sep|> and <|close|>NAME<|sep|>; a call holds typed
// arguments, or one JSON object. Repaired on demand: a call's closing tag that is missing.
//
// Source: the model's chat template; mlx-lm's and SGLang's parsers.
#pragma once

#include <string>
#include <string_view>

#include "text/calls/arguments.h"
#include "text/calls/call_grammar.h"

namespace hearth::text {

class XtmlCalls : public CallGrammar {
 public:
  explicit XtmlCalls(const CallContext& context)
      : sink_(context.sink), writer_(context.sink), repair_(context.repair) {}

  CallStatus push(char c) override;
  CallStatus finish() override;

 private:
  enum class State { between, value };

  CallStatus between();
  CallStatus opened(std::string_view tag);
  CallStatus closed(std::string_view name);
  CallStatus begin_value(std::string_view tag);
  CallStatus value();
  CallStatus end_value(std::string_view text);
  CallStatus end_call(bool forgotten);

  CallSink& sink_;
  ArgumentWriter writer_;
  State state_ = State::between;
  std::string text_;                     // bytes of the present state
  std::string element_, key_, closing_;  // of the value being read
  bool is_string_ = false;
  bool in_call_ = false, any_argument_ = false;
  bool has_object_ = false;  // a JSON object stands for all arguments
  bool repair_;
  int calls_ = 0;
};

}  // namespace hearth::text
