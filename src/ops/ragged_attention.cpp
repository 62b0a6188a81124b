// One primitive does a layer's whole step: it writes the new keys and values of every sequence into the caches, which
// it was given for good and so may change in place, and runs the attention kernel over all of them in one parallel
// region. A run that is too long for its ring is written and attended in rounds: as many tokens as the ring has room
// for beside the window, then the next. The kernel's order of summation depends on positions only, so rounds do not
// show.
#include "ops/ragged_attention.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "base/thread_pool.h"
#include "core/cpu/attention.h"
#include "core/cpu/kernels.h"
#include "core/primitive.h"
#include "ops/kernel_type.h"

namespace hearth::ops {
namespace {

constexpr int kRunFields = 5;
// Fewer tokens than this are copied sooner by one thread than it takes to wake the others.
constexpr int kTokensWorthForking = 16;

std::vector<Run> unpack_runs(const mx::array& packed) {
  std::vector<Run> runs(static_cast<size_t>(packed.shape(0)));
  const int32_t* fields = packed.data<int32_t>();
  for (Run& run : runs) {
    run = {.row = fields[0], .tokens = fields[1], .position = fields[2], .keep = fields[3], .window = fields[4]};
    fields += kRunFields;
  }
  return runs;
}

// Tokens that can be written before the first of them has attended. All of them while the table is not a ring.
int tokens_per_round(const Run& run, int rows) {
  if (run.position + run.tokens <= rows) return run.tokens;
  return run.window == 0 ? 0 : rows - run.keep - run.window + 1;
}

void check_runs(const std::vector<Run>& runs, int tokens, std::span<const mx::array> caches) {
  for (size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    const bool sane = run.row >= 0 && run.tokens >= 1 && run.row <= tokens - run.tokens && run.position >= 0 &&
                      run.position <= (1 << 30) && run.keep >= 0 && run.window >= 0;
    require(sane, "ragged_attention", "a run does not fit the step's tokens");
    require(tokens_per_round(run, caches[2 * i].shape(1)) > 0, "ragged_attention",
            "a cache has no room for the window and the tokens of its run");
  }
}

int row_of(const Run& run, int position, int rows) {
  return position < run.keep ? position : run.keep + (position - run.keep) % (rows - run.keep);
}

// Copies rows [row, row + tokens) of x [T, Hkv, D] into a cache [Hkv, C, D], where the run's positions have their
// place.
void write_rows(const mx::array& x, const Run& run, mx::array& cache) {
  const int heads = cache.shape(0), rows = cache.shape(1);
  const size_t bytes = static_cast<size_t>(cache.shape(2)) * cache.itemsize();
  const char* from = x.data<char>() + static_cast<size_t>(run.row * heads) * bytes;
  char* to = cache.data<char>();
  for (int t = 0; t < run.tokens; ++t) {
    const auto slot = static_cast<size_t>(row_of(run, run.position + t, rows));
    for (int h = 0; h < heads; ++h, from += bytes) {
      std::memcpy(to + (static_cast<size_t>(h) * static_cast<size_t>(rows) + slot) * bytes, from, bytes);
    }
  }
}

class RaggedAttention final : public mx::Primitive {
 public:
  RaggedAttention(mx::Stream stream, const AttentionOptions& options, bool has_sinks)
      : Primitive(stream), options_(options), has_sinks_(has_sinks) {}
  const char* name() const override { return "RaggedAttention"; }
  bool is_equivalent(const Primitive& other) const override {
    const auto* same = dynamic_cast<const RaggedAttention*>(&other);
    return same && same->options_ == options_ && same->has_sinks_ == has_sinks_;
  }
  std::vector<mx::Shape> output_shapes(mx::Arrays inputs) const override {
    std::vector<mx::Shape> shapes{inputs[0].shape()};
    for (const mx::array& cache : caches(inputs)) shapes.push_back(cache.shape());
    return shapes;
  }

