#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "base/half.h"
#include "base/thread_pool.h"
#include "core/cpu/attention.h"
#include "core/cpu/kernels.h"

namespace hearth::cpu {
namespace {

// Values of one of the three types, kept as bytes; reads back as float.
struct Buffer {
  Dtype type;
  std::vector<uint8_t> bytes;

  Buffer(Dtype type, size_t count) : type(type), bytes(count * size_of(type), 0xff) {}  // all ones: NaN in every type
  void* at(size_t index) { return bytes.data() + index * size_of(type); }
  float get(size_t i) const {
    if (type == Dtype::kFloat32) {
      float value;
      std::memcpy(&value, bytes.data() + i * 4, 4);
      return value;
    }
    uint16_t bits;
    std::memcpy(&bits, bytes.data() + i * 2, 2);
    return type == Dtype::kFloat16 ? float16_to_float(bits) : bfloat16_to_float(bits);
  }
  void set(size_t i, float value) {
    if (type == Dtype::kFloat32) {
      std::memcpy(bytes.data() + i * 4, &value, 4);
    } else {
      const uint16_t bits = type == Dtype::kFloat16 ? float_to_float16(value) : float_to_bfloat16(value);
      std::memcpy(bytes.data() + i * 2, &bits, 2);
    }
  }
};

struct Shape {
  int heads = 2, kv_heads = 1, head_size = 16, value_size = 16, tokens = 1;
  Dtype type = Dtype::kFloat32;
  int window = 0, keep = 0, ring = 0;
  float softcap = 0;
  bool sinks = false, causal = true;
};

// A whole sequence: q, k and v of every position.
struct Sequence {
  Shape shape;
  Buffer q, k, v;
  std::vector<float> sinks;

  Sequence(const Shape& s, unsigned seed)
      : shape(s),
        q(s.type, size_t(s.tokens) * s.heads * s.head_size),
        k(s.type, size_t(s.tokens) * s.kv_heads * s.head_size),
        v(s.type, size_t(s.tokens) * s.kv_heads * s.value_size) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto fill = [&](Buffer& buffer, float size) {
      for (size_t i = 0; i < buffer.bytes.size() / size_of(s.type); i++) buffer.set(i, size * normal(random));
    };
    fill(q, 1.5f), fill(k, 1.5f), fill(v, 1.0f);
    for (int h = 0; h < s.heads; h++) sinks.push_back(normal(random));
  }

  float scale() const { return 1.0f / std::sqrt(float(shape.head_size)); }

  AttentionArgs args() const {
    AttentionArgs a;
    a.type = shape.type;
    a.heads = shape.heads, a.kv_heads = shape.kv_heads;
    a.head_size = shape.head_size, a.value_size = shape.value_size;
    a.scale = scale(), a.softcap = shape.softcap, a.causal = shape.causal, a.window = shape.window;
    a.sinks = shape.sinks ? sinks.data() : nullptr;
    return a;
  }
};

// A cache that is filled chunk by chunk, and the outputs of every chunk.
class Playback {
 public:
  Playback(Sequence& sequence, Isa isa, int slots)
      : s_(sequence),
        isa_(isa),
        slots_(slots),
        k_(s_.shape.type, size_t(s_.shape.kv_heads) * slots * s_.shape.head_size),
        v_(s_.shape.type, size_t(s_.shape.kv_heads) * slots * s_.shape.value_size),
        out(s_.shape.type, size_t(s_.shape.tokens) * s_.shape.heads * s_.shape.value_size + 1) {}

