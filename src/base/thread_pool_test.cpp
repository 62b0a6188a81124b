#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace hearth {
namespace {

TEST(ThreadPool, ParallelForVisitsEveryIndexOnce) {
  for (int threads : {1, 2, 5}) {
    ThreadPool::global().resize(threads);
    for (size_t count : {0, 1, 7, 1000}) {
      std::vector<std::atomic<int>> visits(count);
      parallel_for(count, 3, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) visits[i]++;
      });
      for (auto& v : visits) EXPECT_EQ(v, 1);
    }
  }
}

TEST(ThreadPool, NestedRegionsRunOnTheCallingThread) {
  ThreadPool::global().resize(2);
  std::atomic<int> total = 0;
  parallel_for(8, 1, [&](size_t, size_t) { parallel_for(8, 1, [&](size_t b, size_t e) { total += int(e - b); }); });
  EXPECT_EQ(total, 64);
}

TEST(ThreadPool, CallersFromSeveralThreadsAllFinish) {
  ThreadPool::global().resize(2);
  std::atomic<int> total = 0;
  std::vector<std::jthread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) parallel_for(10, 1, [&](size_t b, size_t e) { total += int(e - b); });
    });
  callers.clear();
  EXPECT_EQ(total, 4 * 200 * 10);
}

TEST(ThreadPool, WakesWorkersThatFellAsleep) {
  ThreadPool::global().resize(3);
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> total = 0;
    parallel_for(100, 1, [&](size_t b, size_t e) { total += int(e - b); });
    EXPECT_EQ(total, 100);
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
}

TEST(ThreadPool, RefusesAnAbsurdSize) {
  EXPECT_THROW(ThreadPool::global().resize(0), std::invalid_argument);
  EXPECT_THROW(ThreadPool::global().resize(1025), std::invalid_argument);
}

}  // namespace
}  // namespace hearth
