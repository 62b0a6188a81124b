// Operations that move elements: conversion, strided copy, fill, select, and counting.
//
// Operands are strided and broadcast; results are dense and row-major unless said otherwise.
#pragma once

#include "core/cpu/dtype.h"

namespace hearth::cpu {

// out = condition ? a : b
struct SelectArgs {
  Dtype type;         // of a, b and out
  Operand condition;  // bool
  Operand a, b;
  void* out;  // dense
  const int32_t* shape;
  int rank;
};

// out = x converted: floats to integers truncate, anything to bool is x != 0. Copies when the types are equal. x with
// strides 0 fills. Different destinations of one call must not overlap.
struct CopyArgs {
  Dtype from, to;
  Operand x;
  void* out;
  const int64_t* out_strides;  // elements; null: dense
  const int32_t* shape;
  int rank;
};

// out[i] = start + i * step, for integer types in integer arithmetic.
struct ArangeArgs {
  Dtype type;
  double start, step;
  void* out;
  int64_t count;
};

void copy_scalar(const CopyArgs& args);
void copy_avx2(const CopyArgs& args);
void copy_avx512(const CopyArgs& args);

// One version serves every instruction set.
void select(const SelectArgs& args);
void arange(const ArangeArgs& args);

}  // namespace hearth::cpu