  AttentionRun append(int tokens) {
    const Shape& shape = s_.shape;
    for (int t = done_; t < done_ + tokens; t++) {
      for (int h = 0; h < shape.kv_heads; h++) {
        copy(s_.k, (size_t(t) * shape.kv_heads + h) * shape.head_size, k_, h, t, shape.head_size);
        copy(s_.v, (size_t(t) * shape.kv_heads + h) * shape.value_size, v_, h, t, shape.value_size);
      }
    }
    AttentionRun run;
    run.q = s_.q.at(size_t(done_) * shape.heads * shape.head_size);
    run.q_token_stride = shape.heads * shape.head_size, run.q_head_stride = shape.head_size;
    run.out = out.at(size_t(done_) * shape.heads * shape.value_size);
    run.out_token_stride = shape.heads * shape.value_size, run.out_head_stride = shape.value_size;
    run.k = k_.at(0), run.v = v_.at(0);
    run.k_head_stride = int64_t(slots_) * shape.head_size, run.k_slot_stride = shape.head_size;
    run.v_head_stride = int64_t(slots_) * shape.value_size, run.v_slot_stride = shape.value_size;
    run.tokens = tokens, run.first_position = done_, run.keys = done_ + tokens;
    run.ring = shape.ring ? slots_ : 0, run.keep = shape.keep;
    done_ += tokens;
    return run;
  }

  void attend(int tokens) {
    const AttentionRun run = append(tokens);
    AttentionArgs args = s_.args();
    args.runs = &run, args.run_count = 1;
    kernels_for(isa_).attention(args);
  }

  int done() const { return done_; }

 private:
  void copy(const Buffer& from, size_t index, Buffer& to, int head, int position, int count) {
    const Shape& shape = s_.shape;
    const int slot = shape.ring == 0 || position < shape.keep
                         ? position
                         : shape.keep + (position - shape.keep) % (slots_ - shape.keep);
    std::memcpy(to.at((size_t(head) * slots_ + slot) * count), const_cast<Buffer&>(from).at(index),
                count * size_of(shape.type));
  }

  Sequence& s_;
  Isa isa_;
  int slots_, done_ = 0;
  Buffer k_, v_;

