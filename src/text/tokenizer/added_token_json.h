// An added token as tokenizer.json, tokenizer_config.json and special_tokens_map.json write it.
#pragma once

#include <cstdint>
#include <optional>

#include "text/tokenizer/added_vocabulary.h"
#include "text/tokenizer/json_reader.h"

namespace hearth::text {

struct AddedTokenJson {
  AddedToken token;                // `normalized` is for the caller to set
  std::optional<bool> normalized;  // what the flag is without being given differs from file to file
  std::optional<int64_t> id;
};

// Reads {"content": "<s>", "lstrip": false, ...}; keys it does not know are skipped.
AddedTokenJson read_added_token_object(JsonReader& in);

}  // namespace hearth::text
