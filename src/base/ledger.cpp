#include "base/ledger.h"

#include <unistd.h>

#include "base/error.h"

namespace hearth {

namespace {

// Adds if the sum stays within the limit. Returns what was free when it does not fit, else SIZE_MAX.
size_t add_within(std::atomic<size_t>& sum, size_t bytes, size_t limit) {
  size_t held = sum.load(std::memory_order_relaxed);
  do {
    const size_t free = held < limit ? limit - held : 0;
    if (bytes > free) return free;
  } while (!sum.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed));
  return ~size_t{0};
}

}  // namespace

Ledger& Ledger::global() {
  static Ledger ledger(static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGE_SIZE)));
  return ledger;
}

void Ledger::enter(Account account, size_t bytes) {
  Line& line = at(account);
  const size_t account_limit = limit(account), total_limit = limit();
  if (const size_t free = add_within(line.bytes, bytes, account_limit); free != ~size_t{0}) {
    throw OutOfMemory(bytes, free, account_limit);
  }
  if (const size_t free = add_within(total_, bytes, total_limit); free != ~size_t{0}) {
    line.bytes.fetch_sub(bytes, std::memory_order_relaxed);
    throw OutOfMemory(bytes, free, total_limit);
  }
}

void Ledger::leave(Account account, size_t bytes) {
  at(account).bytes.fetch_sub(bytes, std::memory_order_relaxed);
  total_.fetch_sub(bytes, std::memory_order_relaxed);
}

std::string_view Ledger::name(Account account) {
  switch (account) {
    case Account::weights: return "weights";
    case Account::kv_cache: return "KV cache";
    case Account::prefix_store: return "prefix store";
    case Account::arrays: return "arrays";
    case Account::scratch: return "scratch";
  }
  return "";
}

}  // namespace hearth
