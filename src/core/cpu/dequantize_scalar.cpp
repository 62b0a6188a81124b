// The specification of dequantization, and the fallback on CPUs without AVX2.
#include <cmath>

#include "core/cpu/dequantize.h"
#include "core/cpu/scalar_types.h"

namespace hearth::cpu {

namespace {

template <class T>
void expand_row_of(const QuantizedMatrix& w, int64_t row, T* out) {
  const uint8_t* codes = codes_of(w, row);
  const int64_t first = row * (w.k / w.group_size);
  for (int64_t k = 0; k < w.k; k++) {
    const float scale = to_float(static_cast<const T*>(w.scales)[first + k / w.group_size]);
    const float bias = to_float(static_cast<const T*>(w.biases)[first + k / w.group_size]);
    out[k] = from_float<T>(std::fma(scale, static_cast<float>(code_at(codes, k, w.bits)), bias));
  }
}

void expand_row(const QuantizedMatrix& w, Dtype type, int64_t row, void* out) {
  with_short_float(type, [&](auto zero) { expand_row_of(w, row, static_cast<decltype(zero)*>(out)); });
}

}  // namespace

void dequantize_scalar(const DequantizeArgs& args) { run_dequantize(args, expand_row); }
void gather_rows_dequantize_scalar(const GatherDequantizeArgs& args) { run_gather(args, expand_row); }

}  // namespace hearth::cpu
