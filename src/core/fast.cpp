// Each operation hands its arrays' memory and strides to one kernel. Types and head sizes that the kernels do not know
// (float64, odd sizes, an arbitrary mask) take the definition in plain operations instead.
#include "core/fast.h"

#include <cmath>
#include <memory>

#include "core/copy.h"
#include "core/cpu/attention.h"
#include "core/cpu/kernels.h"
#include "core/cpu/norm.h"
#include "core/cpu/rope.h"
#include "core/ops/arguments.h"
#include "core/ops/create.h"
#include "core/ops/index.h"
#include "core/ops/matmul.h"
#include "core/ops/operators.h"
#include "core/ops/reduce.h"
#include "core/strided.h"

namespace hearth::core::fast {

namespace {

bool has_kernel(Dtype t) { return t == float32 || t == float16 || t == bfloat16; }

// An array as rows of its last axis that lie a fixed distance apart, copied if they do not.
struct Rows {
  array owner;
  int64_t count, columns, stride;
};
Rows rows_of(const array& x) {
  const int64_t columns = x.shape(-1), count = columns ? static_cast<int64_t>(x.size()) / columns : 0;
  if (!x.flags().row_contiguous && (columns == 1 || x.strides(-1) == 1)) {
    const Shape lead(x.shape().begin(), x.shape().end() - 1);
    const auto walk = merge_axes<1>(lead, {Strides(x.strides().begin(), x.strides().end() - 1)});
    if (walk.shape.size() == 1) return {x, count, columns, walk.strides[0][0]};
  }
  return {row_contiguous(x), count, columns, columns};
}

const void* memory(const array& a) { return a.data<void>(); }

// Inputs: x and, if there is one, the weight.
class RmsNorm final : public ComparablePrimitive<RmsNorm> {
 public:
  RmsNorm(Stream s, float eps) : ComparablePrimitive(s), eps_(eps) {}
  auto state() const { return std::tie(eps_); }
  const char* name() const override { return "RMSNorm"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    allocate_or_donate(out, inputs[0]);
    const Rows x = rows_of(inputs[0]);
    const array weight = inputs.size() > 1 ? row_contiguous(inputs[1]) : x.owner;
    cpu::RmsNormArgs args;
    args.type = kernel_type(out);
    args.x = memory(x.owner);
    args.weight = inputs.size() > 1 ? memory(weight) : nullptr;
    args.out = out.data<void>();
    args.rows = x.count;
    args.columns = x.columns;
    args.x_stride = x.stride;
    args.out_stride = x.columns;
    args.eps = eps_;
    cpu::kernels().rms_norm(args);
  }

 private:
  float eps_;
};

// Inputs: x, then weight and bias as far as there are any.
class LayerNorm final : public ComparablePrimitive<LayerNorm> {
 public:
  LayerNorm(Stream s, bool has_weight, bool has_bias, float eps)
      : ComparablePrimitive(s), has_weight_(has_weight), has_bias_(has_bias), eps_(eps) {}
  auto state() const { return std::tie(has_weight_, has_bias_, eps_); }
  const char* name() const override { return "LayerNorm"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    allocate_or_donate(out, inputs[0]);
    const Rows x = rows_of(inputs[0]);
    const array weight = has_weight_ ? row_contiguous(inputs[1]) : x.owner;
    const array bias = has_bias_ ? row_contiguous(inputs.back()) : x.owner;
    cpu::kernels().layer_norm({.type = kernel_type(out),
                               .x = memory(x.owner),
                               .weight = has_weight_ ? memory(weight) : nullptr,
                               .bias = has_bias_ ? memory(bias) : nullptr,
                               .out = out.data<void>(),
                               .rows = x.count,
                               .columns = x.columns,
                               .x_stride = x.stride,
                               .out_stride = x.columns,
                               .eps = eps_});
  }

