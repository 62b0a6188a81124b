// Parsed answers as the JSON that commands print.
#pragma once

#include "base/json.h"
#include "text/output_parser.h"

namespace hearth::cli {

// {"type", and what the event has of "call", "id", "name", "text", "reason", "repaired"}.
Json to_json(const text::OutputEvent& event);

// {"reasoning", "content", "tool_calls": [{"id", "name", "arguments"}], and "malformed": [{"text", "reason"}] if any}.
// A repaired call has "repaired": true.
Json to_json(const text::ParsedOutput& output);

}  // namespace hearth::cli
