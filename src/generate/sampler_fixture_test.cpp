#include "generate/sampler_fixture.h"

#include <nlohmann/json.hpp>

namespace hearth::generate {

const Json& sampler_fixture() {
  static const Json fixture = load_json(HEARTH_SOURCE_DIR "/src/generate/testdata/sampler.json");
  return fixture;
}

std::vector<float> fixture_row(size_t index) {
  return sampler_fixture().at("rows").at(index).get<std::vector<float>>();
}

}  // namespace hearth::generate
