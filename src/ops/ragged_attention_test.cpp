#include "ops/ragged_attention.h"

#include <gtest/gtest.h>

#include "ops/testing.h"

namespace hearth::ops {
namespace {

using mx::array;
using testing::random_array;
using testing::relative_difference;
using testing::same_bits;

constexpr int kHeads = 6, kKVHeads = 2, kSize = 16;
const AttentionOptions kOptions{.scale = 0.25f};

// The inputs of a step: T tokens, and for each run a cache whose rows before its position hold numbers.
struct Step {
  Step(std::vector<Run> step_runs, const std::vector<int>& rows, mx::Dtype type = mx::float32)
      : runs(std::move(step_runs)), q(array(0)), k(array(0)), v(array(0)) {
    int tokens = 0;
    for (Run& run : runs) run.row = std::exchange(tokens, tokens + run.tokens);
    q = random_array({tokens, kHeads, kSize}, 1, type);
    k = random_array({tokens, kKVHeads, kSize}, 2, type);
    v = random_array({tokens, kKVHeads, kSize}, 3, type);
    for (size_t i = 0; i < 2 * rows.size(); ++i) {
      caches.push_back(random_array({kKVHeads, rows[i / 2], kSize}, static_cast<uint32_t>(10 + i), type));
    }
  }
  std::vector<array> run(const AttentionOptions& options = kOptions, std::optional<array> sinks = {}) const {
    return ragged_attention(q, k, v, caches, pack_runs(runs), options, sinks);
  }
  std::vector<array> run_plain(const AttentionOptions& options = kOptions, std::optional<array> sinks = {}) const {
    return plain::ragged_attention(q, k, v, caches, pack_runs(runs), options, sinks);
  }

  std::vector<Run> runs;
  array q, k, v;
  std::vector<array> caches;
};

void expect_equal(const std::vector<array>& actual, const std::vector<array>& expected, float tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  EXPECT_LE(relative_difference(actual[0], expected[0]), tolerance);
  for (size_t i = 1; i < actual.size(); ++i) EXPECT_TRUE(same_bits(actual[i], expected[i])) << "cache " << i;
}

TEST(RaggedAttention, EqualsThePlainVersionForRunsOfAllKinds) {
  testing::for_each_way_to_run([] {
    for (const auto& [type, tolerance] : {std::pair{mx::float32, 3e-6f}, {mx::float16, 1e-3f}, {mx::bfloat16, 8e-3f}}) {
      // A prompt, a decode step, a chunk in the middle, a window, a window behind kept rows, a ring that has wrapped.
      const Step step({{.tokens = 7},
                       {.tokens = 1, .position = 200},
                       {.tokens = 5, .position = 30},
                       {.tokens = 3, .position = 40, .window = 9},
                       {.tokens = 3, .position = 40, .keep = 2, .window = 9},
                       {.tokens = 3, .position = 500, .keep = 2, .window = 9}},
                      {7, 256, 40, 64, 64, 20}, type);
      expect_equal(step.run(), step.run_plain(), tolerance);
    }
  });
}

TEST(RaggedAttention, AppliesSoftcapAndSinks) {
  const Step step({{.tokens = 4, .position = 9}}, {16});
  const AttentionOptions capped{.scale = 0.5f, .softcap = 2.0f};
  const array sinks = random_array({kHeads}, 9);
  expect_equal(step.run(capped, sinks), step.run_plain(capped, sinks), 3e-6f);
}

TEST(RaggedAttention, TakesALongRunThroughARingInPieces) {
  // 100 tokens, of which a ring of 20 rows behind 2 takes 12 at a time beside a window of 9.
  const Step ring({{.tokens = 100, .keep = 2, .window = 9}}, {22});
  const Step table({{.tokens = 100, .keep = 2, .window = 9}}, {100});
  EXPECT_TRUE(same_bits(ring.run()[0], table.run()[0]));
  EXPECT_LE(relative_difference(table.run()[0], table.run_plain()[0]), 3e-6f);
}

TEST(RaggedAttention, GivesASequenceTheSameBitsInAnyBatch) {
  testing::for_each_way_to_run([] {
    const Step step({{.tokens = 33}, {.tokens = 1, .position = 150}, {.tokens = 2, .position = 300, .window = 40}},
                    {64, 200, 320});
    const std::vector<array> together = step.run();
    for (size_t i = 0; i < step.runs.size(); ++i) {
      const auto [row, tokens, position, keep, window] = step.runs[i];
      const auto rows = [row = row, tokens = tokens](const array& x) {
        return mx::slice(x, {row, 0, 0}, {row + tokens, x.shape(1), x.shape(2)});
      };
      const std::vector<ops::Run> alone{{0, tokens, position, keep, window}};
      const auto result = ragged_attention(rows(step.q), rows(step.k), rows(step.v),
                                           {step.caches[2 * i], step.caches[2 * i + 1]}, pack_runs(alone), kOptions);
      EXPECT_TRUE(same_bits(result[0], rows(together[0]))) << "run " << i;
    }
  });
}

TEST(RaggedAttention, WritesInPlaceWhenTheCacheIsGivenAway) {
  Step step({{.tokens = 1, .position = 9}}, {16});
  const void* before = step.caches[0].data<char>();
  std::vector<array> given = std::move(step.caches);
  std::vector<array> results =
      ragged_attention(step.q, step.k, step.v, std::move(given), pack_runs(step.runs), kOptions);
  mx::eval(results);
  EXPECT_EQ(results[1].data<char>(), before);
}

TEST(RaggedAttention, LeavesACacheAloneThatSomebodyElseHolds) {
  const Step step({{.tokens = 1, .position = 9}}, {16});
  const array before = mx::copy(step.caches[0]);
  mx::eval(before);
  mx::eval(step.run());
  EXPECT_TRUE(same_bits(step.caches[0], before));
}

TEST(RaggedAttention, RefusesRunsThatDoNotFit) {
  const auto fails = [](const ops::Run& run, int rows) {
    const Step step({run}, {rows});
    EXPECT_THROW(mx::eval(step.run()), std::invalid_argument);
  };
  fails({.tokens = 5, .position = 12}, 16);                           // no room, and no window
  fails({.tokens = 5, .position = 12, .keep = 4, .window = 13}, 16);  // a window larger than the ring
  fails({.tokens = 1, .position = -1}, 16);
}

TEST(RaggedAttention, RefusesWrongShapesWhileTheGraphIsBuilt) {
  const Step step({{.tokens = 2}}, {16});
  const array runs = pack_runs(step.runs);
  EXPECT_THROW(ragged_attention(step.k, step.q, step.v, step.caches, runs, kOptions), std::invalid_argument);
  EXPECT_THROW(ragged_attention(step.q, step.k, step.v, {}, runs, kOptions), std::invalid_argument);
  EXPECT_THROW(ragged_attention(step.q, step.k, step.v, step.caches, runs, kOptions, random_array({kHeads + 1}, 1)),
               std::invalid_argument);
}

}  // namespace
}  // namespace hearth::ops
