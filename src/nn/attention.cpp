#include "nn/attention.h"

#include <cmath>

namespace hearth::nn {

mx::array Attention::operator()(const mx::array& x, const Rope& rope, const Rope::Step& step, cache::RaggedBatch& batch,
                                int layer) const {
  const int tokens = x.shape(0);
  const std::vector<mx::array> qkv = Linear::apply_all({&q_proj, &k_proj, &v_proj}, x);
  mx::array q = mx::reshape(qkv[0], {tokens, heads, head_dim});
  mx::array k = mx::reshape(qkv[1], {tokens, kv_heads, head_dim});
  const mx::array v = mx::reshape(qkv[2], {tokens, kv_heads, head_dim});
  if (q_norm) q = (*q_norm)(q);
  if (k_norm) k = (*k_norm)(k);
  const cache::AttendOptions options{.scale = 1.0f / std::sqrt(static_cast<float>(head_dim)), .window = window};
  const mx::Dtype type = mx::result_type(q, k, v);  // files may mix float types; attention takes one
  const int behind = kept_size(head_dim) - head_dim;
  const auto kept = [&](const mx::array& a) {
    const mx::array typed = mx::astype(a, type);
    return behind == 0 ? typed : mx::pad(typed, {{0, 0}, {0, 0}, {0, behind}});
  };
  mx::array out = batch.attend(layer, kept(rope(q, step)), kept(rope(k, step)), kept(v), options);
  if (behind > 0) out = mx::slice(out, {0, 0, 0}, {tokens, heads, head_dim});
  return o_proj(mx::reshape(out, {tokens, heads * head_dim}));
}

}  // namespace hearth::nn
