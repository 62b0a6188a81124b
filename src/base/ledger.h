// The accounts of every large block of memory: entered before it is allocated, left when it is given back.
//
// The ledger only counts and refuses; what to do about it (evict, compress, tell the user) is decided above it.
// Threads: any; enter and leave are a few atomic operations.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string_view>
#include <utility>

namespace hearth {

class Ledger {
 public:
  enum class Account { weights, kv_cache, prefix_store, arrays, scratch };
  static constexpr int kAccounts = 5;

  // The process's ledger. Its limit is the machine's memory until somebody sets another.
  static Ledger& global();

  explicit Ledger(size_t limit) : limit_(limit) {}

  // Throws OutOfMemory when the total would exceed the limit, or the account its own; nothing is entered then.
  void enter(Account account, size_t bytes);
  void leave(Account account, size_t bytes);

  size_t bytes(Account account) const { return at(account).bytes.load(std::memory_order_relaxed); }
  size_t total() const { return total_.load(std::memory_order_relaxed); }
  size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  size_t limit(Account account) const { return at(account).limit.load(std::memory_order_relaxed); }
  // Limits below what is held now refuse further entries and take nothing away.
  void set_limit(size_t limit) { limit_.store(limit, std::memory_order_relaxed); }
  void set_limit(Account account, size_t limit) { at(account).limit.store(limit, std::memory_order_relaxed); }

  static std::string_view name(Account account);

 private:
  struct Line {
    std::atomic<size_t> bytes{0}, limit{~size_t{0}};
  };
  Line& at(Account account) { return lines_[static_cast<int>(account)]; }
  const Line& at(Account account) const { return lines_[static_cast<int>(account)]; }

  std::array<Line, kAccounts> lines_;
  std::atomic<size_t> total_{0}, limit_;
};

// An entry that leaves with its owner.
class LedgerEntry {
 public:
  LedgerEntry() = default;
  LedgerEntry(Ledger::Account account, size_t bytes) : account_(account), bytes_(bytes) {
    Ledger::global().enter(account, bytes);
  }
  LedgerEntry(LedgerEntry&& other) noexcept : account_(other.account_), bytes_(std::exchange(other.bytes_, 0)) {}
  LedgerEntry& operator=(LedgerEntry&& other) noexcept {
    std::swap(account_, other.account_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~LedgerEntry() {
    if (bytes_) Ledger::global().leave(account_, bytes_);
  }
  size_t bytes() const { return bytes_; }

 private:
  Ledger::Account account_ = Ledger::Account::scratch;
  size_t bytes_ = 0;
};

}  // namespace hearth
