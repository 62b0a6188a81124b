// Moving elements between arrays that have memory: strided, converting. Used inside eval_cpu.
#pragma once

#include "core/array.h"

namespace hearth::core {

// A new row-contiguous array with the elements of `in`, converted.
array dense_copy(const array& in, Dtype dtype);

// Writes the elements of `in`, converted, into memory that `out` describes: `shape`, element strides, first element.
void copy_into(const array& in, void* out, Dtype out_dtype, const Strides& out_strides);

// The same, `in` seen through other strides (0 repeats) and another shape.
void copy_into(const array& in, const Strides& in_strides, const Shape& shape, void* out, Dtype out_dtype,
               const Strides& out_strides);

}  // namespace hearth::core