 public:
  Buffer out;
};

bool sees(const Shape& s, int row, int key) {
  if (s.causal && key > row) return false;
  return s.window == 0 || key > row - s.window || key < s.keep;
}

// Plain attention in double; *tolerance gets what rounding of float32 arithmetic and of the output can explain.
std::vector<double> reference(const Sequence& sequence, std::vector<double>* tolerance) {
  const Shape& s = sequence.shape;
  std::vector<double> out(size_t(s.tokens) * s.heads * s.value_size);
  tolerance->resize(out.size());
  const double rounding = s.type == Dtype::kFloat32 ? 0x1p-24 : s.type == Dtype::kFloat16 ? 0x1p-11 : 0x1p-8;
  for (int t = 0; t < s.tokens; t++) {
    for (int h = 0; h < s.heads; h++) {
      const int kv = h / (s.heads / s.kv_heads);
      std::vector<double> scores(s.tokens, -INFINITY);
      double max = s.sinks ? sequence.sinks[h] : -INFINITY, largest = 0;
      for (int j = 0; j < s.tokens; j++) {
        if (!sees(s, t, j)) continue;
        double sum = 0, size = 0;
        for (int d = 0; d < s.head_size; d++) {
          const double term = double(sequence.q.get((size_t(t) * s.heads + h) * s.head_size + d)) *
                              sequence.k.get((size_t(j) * s.kv_heads + kv) * s.head_size + d);
          sum += term, size += std::abs(term);
        }
        sum *= sequence.scale(), largest = std::max(largest, size * sequence.scale());
        scores[j] = s.softcap > 0 ? s.softcap * std::tanh(sum / s.softcap) : sum;
        max = std::max(max, scores[j]);
      }
      double total = s.sinks ? std::exp(sequence.sinks[h] - max) : 0;
      for (double& score : scores) total += score = std::exp(score - max);
      for (int d = 0; d < s.value_size; d++) {
        double sum = 0, size = 0;
        for (int j = 0; j < s.tokens; j++) {
          if (scores[j] == 0) continue;
          const double term = scores[j] / total * sequence.v.get((size_t(j) * s.kv_heads + kv) * s.value_size + d);
          sum += term, size += std::abs(term);
        }
        const size_t i = (size_t(t) * s.heads + h) * s.value_size + d;
        out[i] = sum;
        // Error of a score: D / 4 roundings of partial sums no larger than `largest`; it scales every weight.
        (*tolerance)[i] = size * (2 * (s.head_size / 4 + 8) * largest + s.tokens / 4 + 16) * 0x1p-24 +
                          std::abs(sum) * rounding + 1e-7 * (s.type == Dtype::kFloat16);
      }
    }
  }
  return out;
}

void expect_right(const Shape& shape, Isa isa, unsigned seed = 1) {
  Sequence sequence(shape, seed);
  Playback play(sequence, isa, shape.tokens + 3);
  play.attend(shape.tokens);
  std::vector<double> tolerance;
  const std::vector<double> right = reference(sequence, &tolerance);
  for (size_t i = 0; i < right.size(); i++) {
    ASSERT_NEAR(play.out.get(i), right[i], tolerance[i])
        << "element " << i << ", T " << shape.tokens << ", D " << shape.head_size << ", " << isa_name(isa);
  }
  EXPECT_TRUE(std::isnan(play.out.get(right.size()))) << "wrote past the end";
}

constexpr Dtype kTypes[] = {Dtype::kFloat32, Dtype::kFloat16, Dtype::kBfloat16};

class Attention : public testing::TestWithParam<Isa> {};

TEST_P(Attention, MatchesDoublePrecisionAtEveryLengthAroundTheTileEdges) {
  for (int tokens : {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 65, 95, 97, 127, 128, 129, 160, 257}) {
    expect_right({.heads = 4, .kv_heads = 2, .tokens = tokens}, GetParam());
  }
}

TEST_P(Attention, MatchesDoublePrecisionForEveryHeadSizeAndType) {
  for (Dtype type : kTypes) {
    for (int size : {8, 16, 24, 40, 64, 72, 80, 96, 104, 128, 192, 256}) {
      expect_right({.heads = 3, .kv_heads = 1, .head_size = size, .value_size = size, .tokens = 40, .type = type},
                   GetParam());
    }
    expect_right({.heads = 2, .kv_heads = 2, .head_size = 192, .value_size = 128, .tokens = 20, .type = type},
                 GetParam());
  }
}

TEST_P(Attention, MatchesDoublePrecisionForEveryGrouping) {
  for (int group : {1, 2, 3, 5, 6, 7, 8, 13, 96}) {
    expect_right({.heads = 2 * group, .kv_heads = 2, .tokens = 37}, GetParam());
  }
}

TEST_P(Attention, MatchesDoublePrecisionWithWindowsKeptTokensSinksAndCaps) {
  for (int window : {1, 5, 64, 130}) {
    for (int keep : {0, 4, 20, 140}) {
      expect_right({.tokens = 300, .window = window, .keep = keep, .sinks = keep == 4}, GetParam());
    }
  }
  expect_right({.tokens = 150, .softcap = 2.0f}, GetParam());
  expect_right({.tokens = 150, .sinks = true, .causal = false}, GetParam());
}

TEST_P(Attention, GivesZerosWhereNothingIsSeen) {
  Shape shape{.tokens = 2};
  Sequence sequence(shape, 1);
  Playback play(sequence, GetParam(), 2);
  AttentionRun run = play.append(2);
  run.keys = 0;
  AttentionArgs args = sequence.args();
  args.causal = false, args.runs = &run, args.run_count = 1;
  kernels_for(GetParam()).attention(args);
  for (int i = 0; i < 2 * 2 * 16; i++) EXPECT_EQ(play.out.get(i), 0.0f);
}

// Rows of every length and shape, in chunks that make tiles of other heights; through a ring where there is a window.
void expect_same_bits(const Shape& shape) {
  std::vector<uint8_t> expected;
  for (Isa isa : available_isas()) {
    Sequence sequence(shape, 7);
    Playback play(sequence, isa, shape.ring ? shape.keep + shape.window + 20 : shape.tokens);
    for (int chunk = 1; play.done() < shape.tokens; chunk = chunk % 20 + 3) {
      play.attend(std::min(chunk, shape.tokens - play.done()));
    }
    if (isa == Isa::kScalar) expected = play.out.bytes;
    ASSERT_EQ(expected, play.out.bytes) << isa_name(isa) << ", T " << shape.tokens << ", D " << shape.head_size;
  }
}

TEST(AttentionAcrossIsas, GivesTheSameBits) {
  for (Dtype type : kTypes) {
    for (int size : {8, 16, 24, 40, 64, 72, 128, 256}) {
      expect_same_bits({.heads = 3, .head_size = size, .value_size = size, .tokens = 50, .type = type});
    }
    for (int group : {1, 2, 4, 5, 7, 13}) expect_same_bits({.heads = group, .tokens = 37, .type = type});
    expect_same_bits({.heads = 4, .kv_heads = 2, .head_size = 48, .value_size = 32, .tokens = 300, .type = type});
    for (int window : {1, 5, 64, 130}) {
      for (int keep : {0, 4, 20, 140}) {
        expect_same_bits({.tokens = 200, .type = type, .window = window, .keep = keep, .ring = 1, .sinks = keep == 4});
      }
    }
    expect_same_bits({.tokens = 150, .type = type, .softcap = 2.0f, .sinks = true});
  }
}

// The row law: whatever the chunks, threads and ring, a row's bits stay.
void expect_row_law(const Shape& shape, Isa isa, unsigned seed) {
  Sequence sequence(shape, seed);
  Shape whole_shape = shape;
  whole_shape.ring = 0;
  Sequence whole_sequence(whole_shape, seed);
  Playback whole(whole_sequence, isa, shape.tokens);
  whole.attend(shape.tokens);

  std::mt19937 random(seed);
  const int largest_chunk = std::array{1, 3, 16, 100, 512}[random() % 5];
  const int slots = shape.ring ? shape.keep + shape.window - 1 + largest_chunk + int(random() % 50) : shape.tokens + 5;
  Playback parts(sequence, isa, slots);
  while (parts.done() < shape.tokens) {
    if (random() % 4 == 0) ThreadPool::global().resize(1 + random() % 2);
    parts.attend(std::min<int>(1 + random() % largest_chunk, shape.tokens - parts.done()));
  }
  ASSERT_EQ(whole.out.bytes, parts.out.bytes)
      << "seed " << seed << ", chunks up to " << largest_chunk << ", " << isa_name(isa);
}

class ThreadsRestored {
 public:
  ~ThreadsRestored() { ThreadPool::global().resize(threads_); }

