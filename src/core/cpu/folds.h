// Private to the reductions: sums, products and extrema of tiles, in kFoldLanes lanes.
#pragma once

#include "core/cpu/reduce.h"
#include "core/cpu/tiles.h"

namespace hearth::cpu {

inline constexpr int kFoldLanes = 16;

// Joins n contiguous elements of a computing type to the lanes, element i to lane i % kFoldLanes. Only the last tile of
// a row may have an n that is no multiple of kFoldLanes.
using Fold = void (*)(const void* x, size_t n, void* lanes);
// Sets the lanes to the neutral element; joins them in halves, the result is in lane 0.
using FoldEdge = void (*)(void* lanes);

struct FoldFunctions {
  FoldEdge start;
  Fold fold;
  FoldEdge finish;
};

// Of one computing type, in the order of ReduceOp: sum, product, max, min. Sums and products of integers have 64-bit
// lanes, everything else lanes of the computing type.
inline constexpr int kFolds = 4;
using FoldTable = FoldFunctions[kFolds];
const FoldTable& folds_of(Dtype type);

// What an instruction set brings to reductions: its own way through float tiles.
struct FloatFolds {
  const FloatTiles* tiles;
  Fold fold[kFolds];
  // Adds exp(x - max) of n contiguous floats to the lanes.
  void (*add_exponentials)(const float* x, size_t n, float max, float* lanes);
  // out = exp(x - max) * factor.
  void (*exponentials)(const float* x, size_t n, float max, float factor, float* out);
};

void reduce_on(const FloatFolds& folds, const ReduceArgs& args);
void arg_reduce_on(const FloatFolds& folds, const ArgReduceArgs& args);
void softmax_on(const FloatFolds& folds, const SoftmaxArgs& args);
void log_sum_exp_on(const FloatFolds& folds, const LogSumExpArgs& args);

}  // namespace hearth::cpu
