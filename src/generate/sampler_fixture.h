// Private to the tests of generate/: the fixture written by tools/make_sampler_fixtures.py.
#pragma once

#include <cstddef>
#include <vector>

#include "base/json.h"

namespace hearth::generate {

const Json& sampler_fixture();

// A row of logits.
std::vector<float> fixture_row(size_t index);

}  // namespace hearth::generate
