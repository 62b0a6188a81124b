// GPT-2's printable stand-ins for bytes: each of the 256 bytes has a character, so that any bytes can be spelled in a
// vocabulary file ("Ġ" for a space).
//
// Source: openai/gpt-2 encoder.py, bytes_to_unicode.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::text {

// The stand-in of each byte; all are below U+0144.
const std::array<char32_t, 256>& byte_level_characters();

// Appends the stand-ins of `bytes`, as UTF-8.
void append_byte_level(std::string& out, std::string_view bytes);

// Appends the bytes that `spelled` stands for; false, leaving `out` alone, if some character is no stand-in.
bool append_from_byte_level(std::string& out, std::string_view spelled);

}  // namespace hearth::text
