// Commands that turn one JSON value into another, for one value or for a line each.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"

namespace hearth::cli {

using AnswerJson = std::function<Json(const Json& value)>;

// Reads a JSON value a line from standard input and prints one object a line; {"error": sentence} for a value that
// cannot be answered.
void answer_lines(const AnswerJson& answer);

// Prints `json` in one line.
void print_json(const Json& json);

}  // namespace hearth::cli
