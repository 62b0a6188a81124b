// The table of token embeddings, dense or quantized, which may serve as the output head as well (tied weights).
//
// Shapes:  T tokens, V vocabulary, E model width.
#pragma once

#include "nn/linear.h"

namespace hearth::nn {

class Embedding {
 public:
  explicit Embedding(Matrix table);

  // ids int32 [T], each in [0, V) -> [T, E].
  mx::array operator()(const mx::array& ids) const;

  // The product with the table, hidden [R, E] -> logits [R, V].
  mx::array as_linear(const mx::array& hidden) const { return head_(hidden); }

 private:
  Matrix table_;
  Linear head_;
};

}  // namespace hearth::nn
