// Prints a parsed answer for people, as it comes: content as it is, and before reasoning, calls and what follows them
// a label, each on a line of its own.
//
//   [thinking] The user wants to know the weather.
//   [call] get_weather({"city": "Paris"})
//   [answer] It is raining.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "text/output_parser.h"

namespace hearth::cli {

class AnswerPrinter {
 public:
  // `write` takes each piece of output; `dim` shows reasoning in a terminal's faint letters.
  explicit AnswerPrinter(std::function<void(const std::string&)> write, bool dim = false);

  void show(std::span<const text::OutputEvent> events);
  // Ends the last line, if it is not ended; `mark` goes before that.
  void finish(std::string_view mark = "");

 private:
  enum class Section { none, reasoning, content, call };
  void show(const text::OutputEvent& event);
  void enter(Section section);
  void begin_line(std::string_view label);
  void write(std::string_view text);

  std::function<void(const std::string&)> write_;
  bool dim_;
  Section section_ = Section::none;
  bool labelled_ = false;  // the section's label has been printed, or it has none
  bool at_line_start_ = true;
};

}  // namespace hearth::cli
