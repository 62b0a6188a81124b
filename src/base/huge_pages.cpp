// Each block is copied into anonymous memory that asked for huge pages, and mremap puts that in the block's place in
// one step: a thread that reads the block sees the old page or the new one. The copies are made in one region, laid out
// as the blocks are, so that the kernel joins neighbours into one mapping again.
#include "base/huge_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

namespace hearth {

namespace {

constexpr uintptr_t kBlock = uintptr_t{2} << 20;

uintptr_t round_up(uintptr_t address) { return (address + kBlock - 1) / kBlock * kBlock; }

// Memory to copy blocks into, one behind the other from a block's boundary on. Pages come when they are written.
class CopyRegion {
 public:
  explicit CopyRegion(size_t size) {
    const size_t bytes = size + kBlock;
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    auto* const first = static_cast<std::byte*>(memory);
    end_ = first + bytes;
    next_ = reinterpret_cast<std::byte*>(round_up(reinterpret_cast<uintptr_t>(memory)));
    if (next_ != first) ::munmap(first, static_cast<size_t>(next_ - first));
    usable_ = ::madvise(next_, size, MADV_HUGEPAGE) == 0;
  }
  // What was moved away leaves a hole that others may have filled meanwhile; only the rest is ours.
  ~CopyRegion() {
    if (next_ != end_) ::munmap(next_, static_cast<size_t>(end_ - next_));
  }
  CopyRegion(const CopyRegion&) = delete;
  CopyRegion& operator=(const CopyRegion&) = delete;

  bool usable() const { return usable_; }

  // Puts a copy of the block in its place.
  bool replace(std::byte* block) {
    std::memcpy(next_, block, kBlock);
    if (::mprotect(next_, kBlock, PROT_READ) != 0) return false;
    if (::mremap(next_, kBlock, kBlock, MREMAP_MAYMOVE | MREMAP_FIXED, block) == MAP_FAILED) return false;
    next_ += kBlock;
    return true;
  }

 private:
  std::byte *next_ = nullptr, *end_ = nullptr;  // of what has not been moved away
  bool usable_ = false;
};

size_t system_memory_available() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  for (size_t kilobytes = 0; file >> key >> kilobytes; file.ignore(256, '\n'))
    if (key == "MemAvailable:") return kilobytes * 1024;
  return 0;
}

// What the control group that a container sees as its root may still take; all there is where it has no limit.
size_t container_memory_left() {
  size_t limit = 0, used = 0;
  if (!(std::ifstream("/sys/fs/cgroup/memory.max") >> limit)) return SIZE_MAX;
  if (!(std::ifstream("/sys/fs/cgroup/memory.current") >> used)) return SIZE_MAX;
  return limit > used ? limit - used : 0;
}

}  // namespace

bool has_huge_pages() {
  std::string modes;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), modes);
  return modes.find("[madvise]") != std::string::npos || modes.find("[always]") != std::string::npos;
}

size_t available_memory() { return std::min(system_memory_available(), container_memory_left()); }

size_t move_to_huge_pages(std::span<const std::byte> mapped, std::stop_token stop) {
  const auto address = reinterpret_cast<uintptr_t>(mapped.data());
  const uintptr_t begin = round_up(address), end = (address + mapped.size()) / kBlock * kBlock;
  if (begin >= end) return 0;
  CopyRegion region(end - begin);
  if (!region.usable()) return 0;
  size_t moved = 0;
  for (; moved < end - begin && !stop.stop_requested(); moved += kBlock)
    if (!region.replace(reinterpret_cast<std::byte*>(begin + moved))) break;
  return moved;
}

}  // namespace hearth
