// A region is one word: its number, whether it still takes workers, and how many are inside. Workers watch the number,
// spinning with a pause instruction (kSpins of them take ~100 us), then sleeping on it (std::atomic::wait, a futex).
// The caller closes the region when its own share is done and waits only for workers that are inside: one that the
// system has not scheduled yet must not hold up everyone.
#include "base/thread_pool.h"

#include <sched.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace hearth {

namespace {

constexpr int kSpins = 4000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

int available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

thread_local bool inside_region = false;

}  // namespace

struct ThreadPool::State {
  std::vector<std::jthread> workers;
  std::mutex busy;  // held by the thread that runs a region

  void (*body)(void*) = nullptr;
  void* context = nullptr;
  std::atomic<bool> failed{false};
  std::exception_ptr failure;                   // written by whoever sets `failed`, read when nobody is inside any more
  alignas(64) std::atomic<uint32_t> number{0};  // of the latest region
  alignas(64) std::atomic<uint64_t> region{0};  // number << 32 | open << 31 | workers inside
  alignas(64) std::atomic<int> sleepers{0};
  std::atomic<bool> stopping{false};

  static constexpr uint64_t kOpen = uint64_t{1} << 31;

  // Waits for a region after `seen` and returns its number.
  uint32_t await(uint32_t seen) {
    for (int i = 0; i < kSpins; ++i) {
      const uint32_t now = number.load(std::memory_order_acquire);
      if (now != seen) return now;
      pause();
    }
    sleepers.fetch_add(1, std::memory_order_seq_cst);
    number.wait(seen, std::memory_order_seq_cst);
    sleepers.fetch_sub(1, std::memory_order_relaxed);
    return number.load(std::memory_order_acquire);
  }

  bool enter() {
    uint64_t now = region.load(std::memory_order_acquire);
    while (now & kOpen)
      if (region.compare_exchange_weak(now, now + 1, std::memory_order_acquire)) return true;
    return false;
  }

  void run_body() noexcept {
    try {
      body(context);
    } catch (...) {
      if (!failed.exchange(true, std::memory_order_relaxed)) failure = std::current_exception();
    }
  }

  void work(uint32_t seen) {
    inside_region = true;
    for (;;) {
      seen = await(seen);
      if (stopping.load(std::memory_order_relaxed)) return;
      if (!enter()) continue;
      run_body();
      region.fetch_sub(1, std::memory_order_release);
    }
  }

  void announce(uint64_t open) {
    const uint32_t next = number.load(std::memory_order_relaxed) + 1;
    region.store((uint64_t{next} << 32) | open, std::memory_order_release);
    number.store(next, std::memory_order_seq_cst);
    if (sleepers.load(std::memory_order_seq_cst) > 0) number.notify_all();
  }

  // Lets nobody else in and waits for those inside; after kSpins they have probably lost their CPU to others.
  void close() {
    region.fetch_and(~kOpen, std::memory_order_acq_rel);
    for (int i = 0; (region.load(std::memory_order_acquire) & (kOpen - 1)) != 0; ++i) {
      if (i < kSpins) {
        pause();
      } else {
        sched_yield();
      }
    }
  }

  void start(int workers_wanted) {
    stopping = false;
    const uint32_t seen = number.load();
    for (int i = 0; i < workers_wanted; ++i) workers.emplace_back([this, seen] { work(seen); });
  }

  void stop() {
    stopping = true;
    announce(0);
    workers.clear();
  }
};

ThreadPool& ThreadPool::global() {
  static ThreadPool& pool = *new ThreadPool;
  return pool;
}

ThreadPool::ThreadPool() : state_(new State) { state_->start(available_cpus() - 1); }

int ThreadPool::size() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::resize(int n) {
  if (n < 1 || n > 1024) throw std::invalid_argument("[ThreadPool::resize] threads must be in 1..1024");
  std::lock_guard lock(state_->busy);
  if (n == size()) return;
  state_->stop();
  state_->start(n - 1);
}

void ThreadPool::run(void (*body)(void*), void* context) {
  State& s = *state_;
  std::unique_lock lock(s.busy, std::defer_lock);
  if (inside_region || !lock.try_lock() || s.workers.empty()) return body(context);
  inside_region = true;
  s.body = body;
  s.context = context;
  s.announce(State::kOpen);
  s.run_body();
  s.close();
  inside_region = false;
  if (s.failed.load(std::memory_order_relaxed)) {
    s.failed.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(s.failure, nullptr));
  }
}

}  // namespace hearth
