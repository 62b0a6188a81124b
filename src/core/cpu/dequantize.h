// Private to the kernels of packed matrices: reading one code, and sharing out the expansion of rows.
#pragma once

#include "core/cpu/quantize.h"

namespace hearth::cpu {

// The bytes of a row's codes.
inline const uint8_t* codes_of(const QuantizedMatrix& w, int64_t row) {
  return reinterpret_cast<const uint8_t*>(w.packed) + row * (w.k / 32 * (4 * w.bits));
}

// Code k of a row: its bits may straddle two bytes.
inline int code_at(const uint8_t* row, int64_t k, int bits) {
  const int64_t bit = k * bits;
  const int shift = static_cast<int>(bit % 8);
  unsigned window = row[bit / 8];
  if (shift + bits > 8) window |= static_cast<unsigned>(row[bit / 8 + 1]) << 8;
  return static_cast<int>((window >> shift) & ((1u << bits) - 1));
}

// Writes the k weights of a row, of the type of its scales.
using ExpandRow = void (*)(const QuantizedMatrix& w, Dtype type, int64_t row, void* out);

void run_dequantize(const DequantizeArgs& args, ExpandRow expand_row);
void run_gather(const GatherDequantizeArgs& args, ExpandRow expand_row);

}  // namespace hearth::cpu
