// Calls written as JSON: {"name": ..., "arguments": {...}}, alone, in an array, or several in a row.
//
// Or by name, {"f": {...}} (Style::by_name). Also known by other keys: tool_name; parameters; id, tool_call_id; and
// wrapped, {"function": {"name": ...}}. Repaired on demand: what JsonScanner repairs, and brackets that are missing
// where the region or the answer ends.
#pragma once

#include <string>

#include "text/calls/call_grammar.h"
#include "text/calls/json_scanner.h"

namespace hearth::text {

class JsonCalls : public CallGrammar {
 public:
  struct Style {
    std::string end = {};        // the region's end marker; empty: it ends at the first byte that cannot be a call's
    bool weak = false;           // any JSON may be there: a call has arguments, and no keys but those above and type
    bool by_name = false;        // {"f": {...}}: the one key is the name, its value the arguments
    bool id_comes_last = false;  // the call is reported when it is complete, since its id stands at the end
    bool repair = false;
  };
  JsonCalls(Style style, CallSink& sink) : style_(std::move(style)), sink_(sink) {}

  CallStatus push(char c) override;
  CallStatus finish() override;

 private:
  enum class Field { none, name, arguments, id, wrapper };

  CallStatus between(char c);
  void begin_object();
  CallStatus in_object(char c);
  CallStatus lacks_brackets(char c);
  CallStatus add_brackets(bool ended);
  CallStatus finish_object();
  CallStatus take_field();
  CallStatus take_arguments(std::string_view text);
  bool waits() const { return !has_name_ || (style_.id_comes_last && id_.empty()); }
  bool stream_arguments();
  bool key_ended();
  bool name_by_key();
  void value_began(char first);
  CallStatus start_call();
  std::string_view value_text() const { return std::string_view(object_).substr(value_begin_); }

  Style style_;
  CallSink& sink_;
  std::string tail_;   // the beginning of an end marker
  std::string after_;  // the bytes since the last call
  int calls_ = 0;
  bool in_array_ = false, closed_ = false;

  // Of the call being read:
  bool inside_ = false;
  JsonScanner scanner_;
  std::string object_;  // its valid text so far
  size_t bytes_ = 0;    // as the model wrote it
  int level_ = 1;       // depth at which its keys stand (2 inside a wrapper)
  size_t value_begin_ = 0, sent_ = 0;
  Field field_ = Field::none;
  bool reading_ = false;   // a value of interest is being read
  bool ending_ = false;    // only brackets of the wrong kind and the end marker may follow
  bool repaired_ = false;  // apart from what the scanner repaired
  bool started_ = false, has_name_ = false, has_arguments_ = false, arguments_are_object_ = false,
       arguments_complete_ = false;
  std::string name_, id_, late_arguments_;
};

}  // namespace hearth::text
