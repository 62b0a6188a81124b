#include "cli/memory_bandwidth.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/thread_pool.h"

namespace hearth::cli {

double measure_read_bandwidth() {
  constexpr size_t kWords = (size_t{512} << 20) / sizeof(uint64_t), kGrain = (size_t{4} << 20) / sizeof(uint64_t);
  constexpr size_t kAhead = 4096 / sizeof(uint64_t);
  std::vector<uint64_t> block(kWords, 1);  // written, so that every page is its own
  std::atomic<uint64_t> result = 0;        // keeps the reads from being optimised away
  double best = 0;
  for (int pass = 0; pass < 8; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    parallel_for(kWords, kGrain, [&](size_t begin, size_t end) {
      uint64_t sums[8] = {};
      for (size_t i = begin; i + 8 <= end; i += 8) {
        __builtin_prefetch(block.data() + i + kAhead);
        for (size_t lane = 0; lane < 8; ++lane) sums[lane] += block[i + lane];
      }
      for (const uint64_t sum : sums) result.fetch_add(sum, std::memory_order_relaxed);
    });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(kWords * sizeof(uint64_t)) / seconds.count() / 1e9);
  }
  return result > 0 ? best : 0;
}

}  // namespace hearth::cli
