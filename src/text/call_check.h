// Whether the calls that a chat template writes into a conversation are read back by the parser of its format.
//
// The template is given an assistant's calls and made to write them, as it does for a conversation's earlier turns;
// models are trained on that text. A call that is not read from it will not be read from the model's answers either.
#pragma once

#include <string>
#include <vector>

#include "text/chat_template.h"

namespace hearth::text {

struct CallCheck {
  enum class Verdict {
    read_back,      // every call that the template writes
    not_read_back,  // at least one is not: see the cases
    no_calls,       // the template leaves calls out
  };
  struct Case {
    enum class Result { read_back, not_read_back, refused, left_out } result;
    std::string name;    // what kind of call, e.g. "two calls"
    std::string detail;  // why it was not read back, or under which condition it was
  };
  Verdict verdict = Verdict::read_back;
  std::string format;  // the name of the template's output format
  std::vector<Case> cases;
};

// Renders a few conversations with calls (no arguments, two calls, values of every type, code, thinking before a call).
// A case that the template refuses, or of which it leaves calls out, counts only if none is read back. Throws
// std::bad_alloc and nothing else.
CallCheck check_calls(const ChatTemplate& chat_template);

}  // namespace hearth::text
