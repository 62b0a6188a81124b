#include <string>
#include <string_view>

#include "base/error.h"
#include "models/families.h"

namespace hearth::models {
namespace {

struct Family {
  std::string_view model_type;
  std::unique_ptr<Model> (*load)(const weights::ModelFolder& folder);
};

// By config.json's model_type. Types that share a row's code are rows of their own.
constexpr Family kFamilies[] = {
    {"llama", load_llama},       {"mistral", load_llama}, {"xverse", load_llama},
    {"iquestcoder", load_llama}, {"qwen2", load_qwen2},   {"qwen3", load_qwen3},
};

}  // namespace

std::unique_ptr<Model> load_model(const weights::ModelFolder& folder) {
  std::string known;
  for (const Family& family : kFamilies) {
    if (family.model_type == folder.model_type()) return family.load(folder);
    known += (known.empty() ? "" : ", ") + std::string(family.model_type);
  }
  throw LoadError((folder.path() / "config.json").string(), "model_type",
                  "\"" + folder.model_type() + "\" is not a type known here (" + known + ")");
}

}  // namespace hearth::models
