// Calls whose arguments are elements named after them, arrays and objects written as elements inside: MiniMax M3's
// <invoke name="f"><city>Paris</city><tags><item>a</item></tags></invoke>, with a mark before every tag.
//
// Repaired on demand: closing tags that are missing, where what follows shows it.
//
// Source: mlx-lm's, SGLang's and llama.cpp's parsers of the format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/calls/arguments.h"
#include "text/calls/call_grammar.h"

namespace hearth::text {

class NestedCalls : public CallGrammar {
 public:
  // `mark` stands before every tag; the region's end is mark + </tool_call>.
  NestedCalls(std::string_view mark, const CallContext& context);
  ~NestedCalls() override;

  CallStatus push(char c) override;
  CallStatus finish() override;

 private:
  enum class State { text, tag };
  struct Element;

  CallStatus text();
  CallStatus tag(char c);
  CallStatus opened(std::string_view name);
  CallStatus begin_call(std::string_view attributes);
  CallStatus closed(std::string_view name);
  void close_element();
  CallStatus end_call();
  const Json* schema_of(std::string_view name) const;

  std::string mark_;
  const Json* tools_;
  CallSink& sink_;
  ArgumentWriter writer_;
  State state_ = State::text;
  std::string text_;               // bytes of the present state
  std::vector<Element> elements_;  // open ones, from the argument inwards
  std::string name_;
  bool in_call_ = false, repair_, repaired_ = false;
  int calls_ = 0;
};

}  // namespace hearth::text
