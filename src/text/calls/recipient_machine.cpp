// Functionary v3.2: an answer is addressed. >>>all and a newline begin content, >>>NAME and a newline a call whose
// arguments are a JSON object. The prompt ends in >>>, so the answer begins with the first recipient.
//
// Source: the model's chat template; llama.cpp's parser.
#include <algorithm>
#include <utility>

#include "text/calls/arguments.h"
#include "text/calls/json_scanner.h"
#include "text/calls/output_machine.h"

namespace hearth::text {

namespace {

constexpr std::string_view kMark = ">>>";

bool is_recipient_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

class RecipientMachine : public OutputMachine {
 public:
  explicit RecipientMachine(const OutputParserOptions& options) : OutputMachine(options, false) {}

  void push(char c) override {
    switch (state_) {
      case State::recipient: push_recipient(c); break;
      case State::content: push_content(c); break;
      case State::before_arguments: push_before(c); break;
      case State::arguments: push_arguments(c); break;
    }
  }

  void flush() override {
    if (state_ != State::content) return;
    const size_t certain = text_.size() - held_back(text_, kMark);
    if (!(after_call_ && trim(std::string_view(text_).substr(0, certain)).empty())) give(certain);
  }

  void finish() override {
    if (state_ == State::arguments) return end_early();
    if (!(state_ == State::content && after_call_ && trim(text_).empty())) give(text_.size());
    text_.clear();
  }

  bool in_reasoning() const override { return false; }

 private:
  enum class State { recipient, content, before_arguments, arguments };

  // text_ is what may be a recipient, with its mark if it has one.
  void push_recipient(char c) {
    text_ += c;
    const std::string_view text = text_;
    if (kMark.starts_with(text)) return;
    const std::string_view name = text.substr(text.starts_with(kMark) ? kMark.size() : 0);
    if (name.size() > kLongestName || (!is_recipient_byte(c) && c != '\n')) return take_as_text();
    if (c == '\n') meet(name.substr(0, name.size() - 1));
  }

  void meet(std::string_view name) {
    if (name == "all") {
      text_.clear();
      state_ = State::content;
    } else if (name.empty() || no_tools() || !offers(tools(), name)) {
      take_as_text();
    } else {
      name_ = name;
      state_ = State::before_arguments;
    }
  }

  // No recipient after all. Its last byte may begin the next mark.
  void take_as_text() {
    const char last = text_.back();
    text_.pop_back();
    after_call_ = false;
    give(text_.size());
    state_ = State::content;
    push_content(last);
  }

  void push_content(char c) {
    text_ += c;
    if (!text_.ends_with(kMark)) return;
    const size_t before = text_.size() - kMark.size();
    if (!(after_call_ && trim(std::string_view(text_).substr(0, before)).empty())) give(before);
    text_ = kMark;
    state_ = State::recipient;
  }

  // Only the brace makes it a call: a first line of one word is text.
  void push_before(char c) {
    if (!is_space(c) && c != '{') return take_line_as_text(c);
    text_ += c;
    if (c != '{') return;
    raw_ = std::exchange(text_, "");
    raw_.pop_back();
    scanner_ = JsonScanner(true);
    start(name_, "");
    state_ = State::arguments;
    push_arguments(c);
  }

  void take_line_as_text(char c) {
    text_ += c;
    take_as_text();
  }

  void push_arguments(char c) {
    raw_ += c;
    const JsonScanner::Step step = scanner_.push(c);
    if (step == JsonScanner::Step::error) return fail("the arguments are not valid JSON");
    arguments(scanner_.written());
    if (step == JsonScanner::Step::done) end_call(scanner_.repaired());
  }

  // Nothing but brackets may be missing where the answer ends.
  void end_early() {
    const std::string missing = scanner_.missing(true);
    if (missing.empty()) return fail("the answer ended inside the call");
    for (char bracket : missing) {
      scanner_.push(bracket);
      arguments(scanner_.written());
    }
    end_call(true);
  }

  void end_call(bool repaired) {
    if (const std::string refusal = end(repaired); !refusal.empty()) return fail(refusal);
    state_ = State::content;
    after_call_ = true;
  }

  // The call is text, and so is what follows up to the next recipient.
  void fail(const std::string& reason) {
    emit_failed(raw_, reason);
    text_.clear();
    state_ = State::content;
    after_call_ = false;
  }

  void give(size_t n) {
    if (n == 0) return;
    after_call_ = false;
    emit(OutputEvent::Kind::content, std::string_view(text_).substr(0, n));
    text_.erase(0, n);
  }

  State state_ = State::recipient;
  std::string text_;  // not yet given out
  std::string name_;
  std::string raw_;  // the call as it was written
  JsonScanner scanner_;
  bool after_call_ = false;  // only white space since a call
};

}  // namespace

std::unique_ptr<OutputMachine> make_recipient_machine(const OutputParserOptions& options) {
  return std::make_unique<RecipientMachine>(options);
}

}  // namespace hearth::text
