// Whether a model computes the same bits on every instruction set of this machine, operation by operation.
#pragma once

#include <optional>

#include "models/model.h"

namespace hearth::cli {

// Runs `tokens` tokens (16, or what fits the context), three quarters in one piece and then one at a time, with each
// instruction set. Prints a line for each: the same bits as scalar's, or the first operation that gave others. Returns
// how many differ that must not: avx512bf16 may, because it has products of its own.
int compare_isas(models::Model& model, std::optional<int> tokens);

}  // namespace hearth::cli
