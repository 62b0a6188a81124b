// Messages as a template sees them, after what transformers does to them first.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "text/jinja/runtime.h"

namespace hearth::text {

// Throws std::invalid_argument.
[[noreturn]] void refuse_chat(const std::string& reason);

// The list of messages: null entries dropped, reasoning under every name that templates read. `messages` must outlive
// the rendering; nothing of it is copied. Throws std::invalid_argument when it is not a non-empty array of objects.
jinja::Value prepare_messages(jinja::Runtime& runtime, const Json& messages);

// Puts a mark behind the final message's `field`, where the prompt is to end; returns the field's text without it.
// `source` is the template's text. Throws std::invalid_argument when there is nothing to continue.
std::string mark_final_message(jinja::Runtime& runtime, jinja::Value messages, std::string_view field,
                               std::string_view source);

// Cuts the prompt at the mark; spaces that the template removed from the message's end are removed here, too. Throws
// std::invalid_argument when the prompt does not contain the message and the mark.
void cut_at_mark(std::string& prompt, std::string_view final_message);

}  // namespace hearth::text
