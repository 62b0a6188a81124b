// Running a graph.
//
// Source: mlx/transforms.h.
#pragma once

#include <concepts>
#include <vector>

#include "core/array.h"

namespace hearth::core {

// Computes the arrays and lets go of the graph behind them. Work of the calling thread's default stream runs on the
// calling thread. Throws what an operation threw; arrays not computed by then keep their graph.
void eval(std::vector<array> outputs);
template <typename... A>
  requires is_arrays_v<A...>
void eval(A&&... outputs) { eval(std::vector<array>{std::forward<A>(outputs)...}); }

// Queues the same work on the streams' threads and returns. Reading an output waits for it; an error is thrown there,
// once: after that the output can be evaluated again.
void async_eval(std::vector<array> outputs);
template <typename... A>
  requires is_arrays_v<A...>
void async_eval(A&&... outputs) { async_eval(std::vector<array>{std::forward<A>(outputs)...}); }

}  // namespace hearth::core
