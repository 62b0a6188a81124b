#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
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

TEST(ThreadPool, ThrowsInTheCallerWhatABodyThrows) {
  for (int threads : {1, 2, 5}) {
    ThreadPool::global().resize(threads);
    for (size_t bad = 0; bad < 40; ++bad) {
      const auto visit = [bad](size_t begin, size_t end) {
        if (begin <= bad && bad < end) throw std::out_of_range("planned");
      };
      EXPECT_THROW(parallel_for(40, 1, visit), std::out_of_range);
    }
    EXPECT_THROW(parallel_for(40, 1, [](size_t, size_t) { throw std::out_of_range("all"); }), std::out_of_range);
    std::atomic<size_t> total = 0;
    parallel_for(40, 1, [&](size_t begin, size_t end) { total += end - begin; });
    EXPECT_EQ(total, 40u);
  }
}

TEST(ThreadPool, ThrowsInTheCallerWhatAWorkerThrows) {
  ThreadPool::global().resize(2);
  const auto caller = std::this_thread::get_id();
  for (int round = 0; round < 3; ++round) {
    std::atomic<int> arrived = 0;
    const auto meet = [&](size_t, size_t) {
      for (++arrived; arrived < 2;) std::this_thread::yield();
      if (std::this_thread::get_id() != caller) throw std::out_of_range("planned");
    };
    EXPECT_THROW(parallel_for(2, 1, meet), std::out_of_range);
  }
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
