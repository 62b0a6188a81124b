// Instruction sets that kernels are written for, and the one in use.
//
// Threads: everything here may be called at once; use_isa() requires that no kernel is running.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hearth::cpu {

// Each contains the ones before it.
enum class Isa : uint8_t {
  kScalar,      // plain C++ for any x86-64: the specification
  kAvx2,        // AVX2, FMA, F16C
  kAvx512,      // AVX-512 F, BW, CD, DQ, VL
  kAvx512Bf16,  // and BF16, VBMI
};
inline constexpr int kIsaCount = 4;

// "scalar", "avx2", "avx512", "avx512bf16".
std::string_view isa_name(Isa isa);

// Whether this CPU multiplies and adds 16-bit integers at once (VNNI) in the vectors of an available instruction set.
bool has_vnni(Isa isa);

// What this CPU and operating system can run, ascending; kScalar is always there.
std::span<const Isa> available_isas();

// The instruction set in use: the best available one, or the one that the environment variable HEARTH_ISA named when
// this was first asked. Throws std::invalid_argument when HEARTH_ISA names none that is available.
Isa active_isa();

// Changes the instruction set in use. Throws std::invalid_argument when it is not available.
void use_isa(Isa isa);

}  // namespace hearth::cpu
