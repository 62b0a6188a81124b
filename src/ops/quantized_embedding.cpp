#include "ops/quantized_embedding.h"

namespace hearth::ops {

mx::array quantized_embedding(const mx::array& ids, const mx::array& w, const mx::array& scales,
                              const mx::array& biases, int group_size, int bits) {
  return mx::detail::take_dequantized(w, scales, biases, ids, group_size, bits);
}

mx::array plain::quantized_embedding(const mx::array& ids, const mx::array& w, const mx::array& scales,
                                     const mx::array& biases, int group_size, int bits) {
  return mx::dequantize(mx::take(w, ids, 0), mx::take(scales, ids, 0), mx::take(biases, ids, 0), group_size, bits);
}

}  // namespace hearth::ops