  // inputs: q, k, v, runs, [sinks,] K0, V0, K1, V1, ...
  void eval_cpu(mx::Arrays inputs, mx::MutableArrays outputs) override {
    const mx::MutableArrays caches_out = outputs.subspan(1);
    std::vector<Run> left = unpack_runs(mx::row_contiguous(inputs[3]));
    check_runs(left, inputs[0].shape(0), caches(inputs));
    take_over(caches(inputs), caches_out);
    mx::allocate(outputs[0]);
    const mx::array q = mx::row_contiguous(inputs[0]);
    const mx::array k = mx::row_contiguous(inputs[1]), v = mx::row_contiguous(inputs[2]);
    for (;;) {
      const std::vector<Run> round = next_round(left, caches_out);
      const auto any = std::any_of(round.begin(), round.end(), [](const Run& run) { return run.tokens > 0; });
      if (!any) return;
      write(round, k, v, caches_out);
      attend(round, q, inputs, caches_out, outputs[0]);
    }
  }

 private:
  mx::Arrays caches(mx::Arrays inputs) const { return inputs.subspan(has_sinks_ ? 5 : 4); }

  // The caches become the outputs: the same memory if nobody else holds it, else a copy.
  static void take_over(mx::Arrays from, mx::MutableArrays to) {
    for (size_t i = 0; i < from.size(); ++i) {
      if (mx::allocate_or_donate(to[i], from[i])) continue;
      const mx::array source = mx::row_contiguous(from[i]);
      std::memcpy(to[i].data<char>(), source.data<char>(), source.nbytes());
    }
  }

  // Splits off what each run can do at once. A finished run stays in place, with no tokens.
  static std::vector<Run> next_round(std::vector<Run>& left, mx::MutableArrays caches) {
    std::vector<Run> round = left;
    for (size_t i = 0; i < round.size(); ++i) {
      const int tokens = std::min(left[i].tokens, tokens_per_round(left[i], caches[2 * i].shape(1)));
      round[i].tokens = tokens;
      left[i].row += tokens;
      left[i].position += tokens;
      left[i].tokens -= tokens;
    }
    return round;
  }

  static void write(const std::vector<Run>& runs, const mx::array& k, const mx::array& v, mx::MutableArrays caches) {
    int tokens = 0;
    for (const Run& run : runs) tokens += run.tokens;
    const size_t grain = tokens < kTokensWorthForking ? 2 * runs.size() : 1;
    parallel_for(2 * runs.size(), grain, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) write_rows(i % 2 == 0 ? k : v, runs[i / 2], caches[i]);
    });
  }

  // One call of the kernel for each window among the runs: one, but for sequences with caches of different kinds.
  void attend(const std::vector<Run>& runs, const mx::array& q, mx::Arrays inputs, mx::MutableArrays caches,
              mx::array& out) const {
    std::map<int, std::vector<cpu::AttentionRun>> by_window;
    for (size_t i = 0; i < runs.size(); ++i) {
      if (runs[i].tokens == 0) continue;
      by_window[runs[i].window].push_back(kernel_run(runs[i], q, caches[2 * i], caches[2 * i + 1], out));
    }
    for (const auto& [window, kernel_runs] : by_window) {
      cpu::kernels().attention({.type = kernel_type(q.dtype()),
                                .heads = q.shape(1),
                                .kv_heads = inputs[1].shape(1),
                                .head_size = q.shape(2),
                                .value_size = out.shape(2),
                                .scale = options_.scale,
                                .softcap = options_.softcap,
                                .window = window,
                                .sinks = has_sinks_ ? inputs[4].data<float>() : nullptr,
                                .runs = kernel_runs.data(),
                                .run_count = static_cast<int>(kernel_runs.size())});
    }
  }

  static cpu::AttentionRun kernel_run(const Run& run, const mx::array& q, const mx::array& k, const mx::array& v,
                                      mx::array& out) {
    const int64_t heads = q.shape(1), size = q.shape(2), rows = k.shape(1), value_size = v.shape(2);
    const bool is_ring = run.position + run.tokens > rows;
    return {.q = q.data<char>() + static_cast<size_t>(run.row * heads * size) * q.itemsize(),
            .out = out.data<char>() + static_cast<size_t>(run.row * heads * value_size) * out.itemsize(),
            .q_token_stride = heads * size,
            .q_head_stride = size,
            .out_token_stride = heads * value_size,
            .out_head_stride = value_size,
            .k = k.data<char>(),
            .v = v.data<char>(),
            .k_head_stride = rows * size,
            .k_slot_stride = size,
            .v_head_stride = rows * value_size,
            .v_slot_stride = value_size,
            .tokens = run.tokens,
            .first_position = run.position,
            .keys = run.position + run.tokens,
            .ring = is_ring ? static_cast<int>(rows) : 0,
            .keep = run.keep};
  }

