// A template that does not parse, fails while it runs, refuses its messages, or exceeds a limit.
#pragma once

#include <string>

#include "base/error.h"

namespace hearth::text {

// The message is one line: "template line 12: 'foo' is undefined". A request with these messages cannot be served, so
// it is a RequestError with status 400.
class TemplateError : public RequestError {
 public:
  TemplateError(int line, const std::string& reason)
      : RequestError(400, "template line " + std::to_string(line) + ": " + reason), line_(line), reason_(reason) {}

  // Line of the template, from 1.
  int line() const { return line_; }
  // What went wrong, without the line.
  const std::string& reason() const { return reason_; }

 private:
  int line_;
  std::string reason_;
};

}  // namespace hearth::text
