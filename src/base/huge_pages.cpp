// Each block is copied into anonymous memory that asked for huge pages, and mremap puts that in the block's place in one
// step: a thread that reads the block sees the old page or the new one. The copies are made in one region, laid out as
// the blocks are, so that the kernel joins neighbours into one mapping again.
#include "base/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

namespace hearth {

namespace {

constexpr uintptr_t kBlock = uintptr_t{2} << 20;

uintptr_t round_up(uintptr_t address) { return (address + kBlock - 1) / kBlock * kBlock; }

// Memory to copy into, [size] bytes from a block's boundary on. Pages come when they are written.
class CopyRegion {
 public:
  explicit CopyRegion(size_t size) : bytes_(size + kBlock) {
    void* memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    memory_ = memory;
    begin_ = reinterpret_cast<std::byte*>(round_up(reinterpret_cast<uintptr_t>(memory)));
    usable_ = ::madvise(begin_, size, MADV_HUGEPAGE) == 0;
  }
  // Blocks that were moved away are holes by then, which munmap does not mind.
  ~CopyRegion() {
    if (memory_ != nullptr) ::munmap(memory_, bytes_);
  }
  CopyRegion(const CopyRegion&) = delete;
  CopyRegion& operator=(const CopyRegion&) = delete;

  bool usable() const { return usable_; }
  std::byte* begin() const { return begin_; }

 private:
  size_t bytes_;
  void* memory_ = nullptr;
  std::byte* begin_ = nullptr;
  bool usable_ = false;
};

bool replace_block(std::byte* block, std::byte* copy) {
  std::memcpy(copy, block, kBlock);
  if (::mprotect(copy, kBlock, PROT_READ) != 0) return false;
  return ::mremap(copy, kBlock, kBlock, MREMAP_MAYMOVE | MREMAP_FIXED, block) != MAP_FAILED;
}

}  // namespace

bool has_huge_pages() {
  std::string modes;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), modes);
  return modes.find("[madvise]") != std::string::npos || modes.find("[always]") != std::string::npos;
}

size_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  for (size_t kilobytes = 0; file >> key >> kilobytes; file.ignore(256, '\n'))
    if (key == "MemAvailable:") return kilobytes * 1024;
  return 0;
}

size_t move_to_huge_pages(std::span<const std::byte> mapped, std::stop_token stop) {
  const auto address = reinterpret_cast<uintptr_t>(mapped.data());
  const uintptr_t begin = round_up(address), end = (address + mapped.size()) / kBlock * kBlock;
  if (begin >= end) return 0;
  const CopyRegion region(end - begin);
  if (!region.usable()) return 0;
  size_t moved = 0;
  for (; moved < end - begin && !stop.stop_requested(); moved += kBlock)
    if (!replace_block(reinterpret_cast<std::byte*>(begin + moved), region.begin() + moved)) break;
  return moved;
}

}  // namespace hearth
