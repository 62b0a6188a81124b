// The specification of attention: one row at a time, span by span. For each span: scores, their maximum, the
// exponentials, their sum and the weighted sum of values; then the span's state joins what the earlier spans left.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/half.h"
#include "base/thread_pool.h"
#include "core/cpu/attention_inl.h"

namespace hearth::cpu {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

float read(Dtype type, const void* data, int64_t index) {
  if (type == Dtype::kFloat16) return float16_to_float(static_cast<const uint16_t*>(data)[index]);
  if (type == Dtype::kBfloat16) return bfloat16_to_float(static_cast<const uint16_t*>(data)[index]);
  return static_cast<const float*>(data)[index];
}

void write(Dtype type, void* data, int64_t index, float value) {
  if (type == Dtype::kFloat16) {
    static_cast<uint16_t*>(data)[index] = float_to_float16(value);
  } else if (type == Dtype::kBfloat16) {
    static_cast<uint16_t*>(data)[index] = float_to_bfloat16(value);
  } else {
    static_cast<float*>(data)[index] = value;
  }
}

// Softmax in progress: the maximum so far, the sum of exp(score - maximum), the values weighted alike.
struct State {
  float max = kNothing, sum = 0;
  std::vector<float> values;
};

// Spans join in ascending order, each already complete in itself.
void merge(State& state, const State& span) {
  const float max = std::max(state.max, span.max);
  const float old_weight = std::exp(state.max - max), new_weight = std::exp(span.max - max);
  state.sum = state.sum * old_weight + span.sum * new_weight;
  for (size_t d = 0; d < state.values.size(); d++) {
    state.values[d] = state.values[d] * old_weight + span.values[d] * new_weight;
  }
  state.max = max;
}

class Row {
 public:
  Row(const AttentionArgs& args, const AttentionRun& run, int row, int head)
      : args_(args), run_(run), row_(row), head_(head), kv_head_(head / (args.heads / args.kv_heads)) {}

  void attend() {
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
    for (int d = 0; d < args_.value_size; d++) {
      write(args_.type, run_.out, row_ * run_.out_token_stride + head_ * run_.out_head_stride + d,
            state.sum > 0 ? state.values[d] / state.sum : 0.0f);
    }
  }

 private:
  int64_t slot(int64_t position) const {
    int64_t slot;
    contiguous_slots(run_, position, position + 1, &slot);
    return slot;
  }

  float score(int64_t position) const {
    const int64_t q = row_ * run_.q_token_stride + head_ * run_.q_head_stride;
    const int64_t k = kv_head_ * run_.k_head_stride + slot(position) * run_.k_slot_stride;
    float sum = 0;
    for (int d = 0; d < args_.head_size; d++) {
      sum += read(args_.type, run_.q, q + d) * read(args_.type, run_.k, k + d);
    }
    sum *= args_.scale;
    return args_.softcap > 0 ? args_.softcap * std::tanh(sum / args_.softcap) : sum;
  }

  State attend_span(const std::vector<int64_t>& positions) const {
    State span;
    span.values.assign(args_.value_size, 0.0f);
    std::vector<float> scores;
    for (int64_t position : positions) scores.push_back(score(position));
    for (float score : scores) span.max = std::max(span.max, score);
    for (size_t i = 0; i < positions.size(); i++) {
      const float weight = std::exp(scores[i] - span.max);
      span.sum += weight;
      const int64_t v = kv_head_ * run_.v_head_stride + slot(positions[i]) * run_.v_slot_stride;
      for (int d = 0; d < args_.value_size; d++) span.values[d] += weight * read(args_.type, run_.v, v + d);
    }
    return span;
  }

  const AttentionArgs& args_;
  const AttentionRun& run_;
  int row_, head_, kv_head_;
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
