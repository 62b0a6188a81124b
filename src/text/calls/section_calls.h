// Calls as a header with the name, a separator, and JSON arguments: Kimi K2, DeepSeek V3 and R1, Mistral's
// NAME[ARGS]{}.
#pragma once

#include <string>

#include "text/calls/call_grammar.h"
#include "text/calls/json_scanner.h"

namespace hearth::text {

class SectionCalls : public CallGrammar {
 public:
  struct Style {
    std::string call_begin = {}, separator = {}, call_end = {},
                section_end = {};  // call_begin and call_end may be empty: without call_begin one call only
    enum class Header {
      name,      // NAME
      kimi,      // functions.NAME:INDEX, which is also the id
      deepseek,  // NAME; or the word function, with the name and a fence before the JSON
      mistral,   // NAME, or NAME[CALL_ID]ID
    } header;
    bool repair = false;
  };
  SectionCalls(Style style, CallSink& sink) : style_(std::move(style)), sink_(sink) { enter_between(); }

  CallStatus push(char c) override;
  CallStatus finish() override;

 private:
  enum class State { between, header, before_json, json, after_json };

  void enter_between();
  CallStatus between();
  CallStatus header();
  CallStatus before_json(char c);
  CallStatus json(char c);
  CallStatus after_json();
  void add_brackets(bool ended);
  CallStatus start(std::string_view header, std::string_view before);
  CallStatus end_call();

  Style style_;
  CallSink& sink_;
  State state_ = State::between;
  std::string text_;  // bytes of the present state
  std::string header_;
  JsonScanner scanner_;
  bool repaired_ = false;  // apart from what the scanner repaired
  int calls_ = 0;
};

}  // namespace hearth::text
