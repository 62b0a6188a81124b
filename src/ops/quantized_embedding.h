// Rows of a quantized matrix, dequantized: a token's embedding where the table is stored quantized.
#pragma once

#include "core/mx.h"

namespace hearth::ops {

// The rows `ids` of dequantize(w, scales, biases, group_size, bits), without touching the others.
// ids int32 [T]; w uint32 [V, E * bits / 32]; scales and biases [V, E / group_size] -> [T, E] in their dtype.
// An id outside [-V, V) gives zeros, as mx::take does.
mx::array quantized_embedding(const mx::array& ids, const mx::array& w, const mx::array& scales,
                              const mx::array& biases, int group_size, int bits);

namespace plain {
// The same bits from mx:: operations.
mx::array quantized_embedding(const mx::array& ids, const mx::array& w, const mx::array& scales,
                              const mx::array& biases, int group_size, int bits);
}  // namespace plain

}  // namespace hearth::ops
