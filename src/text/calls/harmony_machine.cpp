// gpt-oss's harmony: messages of a header (<|start|>role to=recipient<|channel|>name <|constrain|>type) and, behind
// <|message|>, a body. The channel says what the body is: analysis is reasoning, a recipient makes it a call, the rest
// is content.
//
// Source: OpenAI's description of the harmony response format.
#include <algorithm>
#include <array>
#include <utility>

#include "text/calls/json_scanner.h"
#include "text/calls/output_machine.h"

namespace hearth::text {

namespace {

class HarmonyMachine : public OutputMachine {
 public:
  explicit HarmonyMachine(const OutputParserOptions& options)
      : OutputMachine(options, false), body_(options.starts_in_reasoning ? Body::reasoning : Body::outside) {}

  void push(char c) override {
    text_ += c;
    if (c == '>' && text_.ends_with("|>"))
      for (const Mark& mark : kMarks)
        if (text_.ends_with(mark.text)) {
          text_.resize(text_.size() - mark.text.size());
          return meet(mark);
        }
    if (body_ == Body::call) push_arguments();
  }

  void flush() override {
    if (!streams() || begins_with_recipient()) return;
    size_t held = 0;
    for (const Mark& mark : kMarks) held = std::max(held, held_back(text_, mark.text));
    give(text_.size() - held);
  }

  void finish() override {
    if (body_ == Body::header) {
      emit(OutputEvent::Kind::content, header_ + text_);
    } else if (body_ == Body::call) {
      end_call(true);
    } else {
      give(text_.size());
    }
    text_.clear();
  }

  bool in_reasoning() const override { return body_ == Body::reasoning; }

 private:
  enum class Meaning { start, channel, constrain, message, over };
  struct Mark {
    std::string_view text;
    Meaning meaning;
  };
  static constexpr std::array<Mark, 7> kMarks = {{{"<|start|>", Meaning::start},
                                                  {"<|channel|>", Meaning::channel},
                                                  {"<|constrain|>", Meaning::constrain},
                                                  {"<|message|>", Meaning::message},
                                                  {"<|end|>", Meaning::over},
                                                  {"<|call|>", Meaning::over},
                                                  {"<|return|>", Meaning::over}}};
  // `outside`: before the first mark and between messages.
  enum class Body { outside, header, content, reasoning, call };

  bool streams() const { return body_ == Body::outside || body_ == Body::content || body_ == Body::reasoning; }

  // The prompt ends in <|start|>assistant, so the answer may begin with the rest of that header.
  bool begins_with_recipient() const {
    if (body_ != Body::outside || any_) return false;
    std::string_view rest = text_;
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    return rest.starts_with("to=") || std::string_view("to=").starts_with(rest);
  }

  void give(size_t n) {
    if (n == 0) return;
    any_ = true;
    emit(body_ == Body::reasoning ? OutputEvent::Kind::reasoning : OutputEvent::Kind::content,
         std::string_view(text_).substr(0, n));
    text_.erase(0, n);
  }

  void meet(const Mark& mark) {
    if (body_ == Body::call && mark.meaning == Meaning::constrain) return;
    const bool header_goes_on = body_ == Body::header || begins_with_recipient();
    if (!header_goes_on) {
      end_body();
      header_.clear();
    }
    any_ = true;
    header_ += std::exchange(text_, "");
    switch (mark.meaning) {
      case Meaning::start:
      case Meaning::channel:
      case Meaning::constrain:
        header_ += mark.text;
        body_ = Body::header;
        break;
      case Meaning::message: begin_body(); break;
      case Meaning::over:
        header_.clear();
        body_ = Body::outside;
        break;
    }
  }

  void end_body() {
    if (body_ == Body::call) return end_call(false);
    give(text_.size());
  }

  void begin_body() {
    const std::string header = std::exchange(header_, "");
    const size_t to = header.find("to=");
    const size_t channel = header.find("<|channel|>");
    const std::string_view name =
        channel == std::string::npos ? "" : word(std::string_view(header).substr(channel + 11));
    if (to != std::string::npos) return begin_call(word(std::string_view(header).substr(to + 3)), header);
    body_ = name == "analysis" ? Body::reasoning : Body::content;
  }

  static std::string_view word(std::string_view text) {
    text = trim(text);
    return text.substr(0, text.find_first_of(" \n\t\r<"));
  }

  void begin_call(std::string_view recipient, const std::string& header) {
    if (recipient.starts_with("functions.")) recipient.remove_prefix(10);
    body_ = Body::call;
    raw_ = header + "<|message|>";
    scanner_ = JsonScanner(true);
    reason_.clear();
    broken_ = recipient.empty() || recipient.size() > kLongestName;
    complete_ = false;
    if (!broken_) reason_ = start(recipient, "");
    broken_ = broken_ || !reason_.empty();
  }

  // Arguments stream as they come; text_ keeps only what may be the beginning of a mark.
  void push_arguments() {
    size_t held = 0;
    for (const Mark& mark : kMarks) held = std::max(held, held_back(text_, mark.text));
    take_arguments(std::string_view(text_).substr(0, text_.size() - held));
    text_.erase(0, text_.size() - held);
  }

  void take_arguments(std::string_view bytes) {
    raw_ += bytes;
    for (const char& c : bytes) {
      if (broken_ || (complete_ && is_space(c))) continue;
      const bool other_value = scanner_.depth() == 0 && !is_space(c) && c != '{';
      const JsonScanner::Step step = complete_ || other_value ? JsonScanner::Step::error : scanner_.push(c);
      if (step == JsonScanner::Step::error) {
        broken_ = true;
      } else if (scanner_.depth() > 0 || step == JsonScanner::Step::done) {
        arguments(scanner_.written());
      }
      complete_ = complete_ || step == JsonScanner::Step::done;
    }
  }

  // `ended`: by the answer's end, not by a mark.
  void end_call(bool ended) {
    take_arguments(std::exchange(text_, ""));
    const std::string missing = broken_ || complete_ ? "" : scanner_.missing(ended);
    for (char bracket : missing) {
      scanner_.push(bracket);
      arguments(scanner_.written());
    }
    if (reason_.empty() && broken_) reason_ = "the arguments are not one JSON object";
    if (reason_.empty() && !complete_ && missing.empty()) reason_ = "the answer ended inside the call";
    if (reason_.empty()) reason_ = end(scanner_.repaired() || !missing.empty());
    if (!reason_.empty()) emit_failed(raw_, reason_);
    body_ = Body::outside;
  }

  Body body_;
  std::string text_, header_;
  bool any_ = false;    // something came before
  std::string raw_;     // the call as it was written
  std::string reason_;  // why it is none
  JsonScanner scanner_;
  bool broken_ = false, complete_ = false;
};

}  // namespace

std::unique_ptr<OutputMachine> make_harmony_machine(const OutputParserOptions& options) {
  return std::make_unique<HarmonyMachine>(options);
}

}  // namespace hearth::text
