// Watching a thread compute: for tools that compare evaluations operation by operation. MLX has nothing like it.
#pragma once

#include <functional>

#include "core/primitive.h"

namespace hearth::core {

// While one lives, every operation that its thread computes is told to `watch` when it has been computed, with outputs
// that can be read and must not be kept: keeping one would change who may reuse its memory. Memory starts as zeros
// then, so that what an operation leaves unwritten (a cache's free rows) is the same each time.
// One at a time a thread. What `watch` throws is the operation's failure.
class Observation {
 public:
  using Watch = std::function<void(const Primitive& primitive, Arrays outputs)>;

  explicit Observation(Watch watch) : watch_(std::move(watch)) { current = this; }
  ~Observation() { current = nullptr; }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  void tell(const Primitive& primitive, Arrays outputs) const { watch_(primitive, outputs); }

  // The calling thread's, or null.
  static inline constinit thread_local const Observation* current = nullptr;

 private:
  Watch watch_;
};

}  // namespace hearth::core
