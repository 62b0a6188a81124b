// More room in a cache array, without touching the memory of the rows that are added.
#pragma once

#include "core/mx.h"

namespace hearth::ops {

// x [N, C, D] with `rows` >= C rows: the first C are x's, the others hold anything. Lets go of x's memory once copied
// if nobody else holds it (pass it by move). Throws std::invalid_argument when rows < C or x has not three dimensions.
mx::array grow_rows(mx::array x, int rows);

namespace plain {
// The same from mx:: operations; the added rows are zeros.
mx::array grow_rows(mx::array x, int rows);
}  // namespace plain

}  // namespace hearth::ops
