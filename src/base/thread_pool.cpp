// One shared epoch number starts a region, one counter ends it. Workers spin on the epoch with a pause instruction
// (kSpins of them take ~100 us), then sleep on it with a futex (std::atomic::wait).
#include "base/thread_pool.h"

#include <sched.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>
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

  void (*body)(void*, int) = nullptr;
  void* context = nullptr;
  alignas(64) std::atomic<uint32_t> epoch{0};
  alignas(64) std::atomic<int> running{0};
  alignas(64) std::atomic<int> sleepers{0};
  std::atomic<bool> stopping{false};

  // Waits until the epoch differs from `seen` and returns it.
  uint32_t await(uint32_t seen) {
    for (int i = 0; i < kSpins; ++i) {
      const uint32_t now = epoch.load(std::memory_order_acquire);
      if (now != seen) return now;
      pause();
    }
    sleepers.fetch_add(1, std::memory_order_seq_cst);
    epoch.wait(seen, std::memory_order_seq_cst);
    sleepers.fetch_sub(1, std::memory_order_relaxed);
    return epoch.load(std::memory_order_acquire);
  }

  void work(int worker, uint32_t seen) {
    inside_region = true;
    for (;;) {
      seen = await(seen);
      if (stopping.load(std::memory_order_relaxed)) return;
      body(context, worker);
      running.fetch_sub(1, std::memory_order_release);
    }
  }

  void announce() {
    epoch.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers.load(std::memory_order_seq_cst) > 0) epoch.notify_all();
  }

  void start(int workers_wanted) {
    stopping = false;
    const uint32_t seen = epoch.load();
    for (int i = 1; i <= workers_wanted; ++i) workers.emplace_back([this, i, seen] { work(i, seen); });
  }

  void stop() {
    stopping = true;
    announce();
    workers.clear();
  }
};

ThreadPool& ThreadPool::global() {
  static ThreadPool pool;
  return pool;
}

ThreadPool::ThreadPool() : state_(new State) { state_->start(available_cpus() - 1); }

ThreadPool::~ThreadPool() {
  state_->stop();
  delete state_;
}

int ThreadPool::size() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::resize(int n) {
  if (n < 1 || n > 1024) throw std::invalid_argument("[ThreadPool::resize] threads must be in 1..1024");
  std::lock_guard lock(state_->busy);
  if (n == size()) return;
  state_->stop();
  state_->start(n - 1);
}

void ThreadPool::run(void (*body)(void*, int), void* context) {
  State& s = *state_;
  std::unique_lock lock(s.busy, std::defer_lock);
  if (inside_region || !lock.try_lock() || s.workers.empty()) {
    const int n = size();
    for (int worker = 0; worker < n; ++worker) body(context, worker);
    return;
  }
  inside_region = true;
  s.body = body;
  s.context = context;
  s.running.store(static_cast<int>(s.workers.size()), std::memory_order_relaxed);
  s.announce();
  body(context, 0);
  while (s.running.load(std::memory_order_acquire) != 0) pause();
  inside_region = false;
}

}  // namespace hearth
