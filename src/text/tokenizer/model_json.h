// Reads the "model" of a tokenizer.json.
#pragma once

#include <memory>
#include <string_view>

#include "text/tokenizer/json_reader.h"
#include "text/tokenizer/model.h"

namespace hearth::text {

// The model whose object is next in `in`. Throws LoadError(source, key, reason).
std::unique_ptr<Model> read_model(JsonReader& in, std::string_view source);

}  // namespace hearth::text
