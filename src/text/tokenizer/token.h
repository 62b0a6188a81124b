// One token of a text being tokenized.
#pragma once

#include <cstdint>

namespace hearth::text {

// begin and end are bytes of the normalized text; a model that loses characters may put them past its end.
struct Token {
  int32_t id;
  uint32_t begin, end;
};

}  // namespace hearth::text
