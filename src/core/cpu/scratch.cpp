#include "core/cpu/scratch.h"

#include <memory>
#include <new>

#include "base/ledger.h"

namespace hearth::cpu {
namespace {

constexpr std::align_val_t kAlignment{64};

struct AlignedDelete {
  void operator()(float* p) const { ::operator delete(p, kAlignment); }
};

struct Block {
  LedgerEntry entry;
  std::unique_ptr<float, AlignedDelete> data;
  size_t floats = 0;
};

}  // namespace

float* thread_scratch(ScratchUse use, size_t floats) {
  static thread_local Block blocks[2];
  Block& block = blocks[static_cast<int>(use)];
  if (block.floats < floats) {
    block.data.reset();
    block.floats = 0;
    block.entry = {};
    block.entry = LedgerEntry(Ledger::Account::scratch, floats * sizeof(float));
    block.data.reset(static_cast<float*>(::operator new(floats * sizeof(float), kAlignment)));
    block.floats = floats;
  }
  return block.data.get();
}

}  // namespace hearth::cpu
