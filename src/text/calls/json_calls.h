// Calls written as JSON: {"name": ..., "arguments": {...}}, alone, in an array, or several in a row.
//
// Also known by other keys: tool_name; parameters; id, tool_call_id; and wrapped, {"function": {"name": ...}}.
#pragma once

#include <string>

#include "text/calls/call_grammar.h"
#include "text/calls/json_scanner.h"

namespace hearth::text {

class JsonCalls : public CallGrammar {
 public:
  struct Style {
    std::string end = {};  // the region's end marker; empty: it ends at the first byte that cannot belong to a call
    const Json* known = nullptr;  // if not null: only these tools are calls (nothing else marks them)
    bool id_comes_last = false;   // the call is reported when it is complete, since its id stands at the end
    bool bare = false;            // no marker announced the call: it must have a name and arguments
  };
  JsonCalls(Style style, CallSink& sink) : style_(std::move(style)), sink_(sink) {}

  CallStatus push(char c) override;
  CallStatus finish() override;

 private:
  enum class Field { none, name, arguments, id, wrapper };

  CallStatus between(char c);
  CallStatus in_object(char c);
  CallStatus finish_object();
  CallStatus take_field();
  bool waits() const { return !has_name_ || (style_.id_comes_last && id_.empty()); }
  bool stream_arguments();
  void key_ended();
  void value_began();
  CallStatus start_call();
  std::string_view value_text() const { return std::string_view(object_).substr(value_begin_); }

  Style style_;
  CallSink& sink_;
  std::string tail_;  // the beginning of an end marker
  int calls_ = 0;
  bool in_array_ = false, closed_ = false;

  // Of the call being read:
  bool inside_ = false;
  JsonScanner scanner_;
  std::string object_;  // its bytes so far
  int level_ = 1;       // depth at which its keys stand (2 inside a wrapper)
  size_t value_begin_ = 0, sent_ = 0;
  Field field_ = Field::none;
  bool reading_ = false;  // a value of interest is being read
  bool started_ = false, has_name_ = false, has_arguments_ = false, arguments_are_object_ = false,
       arguments_complete_ = false;
  std::string name_, id_, late_arguments_;
};

}  // namespace hearth::text
