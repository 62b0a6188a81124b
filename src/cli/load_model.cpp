#include "cli/load_model.h"

#include "cli/environment.h"

namespace hearth::cli {

generate::LoadedModel load_model(const std::string& name_or_path) {
  generate::LoadedModel model = generate::load(model_folder(name_or_path));
  for (const std::string& note : model.notes) print_note("hearth: " + one_line(note));
  return model;
}

}  // namespace hearth::cli
