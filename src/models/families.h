// The families: each one file, with a factory that reads its config.json and takes its tensors.
//
// Throws: LoadError naming the file and the key or tensor that does not fit.
#pragma once

#include <memory>

#include "models/model.h"
#include "weights/model_folder.h"

namespace hearth::models {

std::unique_ptr<Model> load_llama(const weights::ModelFolder& folder);
std::unique_ptr<Model> load_qwen2(const weights::ModelFolder& folder);
std::unique_ptr<Model> load_qwen3(const weights::ModelFolder& folder);

}  // namespace hearth::models
