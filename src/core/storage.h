// A counted block of memory that arrays share, and where such blocks come from.
//
// Blocks are recycled through a cache of size classes (memory.h shows its counters). The count and the memory are one
// allocation: the block's bytes follow its header, 64-byte aligned.
// Threads: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace hearth::core {

class StoragePtr;

class Storage {
 public:
  // At least `bytes` bytes of undefined content. Throws OutOfMemory when the memory limit or the ledger refuses.
  static StoragePtr allocate(size_t bytes);

  // Memory that belongs to somebody else (a mapped file). `deleter(data)` runs when the last array lets go.
  // Such a block is never written to by an operation.
  static StoragePtr wrap(void* data, size_t bytes, std::function<void(void*)> deleter);

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }             // usable, at least what was asked for
  bool is_owned() const { return size_class_ >= 0; }  // ours to overwrite
  uint32_t use_count() const { return uses_.load(std::memory_order_acquire); }

 private:
  friend class StoragePtr;
  friend class BlockCache;
  void drop();

  std::atomic<uint32_t> uses_{1};
  int32_t size_class_ = -1;
  void* data_ = nullptr;
  size_t bytes_ = 0;
  Storage* next_ = nullptr;  // in the cache's free list
  std::function<void(void*)>* deleter_ = nullptr;
};

class StoragePtr {
 public:
  StoragePtr() = default;
  explicit StoragePtr(Storage* counted) : storage_(counted) {}
  StoragePtr(const StoragePtr& other) : storage_(other.storage_) {
    if (storage_) storage_->uses_.fetch_add(1, std::memory_order_relaxed);
  }
  StoragePtr(StoragePtr&& other) noexcept : storage_(std::exchange(other.storage_, nullptr)) {}
  StoragePtr& operator=(StoragePtr other) noexcept {
    std::swap(storage_, other.storage_);
    return *this;
  }
  ~StoragePtr() { reset(); }
  void reset() {
    if (Storage* s = std::exchange(storage_, nullptr); s && s->uses_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      s->drop();
  }
  Storage* get() const { return storage_; }
  Storage* operator->() const { return storage_; }
  explicit operator bool() const { return storage_ != nullptr; }

 private:
  Storage* storage_ = nullptr;
};

}  // namespace hearth::core
