// The threads that share one operation's work, and parallel_for on top of them.
//
// A fork and join costs about 0.3 us while the workers are awake: they spin for ~100 us after each region, then sleep.
// (A condition variable alone costs 45 us, and a decode step forks hundreds of times.)
// Threads: run() may be called from one thread at a time; a call from inside a region, or while another thread is in
// one, runs on the calling thread alone.
#pragma once

#include <cstddef>
#include <functional>

namespace hearth {

// The process's pool. Started on first use with the number of CPUs this process may run on; never ended, because
// streams still compute while the process exits.
class ThreadPool {
 public:
  static ThreadPool& global();

  // Threads that take part in a region, the caller included. At least 1.
  int size() const;
  // Requires that no region is running. 1 <= n <= 1024, else throws std::invalid_argument.
  void resize(int n);

  // Calls body(context) on the calling thread and, beside it, on workers; returns when all of them are done. Workers
  // that come too late are not waited for, so a busy machine costs no more than the caller doing everything itself:
  // body must take its work from something shared, and leave when there is none. What a body throws first is thrown
  // here, when all have left; work that nobody had taken by then is not done.
  void run(void (*body)(void* context), void* context);

 private:
  ThreadPool();
  struct State;
  State* state_;
};

// Splits [0, count) into chunks of `grain` that the workers take in turn; calls body(begin, end) for each. When a body
// throws, so does the call, and some chunks may not have been visited.
// Which worker takes a chunk is not fixed: a chunk's result must not depend on it (the row law).
template <typename Body>
void parallel_for(size_t count, size_t grain, Body&& body);

}  // namespace hearth

#include "base/thread_pool_inl.h"
