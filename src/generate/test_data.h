// Private to the tests of generate/.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"

namespace hearth::generate {

// The fixture written by tools/make_sampler_fixtures.py.
inline const Json& sampler_fixture() {
  static const Json fixture = load_json(HEARTH_SOURCE_DIR "/src/generate/testdata/sampler.json");
  return fixture;
}

inline std::vector<float> fixture_row(size_t index) {
  return sampler_fixture().at("rows").at(index).get<std::vector<float>>();
}

}  // namespace hearth::generate
