// JSON values and the one guarded way to parse JSON that somebody else wrote.
//
// Source: RFC 8259; nlohmann::ordered_json keeps the order of keys, as Python's dict does.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace hearth {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  int depth = 64;               // nested arrays and objects
  size_t keys = 1024;           // of one object; ordered_json finds keys by walking, so this also bounds time
  size_t nodes = 4'000'000;     // values in all
  size_t bytes = 256ull << 20;  // of text
  bool exact = false;  // refuse integers beyond 64 bits and NaN, Infinity and -Infinity; otherwise they become floats
};

// Parses `text` as JSON in UTF-8. `source` names it in errors (a path, "request body", ...).
// Throws LoadError(source, reason) when it is not JSON or exceeds a limit.
Json parse_json(std::string_view text, std::string_view source, const JsonLimits& limits = {.exact = true});

// Reads and parses a file that Python may have written: model_max_length is 1000000000000000019884624838656 in many,
// and some have NaN, so unless told otherwise numbers need not be exact. Throws LoadError.
Json load_json(const std::filesystem::path& path, const JsonLimits& limits = {});

}  // namespace hearth
