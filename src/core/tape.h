// Private to core: the order in which a graph is computed, and the threads that compute it.
#pragma once

#include <memory>
#include <vector>

#include "core/node.h"
#include "core/stream.h"

namespace hearth::core {

// Unevaluated nodes, inputs before those that use them.
using Tape = std::vector<Node*>;

// Computes one node whose inputs are available, lets go of its inputs and marks it available. May throw.
void compute(Node* node);

// A part of a tape that one stream's thread works through. Keeps the outputs of the whole alive, and they their graph.
struct StreamTask {
  Tape nodes;
  std::shared_ptr<const std::vector<array>> outputs;
};

// Queues tasks for streams, all at once: every stream then sees the tapes in the same order, so streams that wait for
// each other's nodes cannot wait in a circle. When it throws, none has been queued.
void enqueue(std::vector<std::pair<Stream, StreamTask>> tasks);

// Works through a tape, waiting for inputs of other streams; a failed node fails those that need it, nothing is thrown.
// Returns the first error.
std::exception_ptr compute_all(const Tape& nodes);

}  // namespace hearth::core
