// Root-mean-square normalisation with a learned weight, alone or fused with the residual addition before it.
//
// Source: Zhang & Sennrich 2019.
#pragma once

#include <optional>
#include <utility>

#include "core/mx.h"

namespace hearth::nn {

struct RMSNorm {
  mx::array weight;  // [E]
  float eps;

  // Normalises the last axis.
  mx::array operator()(const mx::array& x) const { return mx::fast::rms_norm(x, weight, eps); }
};

// The sum that runs through a decoder's blocks: x + block_1(x) + block_2(...) + ... . An addend waits until the next
// norm, which adds it in the same pass.
class ResidualStream {
 public:
  explicit ResidualStream(mx::array x) : sum_(std::move(x)) {}

  ResidualStream& operator+=(mx::array addend);

  // norm(sum).
  mx::array normed(const RMSNorm& norm);

 private:
  mx::array sum_;
  std::optional<mx::array> addend_;
};

}  // namespace hearth::nn
