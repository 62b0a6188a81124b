// Lines typed by a person, with editing and history on a terminal (libedit); plain lines from a pipe or file.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace hearth::cli {

class LineReader {
 public:
  explicit LineReader(std::string prompt);
  ~LineReader();

  // The next line without its newline, as Python's text mode finds lines (\n, \r\n, \r); nothing at the end of input.
  // Ctrl-C on a terminal gives an empty line.
  std::optional<std::string> read();

  bool interactive() const;

  struct State;

 private:
  std::optional<std::string> read_plain();

  std::unique_ptr<State> state_;
};

}  // namespace hearth::cli
