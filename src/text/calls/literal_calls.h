// Calls written like code: Python's [f(a=1, b="x"), g()] and Gemma's call:f{a:1,b:<|"|>x<|"|>}.
#pragma once

#include <string>

#include "text/calls/arguments.h"
#include "text/calls/call_grammar.h"
#include "text/calls/literal.h"

namespace hearth::text {

class LiteralCalls : public CallGrammar {
 public:
  struct Style {
    std::string prefix = {};       // before the name, e.g. "call:"
    char open, assign, close;      // f OPEN key ASSIGN value, ... CLOSE
    std::string string_mark = {};  // quotes strings, e.g. <|"|>; empty: Python's quotes
    bool list = false;             // the calls stand in [ ]
    std::string end = {};          // the region's end marker; empty: the closing ] ends it
    bool repair = false;           // closing brackets may be missing where the region or the answer ends
  };
  LiteralCalls(Style style, const Json* tools, CallSink& sink)
      : style_(std::move(style)), tools_(tools), sink_(sink), writer_(sink) {}

  CallStatus push(char c) override;
  CallStatus finish() override;

 private:
  enum class State { between, name, arguments };

  CallStatus between(char c);
  CallStatus name(char c);
  CallStatus arguments(char c);
  CallStatus take_argument();
  CallStatus end_call();
  CallStatus add_brackets();
  bool in_quotes(char c);

  Style style_;
  const Json* tools_;
  CallSink& sink_;
  ArgumentWriter writer_;
  State state_ = State::between;
  std::string text_;  // bytes of the present state
  std::string name_;
  bool in_list_ = false, after_list_ = false;
  int calls_ = 0;
  std::string open_;  // brackets open inside the arguments
  char quote_ = 0;    // the quote that is open, 'm' for the string mark
  bool escaped_ = false;
  bool repaired_ = false;
};

}  // namespace hearth::text
