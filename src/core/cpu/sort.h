// Sorting and selecting along rows. Ascending, stable where indices are involved, NaN last, as MLX.
//
// One version serves every instruction set.
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {

// Rows of `columns` elements, all dense.
struct SortArgs {
  Dtype type;
  const void* x;  // [rows, columns]
  void* out;      // sort, partition: [rows, columns] of `type`, may be x; argsort, argpartition: uint32
  int64_t rows, columns;
};

void sort(const SortArgs& args);
// Equal elements keep their order.
void argsort(const SortArgs& args);
// Element kth is where sort would put it, smaller ones before, larger ones behind. 0 <= kth < columns.
void partition(const SortArgs& args, int64_t kth);
void argpartition(const SortArgs& args, int64_t kth);

}  // namespace hearth::cpu