  AttentionOptions options_;
  bool has_sinks_;
};

void check(const mx::array& q, const mx::array& k, const mx::array& v, const std::vector<mx::array>& caches,
           const mx::array& runs, const std::optional<mx::array>& sinks) {
  constexpr const char* kName = "ragged_attention";
  require(q.ndim() == 3 && k.ndim() == 3 && v.ndim() == 3, kName, "q, k and v must be [T, H, D]");
  require(k.shape(0) == q.shape(0) && v.shape(0) == q.shape(0), kName, "q, k and v must have the same tokens");
  require(k.shape(1) == v.shape(1) && k.shape(1) > 0 && q.shape(1) % k.shape(1) == 0, kName,
          "k and v must have the same heads, a divisor of q's");
  require(k.shape(2) == q.shape(2), kName, "q and k must have the same head size");
  require(q.shape(2) % 8 == 0 && q.shape(2) <= cpu::kAttentionMaxHeadSize && v.shape(2) % 8 == 0 &&
              v.shape(2) <= cpu::kAttentionMaxHeadSize,
          kName, "head sizes must be multiples of 8, at most 256");
  require(is_short_float(q.dtype()) && k.dtype() == q.dtype() && v.dtype() == q.dtype(), kName,
          "q, k and v must have one type: float16, bfloat16 or float32");
  require(runs.ndim() == 2 && runs.shape(1) == kRunFields && runs.dtype() == mx::int32, kName,
          "runs must come from pack_runs");
  require(caches.size() == 2 * static_cast<size_t>(runs.shape(0)), kName, "each run needs two cache arrays");
  for (size_t i = 0; i < caches.size(); ++i) {
    const mx::array &cache = caches[i], &like = i % 2 == 0 ? k : v;
    require(cache.ndim() == 3 && cache.shape(0) == like.shape(1) && cache.shape(2) == like.shape(2) &&
                cache.shape(1) == caches[i & ~size_t{1}].shape(1) && cache.dtype() == like.dtype(),
            kName, "a cache must be [Hkv, C, D] of the type of k and v");
  }
  if (sinks) require(sinks->shape() == mx::Shape{q.shape(1)}, kName, "sinks must be [H]");
}

}  // namespace

mx::array pack_runs(std::span<const Run> runs) {
  std::vector<int32_t> fields;
  fields.reserve(runs.size() * kRunFields);
  for (const Run& run : runs) {
    for (const int field : {run.row, run.tokens, run.position, run.keep, run.window}) fields.push_back(field);
  }
  return mx::array(fields.begin(), {static_cast<int>(runs.size()), kRunFields}, mx::int32);
}

std::vector<mx::array> ragged_attention(const mx::array& q, const mx::array& k, const mx::array& v,
                                        std::vector<mx::array> caches, const mx::array& runs,
                                        const AttentionOptions& options, const std::optional<mx::array>& sinks) {
  check(q, k, v, caches, runs, sinks);
  std::vector<mx::Shape> shapes{{q.shape(0), q.shape(1), v.shape(2)}};
  for (const mx::array& cache : caches) shapes.push_back(cache.shape());
  std::vector<mx::array> inputs{q, k, v, runs};
  if (sinks) inputs.push_back(mx::contiguous(mx::astype(*sinks, mx::float32)));
  std::move(caches.begin(), caches.end(), std::back_inserter(inputs));
  return mx::array::make_arrays(shapes, std::vector<mx::Dtype>(shapes.size(), q.dtype()),
                                std::make_shared<RaggedAttention>(mx::to_stream({}), options, sinks.has_value()),
                                inputs);
}

}  // namespace hearth::ops
