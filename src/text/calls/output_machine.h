// The state machine behind OutputParser: bytes in, events out. One a layout: markers, harmony's channels,
// Functionary's recipients.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/calls/call_grammar.h"
#include "text/output_parser.h"

namespace hearth::text {

class OutputMachine : protected CallSink {
 public:
  explicit OutputMachine(const OutputParserOptions& options, bool short_ids);
  ~OutputMachine() override;

  virtual void push(char c) = 0;
  // Gives out all text that is certain by now. Called at the end of every piece.
  virtual void flush() = 0;
  virtual void finish() = 0;
  virtual bool in_reasoning() const = 0;

  // The events so far, but for those that are held.
  std::vector<OutputEvent> take_events();

 protected:
  void emit(OutputEvent::Kind kind, std::string_view text);
  // The call being read (or the attempt at one) is text after all.
  void emit_failed(std::string_view text, std::string_view reason);

  std::string start(std::string_view name, std::string_view id) override;
  void arguments(std::string_view json) override;
  std::string end(bool repaired) override;

  // Between hold and release or take_back nothing is given out; take_back undoes the calls since hold.
  void hold();
  void release() { held_.reset(); }
  void take_back();

  const Json* tools() const { return tools_.get(); }
  bool tools_known() const { return tools_ != nullptr; }
  bool no_tools() const;  // it is known that there are none
  bool call_open() const { return open_; }
  int calls_ended() const { return ended_; }

 private:
  struct Held {
    size_t events;
    int calls, ended;
  };
  std::string made_id() const;

  std::unique_ptr<Json> tools_;
  uint64_t id_seed_;
  bool short_ids_;
  std::vector<OutputEvent> events_;
  std::string arguments_;  // of the call being read
  int calls_ = 0, ended_ = 0;
  bool open_ = false;
  std::optional<Held> held_;
};

std::unique_ptr<OutputMachine> make_marker_machine(OutputFormat format, const OutputParserOptions& options);
std::unique_ptr<OutputMachine> make_harmony_machine(const OutputParserOptions& options);
std::unique_ptr<OutputMachine> make_recipient_machine(const OutputParserOptions& options);

// The length of the longest end of `text` that begins, but does not complete, `marker`.
size_t held_back(std::string_view text, std::string_view marker);

}  // namespace hearth::text
