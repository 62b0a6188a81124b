#include "ops/rope.h"

#include <gtest/gtest.h>

#include "ops/testing.h"

namespace hearth::ops {
namespace {

using testing::random_array;
using testing::relative_difference;

const mx::array kPositions({0, 1, 5, 1000, 3}, mx::int32);

mx::array make_freqs(int pairs) {
  std::vector<float> freqs;
  for (int i = 0; i < pairs; ++i)
    freqs.push_back(std::pow(10000.0f, static_cast<float>(i) / static_cast<float>(pairs)));
  return mx::array(freqs.begin(), {pairs}, mx::float32);
}

TEST(Rope, EqualsThePlainVersion) {
  testing::for_each_way_to_run([] {
    for (const auto& [type, tolerance] : {std::pair{mx::float32, 3e-6f}, {mx::float16, 1e-3f}, {mx::bfloat16, 8e-3f}}) {
      for (const bool traditional : {false, true}) {
        for (const int pairs : {4, 8, 12}) {
          const mx::array x = random_array({5, 3, 24}, 1, type), freqs = make_freqs(pairs);
          const mx::array expected = plain::rope(x, kPositions, freqs, traditional, 1.25f);
          EXPECT_LE(relative_difference(rope(x, kPositions, freqs, traditional, 1.25f), expected), tolerance);
        }
      }
    }
  });
}

TEST(Rope, EqualsMlxFastRopeAtConsecutivePositions) {
  const mx::array x = random_array({6, 2, 16}, 1);
  const mx::array positions({7, 8, 9, 10, 11, 12}, mx::int32);
  const mx::array heads_first = mx::expand_dims(mx::swapaxes(x, 0, 1), 0);
  const mx::array fast = mx::fast::rope(heads_first, 16, false, std::nullopt, 1.0f, 7, make_freqs(8));
  const mx::array expected = mx::swapaxes(mx::squeeze(fast, 0), 0, 1);
  EXPECT_LE(relative_difference(rope(x, positions, make_freqs(8), false), expected), 1e-6f);
}

TEST(Rope, TakesFrequenciesForEachToken) {
  const mx::array x = random_array({5, 3, 24}, 1);
  const mx::array shared = make_freqs(12);
  const mx::array each = mx::contiguous(mx::broadcast_to(shared, {5, 12}));
  EXPECT_TRUE(testing::same_bits(rope(x, kPositions, each, false), rope(x, kPositions, shared, false)));
  const mx::array varied = mx::multiply(each, mx::array({1.f, 2.f, 3.f, 4.f, 5.f}, {5, 1}));
  const mx::array expected = plain::rope(x, kPositions, varied, false);
  EXPECT_LE(relative_difference(rope(x, kPositions, varied, false), expected), 3e-6f);
}

TEST(Rope, GivesATokenTheSameBitsInAnyCompany) {
  const mx::array x = random_array({5, 3, 24}, 1), freqs = make_freqs(12);
  const mx::array all = rope(x, kPositions, freqs, false);
  for (int t = 0; t < 5; ++t) {
    const mx::array alone =
        rope(mx::slice(x, {t, 0, 0}, {t + 1, 3, 24}), mx::slice(kPositions, {t}, {t + 1}), freqs, false);
    EXPECT_TRUE(testing::same_bits(alone, mx::slice(all, {t, 0, 0}, {t + 1, 3, 24})));
  }
}

TEST(Rope, RefusesWhatDoesNotFit) {
  const mx::array x = random_array({5, 3, 24}, 1);
  EXPECT_THROW(rope(x, kPositions, make_freqs(13), false), std::invalid_argument);
  EXPECT_THROW(rope(x, mx::array({1, 2}, mx::int32), make_freqs(12), false), std::invalid_argument);
  EXPECT_THROW(rope(mx::astype(x, mx::int32), kPositions, make_freqs(12), false), std::invalid_argument);
}

}  // namespace
}  // namespace hearth::ops
