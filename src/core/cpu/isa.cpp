#include "core/cpu/isa.h"

#include <cpuid.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace hearth::cpu {

namespace {

constexpr std::array<std::string_view, kIsaCount> kNames = {"scalar", "avx2", "avx512", "avx512bf16"};

struct Cpuid {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  Cpuid(unsigned leaf, unsigned subleaf) { __get_cpuid_count(leaf, subleaf, &eax, &ebx, &ecx, &edx); }
};

constexpr bool has_bits(unsigned value, unsigned bits) { return (value & bits) == bits; }

// Registers that the operating system saves: XCR0. Requires OSXSAVE.
unsigned saved_registers() {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

Isa best_isa() {
  const Cpuid basic(1, 0), extended(7, 0), more(7, 1);
  constexpr unsigned kYmm = 0x6, kZmm = 0xe6;
  if (!has_bits(basic.ecx, bit_OSXSAVE) || !has_bits(saved_registers(), kYmm)) return Isa::kScalar;
  const Cpuid amd(0x80000001, 0);
  if (!has_bits(basic.ecx, bit_AVX | bit_FMA | bit_F16C) || !has_bits(extended.ebx, bit_AVX2 | bit_BMI | bit_BMI2) ||
      !has_bits(amd.ecx, bit_LZCNT)) {
    return Isa::kScalar;
  }
  constexpr unsigned kV4 = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
  if (!has_bits(saved_registers(), kZmm) || !has_bits(extended.ebx, kV4)) return Isa::kAvx2;
  constexpr unsigned kBf16 = 1u << 5;
  if (!has_bits(extended.ecx, bit_AVX512VBMI) || !has_bits(more.eax, kBf16)) return Isa::kAvx512;
  return Isa::kAvx512Bf16;
}

bool find_vnni(Isa isa) {
  if (isa == Isa::kScalar) return false;
  constexpr unsigned kAvx512Vnni = 1u << 11, kAvxVnni = 1u << 4;
  return isa == Isa::kAvx2 ? has_bits(Cpuid(7, 1).eax, kAvxVnni) : has_bits(Cpuid(7, 0).ecx, kAvx512Vnni);
}

bool available(Isa isa) { return isa <= available_isas().back(); }

Isa chosen_isa() {
  const char* wanted = std::getenv("HEARTH_ISA");
  if (wanted == nullptr || *wanted == '\0') return available_isas().back();
  for (Isa isa : available_isas()) {
    if (isa_name(isa) == wanted) return isa;
  }
  throw std::invalid_argument("[HEARTH_ISA] '" + std::string(wanted) + "' is not an instruction set of this machine");
}

std::atomic<Isa>& active() {
  static std::atomic<Isa> isa = chosen_isa();
  return isa;
}

}  // namespace

std::string_view isa_name(Isa isa) { return kNames[static_cast<size_t>(isa)]; }

bool has_vnni(Isa isa) {
  static const bool in_ymm = find_vnni(Isa::kAvx2), in_zmm = find_vnni(Isa::kAvx512);
  return isa == Isa::kAvx2 ? in_ymm : isa >= Isa::kAvx512 && in_zmm;
}

std::span<const Isa> available_isas() {
  static constexpr std::array<Isa, kIsaCount> kAll = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16};
  static const size_t count = static_cast<size_t>(best_isa()) + 1;
  return std::span(kAll).first(count);
}

Isa active_isa() { return active().load(std::memory_order_relaxed); }

void use_isa(Isa isa) {
  if (!available(isa)) {
    throw std::invalid_argument("[use_isa] " + std::string(isa_name(isa)) + " is not available on this machine");
  }
  active().store(isa, std::memory_order_relaxed);
}

}  // namespace hearth::cpu
