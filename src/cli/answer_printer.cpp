#include "cli/answer_printer.h"

#include <algorithm>
#include <utility>

namespace hearth::cli {
namespace {

constexpr const char* kFaint = "\x1b[2m";
constexpr const char* kPlain = "\x1b[22m";

}  // namespace

AnswerPrinter::AnswerPrinter(std::function<void(const std::string&)> write, bool dim)
    : write_(std::move(write)), dim_(dim) {}

void AnswerPrinter::write(std::string_view text) {
  if (text.empty()) return;
  at_line_start_ = text.back() == '\n';
  write_(std::string(text));
}

void AnswerPrinter::begin_line(std::string_view label) {
  if (!at_line_start_) write("\n");
  write(label);
}

// Leaves a section for another. Content that begins the answer has no label.
void AnswerPrinter::enter(Section section) {
  if (section == section_) return;
  if (dim_ && section_ == Section::reasoning && labelled_) write_(kPlain);
  labelled_ = section_ == Section::none && section == Section::content;
  section_ = section;
}

void AnswerPrinter::show(const text::OutputEvent& event) {
  using Kind = text::OutputEvent::Kind;
  std::string_view text = event.text;
  switch (event.kind) {
    case Kind::content:
    case Kind::reasoning:
      enter(event.kind == Kind::content ? Section::content : Section::reasoning);
      if (!labelled_) {  // the white space around markers is layout
        text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t\r\n")));
        if (text.empty()) return;
        if (dim_ && section_ == Section::reasoning) write_(kFaint);
        begin_line(section_ == Section::content ? "[answer] " : "[thinking] ");
        labelled_ = true;
      }
      return write(text);
    case Kind::call_start: enter(Section::call); return begin_line("[call] " + event.name + "(");
    case Kind::call_arguments: return write(text);
    case Kind::call_end: return write(")\n");
    case Kind::call_failed:
      enter(Section::call);
      begin_line("[no call: " + event.reason + "] ");
      return write(text);
  }
}

void AnswerPrinter::show(std::span<const text::OutputEvent> events) {
  for (const text::OutputEvent& event : events) show(event);
}

void AnswerPrinter::finish(std::string_view mark) {
  enter(Section::none);
  write(mark);
  if (!at_line_start_) write("\n");
}

}  // namespace hearth::cli
