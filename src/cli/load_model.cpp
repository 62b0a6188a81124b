#include "cli/load_model.h"

#include <iostream>

#include "cli/environment.h"

namespace hearth::cli {

generate::LoadedModel load_model(const std::string& name_or_path) {
  generate::LoadedModel model = generate::load(model_folder(name_or_path));
  for (const std::string& warning : model.warnings) std::cerr << "hearth: warning: " << one_line(warning) << '\n';
  return model;
}

}  // namespace hearth::cli
