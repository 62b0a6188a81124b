// Opens the model that a command was given.
#pragma once

#include <string>

#include "generate/loaded_model.h"

namespace hearth::cli {

// As generate::load, by folder or hub name; what its files have that is worth knowing is said on standard error.
generate::LoadedModel load_model(const std::string& name_or_path);

}  // namespace hearth::cli
