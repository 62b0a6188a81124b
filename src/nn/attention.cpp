#include "nn/attention.h"

#include <cmath>

namespace hearth::nn {

mx::array Attention::operator()(const mx::array& x, const Rope& rope, const Rope::Step& step, cache::RaggedBatch& batch,
                                int layer) const {
  const int tokens = x.shape(0);
  mx::array q = mx::reshape(q_proj(x), {tokens, heads, head_dim});
  mx::array k = mx::reshape(k_proj(x), {tokens, kv_heads, head_dim});
  const mx::array v = mx::reshape(v_proj(x), {tokens, kv_heads, head_dim});
  if (q_norm) q = (*q_norm)(q);
  if (k_norm) k = (*k_norm)(k);
  const cache::AttendOptions options{.scale = 1.0f / std::sqrt(static_cast<float>(head_dim)), .window = window};
  const mx::Dtype type = mx::result_type(q, k, v);  // files may mix float types; attention takes one
  const auto as = [type](const mx::array& a) { return mx::astype(a, type); };
  const mx::array out = batch.attend(layer, as(rope(q, step)), as(rope(k, step)), as(v), options);
  return o_proj(mx::reshape(out, {tokens, heads * head_dim}));
}

}  // namespace hearth::nn
