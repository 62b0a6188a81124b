// Private to thread_pool.h: the template's body.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>

namespace hearth {

template <typename Body>
void parallel_for(size_t count, size_t grain, Body&& body) {
  if (count == 0) return;
  if (grain == 0) grain = 1;
  ThreadPool& pool = ThreadPool::global();
  if (count <= grain || pool.size() == 1) {
    body(size_t{0}, count);
    return;
  }
  struct Region {
    std::remove_reference_t<Body>& body;
    size_t count, grain;
    std::atomic<size_t> next{0};
  } region{body, count, grain};
  pool.run(
      [](void* context) {
        auto& r = *static_cast<Region*>(context);
        for (;;) {
          const size_t begin = r.next.fetch_add(r.grain, std::memory_order_relaxed);
          if (begin >= r.count) return;
          r.body(begin, std::min(begin + r.grain, r.count));
        }
      },
      &region);
}

}  // namespace hearth
