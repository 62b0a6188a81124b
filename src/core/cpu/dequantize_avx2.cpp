// Dequantization eight weights at a time: eight codes are as many bytes as a code has bits, which pdep spreads to a
// byte each. (Zen 1 and 2 compute pdep in microcode, 2 cycles a weight; only embeddings and mx::dequantize come here.)
// The AVX-512 tables use it too.
#include "core/cpu/dequantize.h"
#include "core/cpu/target.h"

HEARTH_TARGET_BEGIN_AVX2

#include "core/cpu/vector_avx2_inl.h"

namespace hearth::cpu {
namespace {

template <int kBits>
F32x8 eight_codes(const uint8_t* p) {
  uint64_t packed = 0;
  __builtin_memcpy(&packed, p, kBits);
  const uint64_t bytes = _pdep_u64(packed, uint64_t{0x0101010101010101} * ((1u << kBits) - 1));
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(bytes))))};
}

template <class T>
float widened(const T* p) {
  return _mm256_cvtss_f32(F32x8::load_first(p, 1).v);
}

template <int kBits, class T>
void expand_codes(const QuantizedMatrix& w, int64_t row, T* out) {
  const uint8_t* codes = codes_of(w, row);
  const int64_t groups = w.k / w.group_size;
  for (int64_t g = row * groups; g < (row + 1) * groups; g++) {
    const F32x8 scale = F32x8::all(widened(static_cast<const T*>(w.scales) + g));
    const F32x8 bias = F32x8::all(widened(static_cast<const T*>(w.biases) + g));
    for (int i = 0; i < w.group_size; i += 8, codes += kBits, out += 8) {
      fma(scale, eight_codes<kBits>(codes), bias).store(out);
    }
  }
}

template <class T>
void expand_row_of(const QuantizedMatrix& w, int64_t row, T* out) {
  switch (w.bits) {
    case 2: return expand_codes<2>(w, row, out);
    case 3: return expand_codes<3>(w, row, out);
    case 4: return expand_codes<4>(w, row, out);
    case 5: return expand_codes<5>(w, row, out);
    case 6: return expand_codes<6>(w, row, out);
    default: return expand_codes<8>(w, row, out);
  }
}

void expand_row(const QuantizedMatrix& w, Dtype type, int64_t row, void* out) {
  if (type == Dtype::kFloat32) return expand_row_of(w, row, static_cast<float*>(out));
  if (type == Dtype::kFloat16) return expand_row_of(w, row, static_cast<Float16*>(out));
  expand_row_of(w, row, static_cast<Bfloat16*>(out));
}

}  // namespace

void dequantize_avx2(const DequantizeArgs& args) { run_dequantize(args, expand_row); }
void gather_rows_dequantize_avx2(const GatherDequantizeArgs& args) { run_gather(args, expand_row); }

void dequantize_avx512(const DequantizeArgs& args) { dequantize_avx2(args); }
void gather_rows_dequantize_avx512(const GatherDequantizeArgs& args) { gather_rows_dequantize_avx2(args); }

}  // namespace hearth::cpu

HEARTH_TARGET_END
