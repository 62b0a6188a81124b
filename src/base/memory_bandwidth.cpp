// Memory is read in the way that gives most: huge pages, and lines fetched into L2 a page ahead, because L1 can wait
// for too few lines at a time.
#include "base/memory_bandwidth.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/thread_pool.h"

namespace hearth {

namespace {

constexpr size_t kBytes = size_t{256} << 20, kHugePage = size_t{2} << 20;
constexpr size_t kWords = kBytes / sizeof(uint64_t), kGrain = (size_t{4} << 20) / sizeof(uint64_t);
constexpr size_t kAhead = 4096 / sizeof(uint64_t);

using Block = std::unique_ptr<uint64_t[], decltype(&std::free)>;

// Written, so that every page is its own.
Block make_block() {
  Block block(static_cast<uint64_t*>(std::aligned_alloc(kHugePage, kBytes)), &std::free);
  if (!block) throw std::bad_alloc();
  ::madvise(block.get(), kBytes, MADV_HUGEPAGE);
  std::fill_n(block.get(), kWords, uint64_t{1});
  return block;
}

uint64_t sum(const uint64_t* words, size_t begin, size_t end) {
  uint64_t sums[8] = {};
  for (size_t i = begin; i + 8 <= end; i += 8) {
    __builtin_prefetch(words + i + kAhead, /*write=*/0, /*locality=*/2);
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += words[i + lane];
  }
  uint64_t total = 0;
  for (const uint64_t lane : sums) total += lane;
  return total;
}

}  // namespace

double measure_read_bandwidth() {
  const Block block = make_block();
  std::atomic<uint64_t> result = 0;  // keeps the reads from being optimised away
  double best = 0;
  for (int pass = 0; pass < 8; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    parallel_for(kWords, kGrain, [&](size_t begin, size_t end) {
      result.fetch_add(sum(block.get(), begin, end), std::memory_order_relaxed);
    });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(kBytes) / seconds.count() / 1e9);
  }
  return result > 0 ? best : 0;
}

}  // namespace hearth
