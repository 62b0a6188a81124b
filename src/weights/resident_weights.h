// Moves a model's mapped weights into huge pages (base/huge_pages.h) behind its back, while it is used.
//
// It begins when the first answers are under way and takes about 0.2 s a gigabyte of one core. Weights that are large
// beside the free memory stay in the page cache, which the system can take back.
// Threads: one of its own, until the work is done. Lifetime: keeps the tensors' mappings until then.
#pragma once

#include <chrono>
#include <cstddef>
#include <thread>

#include "weights/tensor_set.h"

namespace hearth::weights {

class ResidentWeights {
 public:
  struct Options {
    std::chrono::milliseconds delay{500};
    double largest_share = 0.25;  // of the available memory
  };

  explicit ResidentWeights(const TensorSet& tensors) : ResidentWeights(tensors, Options{}) {}
  ResidentWeights(const TensorSet& tensors, const Options& options);
  // Stops between two pages.
  ~ResidentWeights() = default;

  // Returns when nothing is left to move.
  void wait();

 private:
  std::jthread mover_;
};

}  // namespace hearth::weights
