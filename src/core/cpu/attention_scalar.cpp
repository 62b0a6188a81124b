// The specification of attention: one row at a time, span by span. For each span: scores, their maximum, the
// exponentials, their sum and the weighted sum of values; then the span's state joins what the earlier spans left.
//
// Scores and sums of exponentials run in 16 lanes: element d of a head, or position p, in lane d or p % 16. Products
// are added without being rounded first. Scores join their lanes in pairs two apart, then neighbours, then quarters;
// exponentials in halves.
#include <algorithm>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/attention_inl.h"
#include "core/cpu/vector_scalar.h"

#include "core/cpu/vector_math_inl.h"

namespace hearth::cpu {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

// Elements [index, index + count) of an array of one of the three types.
std::vector<float> read(Dtype type, const void* data, int64_t index, int count) {
  std::vector<float> values(count);
  with_short_float(type, [&](auto zero) {
    const auto* from = static_cast<const decltype(zero)*>(data) + index;
    for (int i = 0; i < count; i++) values[i] = to_float(from[i]);
  });
  return values;
}

float exponential(float x) { return exp(F32x1{x}).v; }

float joined_score(const float (&lane)[16]) {
  float quarter[4];
  for (int i = 0; i < 4; i++) {
    quarter[i] = (lane[4 * i] + lane[4 * i + 2]) + (lane[4 * i + 1] + lane[4 * i + 3]);
  }
  return (quarter[0] + quarter[1]) + (quarter[2] + quarter[3]);
}

float joined_in_halves(float (&lane)[16]) {
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) lane[i] += lane[i + width];
  }
  return lane[0];
}

// Softmax in progress: the maximum so far, the sum of exp(score - maximum), the values weighted alike.
struct State {
  float max = kNothing, sum = 0;
  std::vector<float> values;
};

// Spans join in ascending order, each already complete in itself.
void merge(State& state, const State& span) {
  const float max = std::max(state.max, span.max);
  const float old_weight = exponential(state.max - max), new_weight = exponential(span.max - max);
  state.sum = state.sum * old_weight + span.sum * new_weight;
  for (size_t d = 0; d < state.values.size(); d++) {
    state.values[d] = multiply_add(state.values[d], old_weight, span.values[d] * new_weight);
  }
  state.max = max;
}

class Row {
 public:
  Row(const AttentionArgs& args, const AttentionRun& run, int row, int head)
      : args_(args), run_(run), row_(row), head_(head), kv_head_(head / (args.heads / args.kv_heads)) {}

  void attend() {
    q_ = read(args_.type, run_.q, row_ * run_.q_token_stride + head_ * run_.q_head_stride, args_.head_size);
    State state;
    state.values.assign(args_.value_size, 0.0f);
    if (args_.sinks) {
      state.max = args_.sinks[head_];
      state.sum = 1;
    }
    const SeenKeys seen = seen_keys(args_, run_, row_);
    for (int64_t base = 0; base < seen.window.end; base += kAttentionSpan) {
      std::vector<int64_t> positions;
      for (int64_t p = base; p < base + kAttentionSpan; p++) {
        if (p < seen.kept.end || (p >= seen.window.begin && p < seen.window.end)) positions.push_back(p);
      }
      if (!positions.empty()) merge(state, attend_span(positions));
    }
    with_short_float(args_.type, [&](auto zero) {
      using T = decltype(zero);
      T* out = static_cast<T*>(run_.out) + row_ * run_.out_token_stride + head_ * run_.out_head_stride;
      for (int d = 0; d < args_.value_size; d++) {
        out[d] = from_float<T>(state.sum == 0 ? 0.0f : state.values[d] / state.sum);
      }
    });
  }

 private:
  int64_t slot(int64_t position) const {
    int64_t slot;
    contiguous_slots(run_, position, position + 1, &slot);
    return slot;
  }

  float score(int64_t position) const {
    const std::vector<float> key =
        read(args_.type, run_.k, kv_head_ * run_.k_head_stride + slot(position) * run_.k_slot_stride, args_.head_size);
    float lanes[16] = {};
    for (int d = 0; d < args_.head_size; d++) lanes[d % 16] = multiply_add(q_[d], key[d], lanes[d % 16]);
    const float score = joined_score(lanes) * args_.scale;
    return args_.softcap > 0 ? args_.softcap * tanh(F32x1{score / args_.softcap}).v : score;
  }

  State attend_span(const std::vector<int64_t>& positions) const {
    State span;
    span.values.assign(args_.value_size, 0.0f);
    std::vector<float> scores;
    for (int64_t position : positions) scores.push_back(score(position));
    for (float score : scores) span.max = std::max(span.max, score);
    float sums[16] = {};
    for (size_t i = 0; i < positions.size(); i++) {
      const float weight = exponential(scores[i] - span.max);
      sums[positions[i] % 16] += weight;
      const std::vector<float> value =
          read(args_.type, run_.v, kv_head_ * run_.v_head_stride + slot(positions[i]) * run_.v_slot_stride,
               args_.value_size);
      for (int d = 0; d < args_.value_size; d++) span.values[d] = multiply_add(weight, value[d], span.values[d]);
    }
    span.sum = joined_in_halves(sums);
    return span;
  }

  const AttentionArgs& args_;
  const AttentionRun& run_;
  int row_, head_, kv_head_;
  std::vector<float> q_;
};

}  // namespace

void attention_scalar(const AttentionArgs& args) {
  for (int r = 0; r < args.run_count; r++) {
    const AttentionRun& run = args.runs[r];
    parallel_for(static_cast<size_t>(run.tokens) * args.heads, 1, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) Row(args, run, i / args.heads, i % args.heads).attend();
    });
  }
}

}  // namespace hearth::cpu