 private:
  bool has_weight_, has_bias_;
  float eps_;
};

// Inputs: x [B, H, T, D], offset (int32: a scalar or [B]), freqs [dims / 2] float32.
class Rope final : public ComparablePrimitive<Rope> {
 public:
  Rope(Stream s, int dims, bool traditional, float scale)
      : ComparablePrimitive(s), dims_(dims), traditional_(traditional), scale_(scale) {}
  auto state() const { return std::tie(dims_, traditional_, scale_); }
  const char* name() const override { return "RoPE"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    allocate_or_donate(out, inputs[0]);
    const array x = contiguous_rows(inputs[0]), offsets = row_contiguous(inputs[1]), freqs = row_contiguous(inputs[2]);
    if (x.size() == 0) return;
    const int64_t item = static_cast<int64_t>(x.itemsize());
    for (int64_t b = 0; b < x.shape(0); ++b) {
      cpu::RopeArgs args;
      args.type = kernel_type(x);
      args.x = x.data<std::byte>() + b * x.strides(0) * item;
      args.out = out.data<std::byte>() + b * out.strides(0) * item;
      args.x_token_stride = x.strides(2);
      args.x_head_stride = x.strides(1);
      args.out_token_stride = out.strides(2);
      args.out_head_stride = out.strides(1);
      args.tokens = x.shape(2);
      args.heads = x.shape(1);
      args.head_size = x.shape(3);
      args.rotated = dims_;
      args.offset = offsets.data<int32_t>()[offsets.size() == 1 ? 0 : b];
      args.freqs = freqs.data<float>();
      args.traditional = traditional_;
      args.position_scale = scale_;
      cpu::kernels().rope(args);
    }
  }

 private:
  int dims_;
  bool traditional_;
  float scale_;
};

// Inputs: queries, keys, values and, if there are any, sinks (float32).
class Attention final : public ComparablePrimitive<Attention> {
 public:
  Attention(Stream s, float scale, bool causal) : ComparablePrimitive(s), scale_(scale), causal_(causal) {}
  auto state() const { return std::tie(scale_, causal_); }
  const char* name() const override { return "ScaledDotProductAttention"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override {
    Shape shape = inputs[0].shape();
    shape.back() = inputs[2].shape(-1);
    return {shape};
  }

  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    array& out = outputs[0];
    allocate(out);
    if (out.size() == 0) return;
    const array q = contiguous_rows(inputs[0]), k = contiguous_rows(inputs[1]), v = contiguous_rows(inputs[2]);
    std::vector<cpu::AttentionRun> runs;
    const int64_t item = static_cast<int64_t>(q.itemsize());
    const int tokens = q.shape(2), keys = k.shape(2);
    for (int64_t b = 0; b < q.shape(0); ++b) {
      runs.push_back({.q = q.data<std::byte>() + b * q.strides(0) * item,
                      .out = out.data<std::byte>() + b * out.strides(0) * item,
                      .q_token_stride = q.strides(2),
                      .q_head_stride = q.strides(1),
                      .out_token_stride = out.strides(2),
                      .out_head_stride = out.strides(1),
                      .k = k.data<std::byte>() + b * k.strides(0) * item,
                      .v = v.data<std::byte>() + b * v.strides(0) * item,
                      .k_head_stride = k.strides(1),
                      .k_slot_stride = k.strides(2),
                      .v_head_stride = v.strides(1),
                      .v_slot_stride = v.strides(2),
                      .tokens = tokens,
                      .first_position = keys - tokens,
                      .keys = keys});
    }
    const array sinks = inputs.size() > 3 ? row_contiguous(inputs[3]) : q;
    cpu::AttentionArgs args;
    args.type = kernel_type(q);
    args.heads = q.shape(1);
    args.kv_heads = k.shape(1);
    args.head_size = q.shape(3);
    args.value_size = v.shape(3);
    args.scale = scale_;
    args.causal = causal_;
    args.sinks = inputs.size() > 3 ? sinks.data<float>() : nullptr;
    args.runs = runs.data();
    args.run_count = static_cast<int>(runs.size());
    cpu::kernels().attention(args);
  }

