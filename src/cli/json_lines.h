// Commands that turn one JSON value into another, for one value or for a line each.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"

namespace hearth::cli {

using AnswerJson = std::function<Json(const Json& value)>;
using AnswerText = std::function<std::string(const Json& value)>;

// Reads a JSON value a line from standard input and prints one object a line; {"error": sentence} for a value that
// cannot be answered.
void answer_lines(const AnswerJson& answer);
// The same for answers that come as the text of their JSON, without a line's end.
void answer_lines_with_text(const AnswerText& answer);

// Prints `json` in one line.
void print_json(const Json& json);
std::string json_text(const Json& json);

}  // namespace hearth::cli
