// Blocks come in size classes, four to each power of two but no less than 64 bytes apart, so at most a fifth of a block
// above 256 bytes is unused. A freed block goes to its class's list and is the next to be handed out; when the lists
// hold more than the cache limit, the largest go back to the system. One mutex guards lists and counters: uncontended
// it costs about 10 ns, less than separate atomics.
#include "core/storage.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>

#include "base/error.h"
#include "base/ledger.h"
#include "core/memory.h"

namespace hearth::core {

namespace {

constexpr size_t kHeader = 64;
constexpr size_t kSmallest = 64;
constexpr size_t kMapped = size_t{1} << 18;   // from here on a block is a mapping of its own
constexpr size_t kEntered = size_t{1} << 20;  // from here on a block is in the ledger
constexpr size_t kLargest = size_t{1} << 46;
constexpr int kClasses = 4 * 42;

static_assert(sizeof(Storage) <= kHeader);

struct SizeClass {
  int index;
  size_t bytes;
};

SizeClass size_class(size_t bytes) {
  if (bytes <= kSmallest) return {0, kSmallest};
  const int log = std::bit_width(bytes - 1) - 1;  // 2^log < bytes <= 2^(log + 1)
  const size_t step = std::max((size_t{1} << log) / 4, kSmallest);
  const size_t rounded = (bytes + step - 1) / step * step;
  const int quarter = static_cast<int>((rounded - (size_t{1} << log)) * 4 >> log);
  return {4 * (log - 6) + quarter, rounded};
}

void* system_allocate(size_t bytes) {
  if (bytes >= kMapped) {
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? nullptr : p;
  }
  return std::aligned_alloc(64, bytes);
}

void system_free(void* p, size_t bytes) {
  if (bytes >= kMapped) {
    munmap(p, bytes);
  } else {
    std::free(p);
  }
}

}  // namespace

class BlockCache {
 public:
  // Never destroyed: arrays with static lifetime outlive every other object.
  static BlockCache& get() {
    static BlockCache& cache = *new BlockCache;
    return cache;
  }

  StoragePtr allocate(size_t bytes) {
    SizeClass c;
    {
      std::lock_guard lock(mutex_);
      if (bytes > kLargest) refuse(bytes);
      c = size_class(bytes);
      if (active_ + asked_ + c.bytes > memory_limit_) refuse(c.bytes);
      Storage* block = lists_[c.index];
      if (!block) {
        asked_ += c.bytes;
      } else {
        lists_[c.index] = block->next_;
        cached_ -= c.bytes;
        hold(c.bytes);
        block->uses_.store(1, std::memory_order_relaxed);
        return StoragePtr(block);
      }
    }
    return from_system(c);
  }

  void give_back(Storage* block) {
    std::lock_guard lock(mutex_);
    active_ -= block->bytes_;
    block->next_ = lists_[block->size_class_];
    lists_[block->size_class_] = block;
    cached_ += block->bytes_;
    if (cached_ > cache_limit_) trim(cache_limit_);
  }

  size_t active() { return read(active_); }
  size_t cached() { return read(cached_); }
  size_t peak() { return read(peak_); }
  size_t memory_limit() { return read(memory_limit_); }
  size_t wired_limit() { return read(wired_limit_); }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    peak_ = active_;
  }
  void clear() {
    std::lock_guard lock(mutex_);
    trim(0);
  }
  size_t set_memory_limit(size_t limit) { return exchange(memory_limit_, limit); }
  size_t set_wired_limit(size_t limit) { return exchange(wired_limit_, limit); }
  size_t set_cache_limit(size_t limit) {
    std::lock_guard lock(mutex_);
    trim(limit);
    return std::exchange(cache_limit_, limit);
  }

 private:
  size_t read(const size_t& value) {
    std::lock_guard lock(mutex_);
    return value;
  }
  size_t exchange(size_t& value, size_t to) {
    std::lock_guard lock(mutex_);
    return std::exchange(value, to);
  }