 private:
  float scale_;
  bool causal_;
};

void require_vector(const std::optional<array>& v, const array& x, const char* op, const char* what) {
  if (!v) return;
  if (v->ndim() != 1) invalid("[", op, "] ", what, " must have 1 dimension but has ", v->ndim(), " dimensions.");
  if (v->shape(0) != x.shape(-1)) {
    invalid("[", op, "] ", what, " must have the same size as the last dimension of x but has ", v->shape(0),
            " elements and x has shape ", x.shape(), ".");
  }
}

Dtype norm_type(const array& x, const std::optional<array>& weight, const std::optional<array>& bias, const char* op) {
  if (x.ndim() == 0) invalid("[", op, "] Input must have at least 1 dimension but got input with 0 dimensions.");
  Dtype t = x.dtype();
  if (weight) t = promote_types(t, weight->dtype());
  if (bias) t = promote_types(t, bias->dtype());
  if (!is_floating(t)) invalid("[", op, "] Received unsupported type ", t, ".");
  require_vector(weight, x, op, "weight");
  require_vector(bias, x, op, "bias");
  return t;
}

array default_freqs(float base, int dims, const StreamOrDevice& s) {
  const array exponents = arange(0, dims / 2, s) * array(2.0f / static_cast<float>(dims));
  return exp(exponents * array(std::log(base)), s);
}

// The definition, by halves or by neighbours, for types without a kernel.
array plain_rope(const array& x, int dims, bool traditional, float scale, const array& offset, const array& freqs,
                 const StreamOrDevice& s) {
  const array steps = expand_dims(arange(x.shape(2), s), {0, 1, 3}, s);
  const array positions = (reshape(offset, {-1, 1, 1, 1}, s) + steps) * array(scale);  // [B or 1, 1, T, 1]
  const array angle = positions / freqs, c = astype(cos(angle, s), x.dtype(), s),
              n = astype(sin(angle, s), x.dtype(), s);
  const std::vector<array> parts = split(x, Shape{dims}, -1, s);
  const Shape pairs = traditional ? Shape{dims / 2, 2} : Shape{2, dims / 2};
  const int which = traditional ? -1 : -2;
  const array both = unflatten(parts[0], -1, pairs, s);
  const array a = take(both, 0, which, s), b = take(both, 1, which, s);
  const array turned = flatten(stack({a * c - b * n, a * n + b * c}, which, s), -2, -1, s);
  return concatenate({turned, parts[1]}, -1, s);
}

array rope_at(const array& x, int dims, bool traditional, std::optional<float> base, float scale, const array& offset,
              const std::optional<array>& freqs, const StreamOrDevice& s) {
  if (x.ndim() < 3)
    invalid("[rope] Input must have at least 3 dimensions but got input with ", x.ndim(), " dimensions.");
  if (!is_floating(x.dtype())) invalid("[rope] Input must be a floating type but got ", x.dtype(), ".");
  if (base.has_value() == freqs.has_value()) invalid("[rope] Exactly one of base and freqs must have a value.");
  if (dims <= 0 || dims % 2 != 0 || dims > x.shape(-1)) {
    invalid("[rope] dims must be even and at most the last dimension of shape ", x.shape(), ", got ", dims, ".");
  }
  if (freqs && freqs->shape() != Shape{dims / 2}) {
    invalid("[rope] freqs must have shape (", dims / 2, ") but has shape ", freqs->shape(), ".");
  }
  if (offset.ndim() > 1 || (offset.size() != 1 && offset.size() != static_cast<size_t>(x.shape(0)))) {
    invalid("[rope] offset must be a scalar or have one entry for each of ", x.shape(0), " sequences but has shape ",
            offset.shape(), ".");
  }
  if (!is_integer(offset.dtype())) invalid("[rope] offset must be an integer but got ", offset.dtype(), ".");
  if (x.size() == 0) return x;
  const array heads = reshape(x, {x.shape(0), static_cast<int>(x.ndim() == 3 ? 1 : -1), x.shape(-2), x.shape(-1)}, s);
  const array f = freqs ? astype(*freqs, float32, s) : default_freqs(*base, dims, s);
  const array at = astype(offset, int32, s);
  if (!has_kernel(x.dtype())) return reshape(plain_rope(heads, dims, traditional, scale, at, f, s), x.shape(), s);
  const array out(heads.shape(), x.dtype(), std::make_shared<Rope>(to_stream(s), dims, traditional, scale),
                  {heads, at, f});
  return reshape(out, x.shape(), s);
}

// [L, S]: true where query t may see key j.
array causal_mask(int tokens, int keys, const StreamOrDevice& s) { return tri(tokens, keys, keys - tokens, bool_, s); }

// The definition, in float32, with all scores in memory.
array plain_attention(const array& q, const array& k, const array& v, float scale, std::optional<array> mask,
                      const std::optional<array>& sinks, Dtype t, const StreamOrDevice& s) {
  const int groups = q.shape(1) / k.shape(1);
  const Dtype inside = t == float64 ? float64 : float32;
  const array x = unflatten(astype(q, inside, s), 1, {k.shape(1), groups}, s) * array(scale, inside);
  const array keys = swapaxes(expand_dims(astype(k, inside, s), 2, s), -1, -2, s);
  array scores = matmul(x, keys, s);  // [B, Hkv, G, L, S]
  if (mask) {
    array m = broadcast_to(*mask, {q.shape(0), q.shape(1), q.shape(2), k.shape(2)}, s);
    m = unflatten(m, 1, {k.shape(1), groups}, s);
    if (m.dtype() == bool_) {
      // Not -inf: a row that sees nothing gets the values' mean, as in MLX. Beside a score that is seen both weigh 0.
      scores = where(m, scores, array(std::numeric_limits<float>::lowest(), inside), s);
    } else {
      scores = scores + astype(m, inside, s);
    }
  }
  if (sinks) {
    array extra = reshape(astype(*sinks, inside, s), {1, k.shape(1), groups, 1, 1}, s);
    Shape wide = scores.shape();
    wide.back() = 1;
    scores = concatenate({broadcast_to(extra, wide, s), scores}, -1, s);
  }
  array weights = softmax(scores, -1, true, s);
  if (sinks) weights = split(weights, Shape{1}, -1, s)[1];
  const array out = matmul(weights, expand_dims(astype(v, inside, s), 2, s), s);
  return astype(flatten(out, 1, 2, s), t, s);
}

void check_attention(const array& q, const array& k, const array& v, const std::string& mode,
                     const std::optional<array>& mask, const std::optional<array>& sinks) {
  constexpr const char* op = "[scaled_dot_product_attention] ";
  for (const array* x : {&q, &k, &v}) {
    if (x->ndim() != 4) invalid(op, "input with shape ", x->shape(), " expected to be rank 4");
    if (!is_floating(x->dtype())) invalid(op, "Received unsupported type ", x->dtype(), ".");
  }
  if (!mode.empty() && mode != "causal" && mode != "array")
    invalid(op, "Invalid mask_mode ", mode, ". mask_mode must be 'causal', 'array' or ''.");
  if (mode == "causal" && mask) invalid(op, "A mask array does not go with mask_mode 'causal'.");
  if (mode == "array" && !mask) invalid(op, "mask_mode 'array' needs a mask array.");
  if (q.shape(0) != k.shape(0) || k.shape(0) != v.shape(0))
    invalid(op, "mismatching batch dimension for query with shape ", q.shape(), ", key with shape ", k.shape(),
            " and value with shape ", v.shape(), ".");
  if (q.shape(3) != k.shape(3))
    invalid(op, "query, keys expected to have matching last dimension; found query shape ", q.shape(),
            " for keys shape ", k.shape(), ".");
  if (k.shape(1) != v.shape(1) || k.shape(2) != v.shape(2))
    invalid(op, "keys, values expected to have matching heads and lengths; found keys with shape ", k.shape(),
            " and values with shape ", v.shape(), ".");
  if (k.shape(1) == 0 || q.shape(1) % k.shape(1) != 0)
    invalid(op, "n_heads must be a multiple of n_kv_heads, found n_heads ", q.shape(1), " for n_kv_heads ", k.shape(1),
            ".");
  if (sinks && sinks->shape() != Shape{q.shape(1)})
    invalid(op, "Received invalid shape for sinks ", sinks->shape(), ".");
  if (mask) {
    const Shape full{q.shape(0), q.shape(1), q.shape(2), k.shape(2)};
    if (mask->ndim() > 4 || broadcast_shapes(mask->shape(), full, "scaled_dot_product_attention") != full) {
      invalid(op, "Mask with shape ", mask->shape(), " does not broadcast to shape ", full, ".");
    }
  }
}

}  // namespace

array rms_norm(const array& x, const std::optional<array>& weight, float eps, StreamOrDevice s) {
  const Dtype t = norm_type(x, weight, std::nullopt, "rms_norm");
  const array in = astype(x, t, s);
  if (!has_kernel(t)) {
    const array out = in * rsqrt(mean(square(in, s), -1, true, s) + array(eps, t), s);
    return weight ? out * *weight : out;
  }
  Inputs inputs{in};
  if (weight) inputs.push_back(astype(*weight, t, s));
  return array(x.shape(), t, std::make_shared<RmsNorm>(to_stream(s), eps), std::move(inputs));
}

array layer_norm(const array& x, const std::optional<array>& weight, const std::optional<array>& bias, float eps,
                 StreamOrDevice s) {
  const Dtype t = norm_type(x, weight, bias, "layer_norm");
  const array in = astype(x, t, s);
  if (!has_kernel(t)) {
    array out = (in - mean(in, -1, true, s)) * rsqrt(var(in, -1, true, 0, s) + array(eps, t), s);
    if (weight) out = out * *weight;
    return bias ? out + *bias : out;
  }
  Inputs inputs{in};
  if (weight) inputs.push_back(astype(*weight, t, s));
  if (bias) inputs.push_back(astype(*bias, t, s));
  return array(x.shape(), t, std::make_shared<LayerNorm>(to_stream(s), weight.has_value(), bias.has_value(), eps),
               std::move(inputs));
}

array rope(const array& x, int dims, bool traditional, std::optional<float> base, float scale, int offset,
           const std::optional<array>& freqs, StreamOrDevice s) {
  return rope_at(x, dims, traditional, base, scale, array(offset), freqs, s);
}
array rope(const array& x, int dims, bool traditional, std::optional<float> base, float scale, const array& offset,
           const std::optional<array>& freqs, StreamOrDevice s) {
  return rope_at(x, dims, traditional, base, scale, offset, freqs, s);
}

array scaled_dot_product_attention(const array& queries, const array& keys, const array& values, float scale,
                                   const std::string& mask_mode, std::optional<array> mask_arr,
                                   const std::optional<array>& sinks, bool, StreamOrDevice s) {
  check_attention(queries, keys, values, mask_mode, mask_arr, sinks);
  const Dtype t = result_type(queries, keys, values);
  const int tokens = queries.shape(2), length = keys.shape(2);
  const bool causal = mask_mode == "causal";
  const auto fits = [](int size) { return size % 8 == 0 && size > 0 && size <= cpu::kAttentionMaxHeadSize; };
  if (mask_arr || !has_kernel(t) || !fits(queries.shape(3)) || !fits(values.shape(3)) || length < tokens) {
    if (causal) mask_arr = causal_mask(tokens, length, s);
    return plain_attention(queries, keys, values, scale, std::move(mask_arr), sinks, t, s);
  }
  Inputs inputs{astype(queries, t, s), astype(keys, t, s), astype(values, t, s)};
  if (sinks) inputs.push_back(astype(*sinks, float32, s));
  Shape shape = queries.shape();
  shape.back() = values.shape(3);
  return array(std::move(shape), t, std::make_shared<Attention>(to_stream(s), scale, causal), std::move(inputs));
}

}  // namespace hearth::core::fast
