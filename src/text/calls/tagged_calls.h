// Calls as a name and tagged parameters: Qwen3-Coder, MiniMax, DeepSeek's DSML, GLM, LongCat, MiniCPM5,
// Step 3, Hy3.
//
// A value ends at its closing tag if what follows can follow one; a closing tag inside a text is text. Repaired on
// demand: closing tags that are missing or of the wrong name (the next opening tag ends the value, else the end of the
// call), and a missing > behind a name or a tag.
#pragma once

#include <set>
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
    std::string call_close = {};                              // empty: the region's end closes the call
    std::string region_start = {}, region_end = {};           // no end: the region ends with its first call
    enum class Trim { none, newline, all } trim = Trim::all;  // of values: one newline at each end, or all white space
    Untyped untyped = Untyped::text;
    bool string_attribute = false;  // the key ends in `" string="true` or `" string="false`, which decides the type
    bool xml_text = false;          // values are XML: in CDATA, or with entities
    bool repair = false;
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
  CallStatus key(char c);
  CallStatus key_ended(std::string_view key);
  CallStatus value_open();

  // What stands at the end of a value.
  struct Tail {
    enum class Next { none, undecided, key, call, region, end } next = Next::none;  // what follows the value
    size_t length = 0;          // bytes from the end of the value to behind what follows
    bool closed = false;        // by its closing tag
    bool whole = false;         // undecided, but if the answer ends here the call is whole
    bool repaired = false;      // something is missing besides the closing tag
    std::string_view key = {};  // the next parameter's, if it has been read
  };
  class TailReader;
  Tail read_tail(std::string_view text) const;
  bool may_open(std::string_view key, bool at_line_start) const;
  bool opened_in_value(std::string_view tag) const;

  bool in_cdata();
  CallStatus value(char c);
  CallStatus take_tail(const Tail& tail);
  CallStatus end_early();
  CallStatus end_value(size_t size, bool closed);
  std::string_view trimmed(std::string_view text, bool closed) const;
  void stream_value(size_t size);
  CallStatus end_call();
  CallStatus again(std::string text);

  Style style_;
  const Json* tools_;
  CallSink& sink_;
  ArgumentWriter writer_;
  State state_;
  std::string text_;  // bytes of the present state; of a value, those that are not sent yet
  bool in_call_ = false, repaired_ = false;
  int calls_ = 0;
  std::string name_, key_;
  std::set<std::string, std::less<>> given_;  // keys of the call so far
  const Json* schema_ = nullptr;

  // Of the value being read:
  enum class Kind { coerced, string, json } kind_ = Kind::coerced;
  bool began_ = false;  // a streamed string's first bytes have been looked at
  std::string sent_;    // what has been streamed of it
  size_t tail_ = npos;  // where in text_ its end may begin
  bool cdata_ended_ = false;
  bool stray_close_ = false;     // a closing tag stood inside it
  size_t early_end_ = npos;      // the region's end came without the value's: where the value would end,
  size_t early_region_end_ = 0;  // and the region
  static constexpr size_t npos = std::string::npos;
};

}  // namespace hearth::text