  // Requires mutex_, as the two below.
  void hold(size_t bytes) {
    active_ += bytes;
    peak_ = std::max(peak_, active_);
  }

  [[noreturn]] void refuse(size_t bytes) {
    trim(0);
    const size_t held = active_ + asked_;
    throw OutOfMemory(bytes, held < memory_limit_ ? memory_limit_ - held : 0, memory_limit_);
  }

  void trim(size_t limit) {
    for (int i = kClasses - 1; i >= 0 && cached_ > limit; --i) {
      while (lists_[i] && cached_ > limit) {
        Storage* block = lists_[i];
        lists_[i] = block->next_;
        cached_ -= block->bytes_;
        const size_t bytes = block->bytes_;
        block->~Storage();
        system_free(block, kHeader + bytes);
        if (bytes >= kEntered) Ledger::global().leave(Ledger::Account::arrays, bytes);
      }
    }
  }

  void enter(size_t bytes) {
    if (bytes < kEntered) return;
    try {
      Ledger::global().enter(Ledger::Account::arrays, bytes);
    } catch (const OutOfMemory&) {
      clear();
      Ledger::global().enter(Ledger::Account::arrays, bytes);
    }
  }

  // The bytes stand in asked_; they become active unless the system or the ledger refuses.
  StoragePtr from_system(SizeClass c) {
    try {
      enter(c.bytes);
    } catch (const OutOfMemory&) {
      answer(c.bytes, false);
      throw;
    }
    void* memory = system_allocate(kHeader + c.bytes);
    if (!memory) {
      clear();
      memory = system_allocate(kHeader + c.bytes);
    }
    if (!memory) {
      if (c.bytes >= kEntered) Ledger::global().leave(Ledger::Account::arrays, c.bytes);
      answer(c.bytes, false);
      throw OutOfMemory(c.bytes, 0, memory_limit());
    }
    answer(c.bytes, true);
    Storage* block = new (memory) Storage;
    block->size_class_ = c.index;
    block->bytes_ = c.bytes;
    block->data_ = static_cast<std::byte*>(memory) + kHeader;
    return StoragePtr(block);
  }

  void answer(size_t bytes, bool granted) {
    std::lock_guard lock(mutex_);
    asked_ -= bytes;
    if (granted) hold(bytes);
  }

  std::mutex mutex_;
  std::array<Storage*, kClasses> lists_{};
  size_t active_ = 0, cached_ = 0, peak_ = 0, wired_limit_ = 0;
  size_t asked_ = 0;  // of the system and the ledger, not granted yet
  size_t memory_limit_ = ~size_t{0}, cache_limit_ = size_t{32} << 20;
};

StoragePtr Storage::allocate(size_t bytes) { return BlockCache::get().allocate(bytes); }

StoragePtr Storage::wrap(void* data, size_t bytes, std::function<void(void*)> deleter) {
  auto* block = new Storage;
  block->data_ = data;
  block->bytes_ = bytes;
  block->deleter_ = new std::function<void(void*)>(std::move(deleter));
  return StoragePtr(block);
}

void Storage::drop() {
  if (is_owned()) return BlockCache::get().give_back(this);
  if (*deleter_) (*deleter_)(data_);
  delete deleter_;
  delete this;
}

size_t get_active_memory() { return BlockCache::get().active(); }
size_t get_cache_memory() { return BlockCache::get().cached(); }
size_t get_peak_memory() { return BlockCache::get().peak(); }
void reset_peak_memory() { BlockCache::get().reset_peak(); }
size_t set_memory_limit(size_t limit) { return BlockCache::get().set_memory_limit(limit); }
size_t get_memory_limit() { return BlockCache::get().memory_limit(); }
size_t set_cache_limit(size_t limit) { return BlockCache::get().set_cache_limit(limit); }
void clear_cache() { BlockCache::get().clear(); }
size_t set_wired_limit(size_t limit) { return BlockCache::get().set_wired_limit(limit); }

}  // namespace hearth::core
