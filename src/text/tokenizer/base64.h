// Base64, as tokenizer files carry bytes.
//
// Source: RFC 4648.
#pragma once

#include <string>
#include <string_view>

namespace hearth::text {

// Appends the bytes that `text` stands for; false if it is not base64. Padding may be missing.
bool append_from_base64(std::string& out, std::string_view text);

}  // namespace hearth::text