 private:
  int threads_ = ThreadPool::global().size();
};

TEST_P(Attention, KeepsTheRowLawUnderRandomSplits) {
  const ThreadsRestored restored;
  for (unsigned seed = 0; seed < 16; seed++) {
    std::mt19937 random(seed + 1000);
    Shape shape{.heads = 6, .kv_heads = int(random() % 2) + 1, .head_size = 8 * (1 + int(random() % 9))};
    shape.value_size = shape.head_size;
    shape.tokens = 140 + random() % (GetParam() == Isa::kScalar ? 60 : 300);
    shape.type = kTypes[seed % 3];
    shape.sinks = random() % 2;
    if (seed % 2) shape.window = 1 + random() % 200, shape.keep = random() % 3 ? random() % 150 : 0;
    if (seed % 4 == 3) shape.ring = 1;
    expect_row_law(shape, GetParam(), seed);
  }
}

TEST_P(Attention, KeepsTheRowLawWhenATokenHasMoreHeadsThanATileHasRows) {
  const ThreadsRestored restored;
  Sequence sequence({.heads = 128, .kv_heads = 1, .tokens = 200}, 1);
  Playback alone(sequence, GetParam(), 200), shared(sequence, GetParam(), 200);
  ThreadPool::global().resize(1);
  alone.attend(200);
  ThreadPool::global().resize(2);
  shared.attend(197);
  shared.attend(3);  // too few tiles for the threads: they share spans
  EXPECT_EQ(alone.out.bytes, shared.out.bytes);
}

TEST_P(Attention, LetsNothingUnseenIn) {
  Shape shape{.heads = 4, .kv_heads = 2, .head_size = 64, .value_size = 64, .tokens = 140, .type = Dtype::kFloat16};
  Sequence sequence(shape, 5), poisoned(shape, 5);
  Playback clean(sequence, GetParam(), 140), dirty(poisoned, GetParam(), 140);
  clean.attend(140);
  const int first_bad = 77;  // inside a register tile of rows
  for (size_t i = size_t(first_bad) * 2 * 64; i < size_t(140) * 2 * 64; i++) {
    poisoned.k.set(i, i % 2 ? INFINITY : NAN);
    poisoned.v.set(i, i % 3 ? INFINITY : NAN);
  }
  dirty.attend(140);
  for (int i = 0; i < first_bad * 4 * 64; i++) ASSERT_EQ(clean.out.get(i), dirty.out.get(i)) << i;
}

TEST_P(Attention, TreatsRunsBesideEachOtherAsIfAlone) {
  const ThreadsRestored restored;
  ThreadPool::global().resize(2);
  Shape shape{.heads = 6, .kv_heads = 3, .head_size = 64, .value_size = 64, .tokens = 400, .type = Dtype::kBfloat16};
  std::vector<Sequence> sequences;
  for (unsigned i = 0; i < 4; i++) sequences.emplace_back(shape, i);
  std::vector<Playback> together, alone;
  for (Sequence& s : sequences) together.emplace_back(s, GetParam(), 400), alone.emplace_back(s, GetParam(), 400);
  std::vector<AttentionRun> runs;
  for (int i = 0; i < 4; i++) {
    const int past[] = {0, 1, 150, 399}, tokens[] = {300, 40, 3, 1};
    if (past[i] > 0) together[i].append(past[i]), alone[i].append(past[i]);
    runs.push_back(together[i].append(tokens[i]));
    alone[i].attend(tokens[i]);
  }
  AttentionArgs args = sequences[0].args();
  args.runs = runs.data(), args.run_count = 4;
  kernels_for(GetParam()).attention(args);
  for (int i = 0; i < 4; i++) EXPECT_EQ(together[i].out.bytes, alone[i].out.bytes) << i;
}

TEST_P(Attention, ReadsMisalignedMemory) {
  Shape shape{.heads = 2, .kv_heads = 1, .head_size = 24, .value_size = 24, .tokens = 20, .type = Dtype::kFloat16};
  Sequence sequence(shape, 3);
  Playback aligned(sequence, GetParam(), 20), shifted(sequence, GetParam(), 20);
  aligned.attend(20);
  AttentionRun run = shifted.append(20);
  std::vector<uint8_t> k(20 * 24 * 2 + 2), v(k.size()), q(20 * 2 * 24 * 2 + 2), out(q.size());
  std::memcpy(k.data() + 2, run.k, k.size() - 2), std::memcpy(v.data() + 2, run.v, v.size() - 2);
  std::memcpy(q.data() + 2, run.q, q.size() - 2);
  run.k = k.data() + 2, run.v = v.data() + 2, run.q = q.data() + 2, run.out = out.data() + 2;
  AttentionArgs args = sequence.args();
  args.runs = &run, args.run_count = 1;
  kernels_for(GetParam()).attention(args);
  EXPECT_EQ(std::memcmp(out.data() + 2, aligned.out.bytes.data(), out.size() - 2), 0);
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Attention, testing::ValuesIn(available_isas().begin(), available_isas().end()),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

}  // namespace
}  // namespace hearth::cpu
