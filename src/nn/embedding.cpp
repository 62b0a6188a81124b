#include "nn/embedding.h"

#include "ops/quantized_embedding.h"

namespace hearth::nn {

Embedding::Embedding(Matrix table) : table_(std::move(table)), head_(table_) {}

mx::array Embedding::operator()(const mx::array& ids) const {
  if (!table_.is_quantized()) return mx::take(table_.weight, ids, 0);
  return ops::quantized_embedding(ids, table_.weight, *table_.scales, *table_.biases, table_.quantization.group_size,
                                  table_.quantization.bits);
}

}  // namespace hearth::nn
