#include "core/cpu/kernels.h"

#include <stdexcept>
#include <string>

namespace hearth::cpu {

namespace {

#define HEARTH_SCALAR(name, Args) .name = name##_scalar,
#define HEARTH_AVX2(name, Args) .name = name##_avx2,
#define HEARTH_AVX512(name, Args) .name = name##_avx512,

// Only products gain from BF16.
constexpr Kernels avx512bf16_kernels() {
  Kernels table{.isa = Isa::kAvx512Bf16, HEARTH_KERNELS(HEARTH_AVX512)};
  table.matmul = matmul_avx512bf16;
  table.quantized_matmul = quantized_matmul_avx512bf16;
  return table;
}

constexpr Kernels kTables[kIsaCount] = {
    {.isa = Isa::kScalar, HEARTH_KERNELS(HEARTH_SCALAR)},
    {.isa = Isa::kAvx2, HEARTH_KERNELS(HEARTH_AVX2)},
    {.isa = Isa::kAvx512, HEARTH_KERNELS(HEARTH_AVX512)},
    avx512bf16_kernels(),
};

}  // namespace

const Kernels& kernels() { return kTables[static_cast<size_t>(active_isa())]; }

const Kernels& kernels_for(Isa isa) {
  if (isa > available_isas().back()) {
    throw std::invalid_argument("[kernels_for] " + std::string(isa_name(isa)) + " is not available on this machine");
  }
  return kTables[static_cast<size_t>(isa)];
}

}  // namespace hearth::cpu
