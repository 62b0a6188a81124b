// Calls as a name and tagged parameters: Qwen3-Coder, MiniMax, DeepSeek V3.2 (DSML), GLM, LongCat.
#pragma once

#include <string>

#include "text/calls/arguments.h"
#include "text/calls/call_grammar.h"

namespace hearth::text {

class TaggedCalls : public CallGrammar {
 public:
  struct Style {
    std::string call_open = {};  // before the name; empty: the region begins with it
    std::string name_end = {};   // after the name; empty: it ends at a newline or before the next tag
    std::string key_open = {}, key_end = {}, value_open = {}, value_end = {};  // value_open may be empty
    std::string call_close = {};  // empty: the region's end closes the call
    std::string region_end;
    enum class Trim { newline, all } trim;  // of values: one newline at each end, or all white space
    Untyped untyped;
    bool string_attribute = false;  // the key ends in `" string="true` or `" string="false`, which decides the type
  };
  TaggedCalls(Style style, const Json* tools, CallSink& sink)
      : style_(std::move(style)), tools_(tools), sink_(sink), writer_(sink) {
    state_ = style_.call_open.empty() ? State::name : State::expect;
  }

  CallStatus push(char c) override;
  CallStatus finish() override;

 private:
  enum class State { expect, name, key, value_open, value };

  CallStatus expect();
  CallStatus name(char c);
  CallStatus name_ended(std::string_view name);
  CallStatus key();
  CallStatus value_open();
  CallStatus value(char c);
  void stream_value(bool last);
  CallStatus end_call();

  Style style_;
  const Json* tools_;
  CallSink& sink_;
  ArgumentWriter writer_;
  State state_;
  std::string text_;  // bytes of the present state
  bool in_call_ = false;
  int calls_ = 0;
  std::string name_, key_;
  const Json* schema_ = nullptr;
  enum class Kind { coerced, string, json } kind_ = Kind::coerced;  // of the value being read
  bool began_ = false;  // a streamed string's first bytes have been looked at
};

}  // namespace hearth::text
