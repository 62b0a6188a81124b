// The contract that every kind of cache keeps, run on each of them through the operation that uses them.
#include <gtest/gtest.h>

#include <climits>
#include <functional>
#include <numeric>

#include "cache/full_cache.h"
#include "cache/ragged_batch.h"
#include "cache/rotating_cache.h"
#include "core/memory.h"
#include "ops/testing.h"

namespace hearth::cache {
namespace {

using mx::array;
using testing::random_array;
using testing::same_bits;

constexpr int kHeads = 4, kKVHeads = 2, kSize = 8;

struct Kind {
  std::string name;
  std::function<std::unique_ptr<KVCache>()> make;
  int keep = 0, window = 0;  // what a token sees: the first `keep` and the latest `window`; 0: all
};

const Kind kKinds[] = {
    {"Full", [] { return std::make_unique<FullCache>(); }},
    {"FullWithRoom", [] { return std::make_unique<FullCache>(1000); }},
    {"RotatingLarge", [] { return std::make_unique<RotatingCache>(5000, 4); }, 4, 4996},
    {"RotatingUnfilled", [] { return std::make_unique<RotatingCache>(INT_MAX, 4); }, 4, INT_MAX - 4},
    {"RotatingSmall", [] { return std::make_unique<RotatingCache>(24); }, 0, 24},
    {"RotatingKeeping", [] { return std::make_unique<RotatingCache>(40, 7); }, 7, 33},
};

class KVCacheContract : public ::testing::TestWithParam<Kind> {
 protected:
  // 700 tokens: enough for every ring to wrap twice.
  static constexpr int kTokens = 700;

  std::unique_ptr<SequenceCache> make_sequence() const {
    std::vector<std::unique_ptr<KVCache>> layers;
    layers.push_back(GetParam().make());
    return std::make_unique<SequenceCache>(std::move(layers));
  }

  // Attention of tokens [first, first + count) of the one sequence all tests use.
  array attend(SequenceCache& sequence, int first, int count) const {
    const auto rows = [&](const array& x) {
      return mx::slice(x, {first, 0, 0}, {first + count, x.shape(1), x.shape(2)});
    };
    RaggedBatch batch;
    batch.add(sequence, count);
    array out = batch.attend(0, rows(q_), rows(k_), rows(v_), {.scale = 0.35f});
    out.eval();
    return out;
  }
  array attend_in_chunks(SequenceCache& sequence, int first, int count, uint32_t seed) const {
    std::mt19937 generator(seed);
    std::vector<array> outs;
    for (int end = first + count; first < end;) {
      const int chunk =
          std::min<int>(end - first, 1 + static_cast<int>(generator() % 60) * static_cast<int>(generator() % 7));
      outs.push_back(attend(sequence, first, chunk));
      first += chunk;
    }
    return mx::concatenate(outs, 0);
  }

  const array q_ = random_array({kTokens, kHeads, kSize}, 1), k_ = random_array({kTokens, kKVHeads, kSize}, 2),
              v_ = random_array({kTokens, kKVHeads, kSize}, 3);
};

INSTANTIATE_TEST_SUITE_P(Kinds, KVCacheContract, ::testing::ValuesIn(kKinds),
                         [](const auto& info) { return info.param.name; });

TEST_P(KVCacheContract, SeesTheTokensItsKindNames) {
  const auto& [name, make, keep, window] = GetParam();
  const array rows = random_array({kKVHeads, kTokens, kSize}, 4);
  const array expected = ops::plain::ragged_attention(
      q_, k_, v_, {rows, rows},
      ops::pack_runs(std::vector<ops::Run>{{.tokens = kTokens, .keep = keep, .window = window}}), {.scale = 0.35f})[0];
  EXPECT_LE(testing::relative_difference(attend(*make_sequence(), 0, kTokens), expected), 3e-6f);
}

TEST_P(KVCacheContract, GivesTheSameBitsHoweverTheTokensCome) {
  testing::for_each_way_to_run([&] {
    const array at_once = attend(*make_sequence(), 0, kTokens);
    EXPECT_TRUE(same_bits(attend_in_chunks(*make_sequence(), 0, kTokens, 1), at_once));
    EXPECT_TRUE(same_bits(attend_in_chunks(*make_sequence(), 0, kTokens, 2), at_once));
  });
}

TEST_P(KVCacheContract, ContinuesAfterTrimAsIfTheTokensHadNeverCome) {
  const array at_once = attend(*make_sequence(), 0, kTokens);
  for (const int offset : {200, 520, 650}) {
    for (const int trimmed : {1, 17, 200}) {
      const auto sequence = make_sequence();
      attend_in_chunks(*sequence, 0, offset, 3);
      ASSERT_TRUE(sequence->can_trim(trimmed));
      sequence->trim(trimmed);
      EXPECT_EQ(sequence->offset(), offset - trimmed);
      const array rest = attend_in_chunks(*sequence, offset - trimmed, kTokens - offset + trimmed, 4);
      EXPECT_TRUE(same_bits(rest, mx::slice(at_once, {offset - trimmed, 0, 0}, at_once.shape()))) << offset << trimmed;
    }
  }
}

TEST_P(KVCacheContract, RefusesToTrimWhatItCannot) {
  const auto sequence = make_sequence();
  attend(*sequence, 0, 10);
  EXPECT_FALSE(sequence->can_trim(11));
  EXPECT_FALSE(sequence->can_trim(-1));
  EXPECT_TRUE(sequence->can_trim(10));
  EXPECT_THROW(sequence->trim(11), std::invalid_argument);
  EXPECT_THROW(sequence->layer(0).trim(11), std::invalid_argument);
}

TEST_P(KVCacheContract, ClonesGoTheirOwnWay) {
  const auto sequence = make_sequence();
  attend(*sequence, 0, 400);
  const auto copy = sequence->clone();
  EXPECT_EQ(copy->offset(), 400);
  EXPECT_EQ(copy->bytes(), sequence->bytes());
  const array expected = attend(*sequence, 400, 300);
  EXPECT_EQ(copy->offset(), 400);
  EXPECT_TRUE(same_bits(attend(*copy, 400, 300), expected));
}

TEST_P(KVCacheContract, CountsItsBytesAndGivesThemBack) {
  const size_t before = mx::get_active_memory();
  {
    const auto sequence = make_sequence();
    EXPECT_EQ(sequence->bytes(), 0u);
    attend_in_chunks(*sequence, 0, kTokens, 5);
    EXPECT_GE(mx::get_active_memory() - before, sequence->bytes());
    const size_t row = 2 * kKVHeads * kSize * sizeof(float);
    const int window = GetParam().window;
    const int needed = window == 0 ? kTokens : std::min(kTokens, GetParam().keep + window);
    EXPECT_GE(sequence->bytes(), static_cast<size_t>(needed) * row);
    if (GetParam().name != "FullWithRoom") {
      EXPECT_LE(sequence->bytes(), static_cast<size_t>(needed + needed / 8 + 256) * row);
    }
  }
  EXPECT_EQ(mx::get_active_memory(), before);
}

TEST(FullCache, GrowsOneTableAtATime) {
  const int tokens = 20'000;
  const auto rows = [](int count) { return mx::zeros({count, 2, 64}, mx::float16); };
  FullCache cache;
  const auto add = [&](int count) {
    KVRows lent = cache.lend(count, rows(count), rows(count));
    mx::eval(lent.keys);
    mx::eval(lent.values);
    cache.give_back(std::move(lent.keys), std::move(lent.values), count);
  };
  add(tokens);
  const size_t before = mx::get_active_memory();
  mx::reset_peak_memory();
  add(cache.bytes() > 0 ? 2000 : 0);
  const size_t growth = mx::get_active_memory() - before;
  EXPECT_LE(mx::get_peak_memory(), before + growth + cache.bytes() / 2);
}

TEST(RotatingCache, RefusesSizesThatKeepNothing) {
  EXPECT_THROW(RotatingCache(4, 4), std::invalid_argument);
  EXPECT_THROW(RotatingCache(4, -1), std::invalid_argument);
  EXPECT_THROW(RotatingCache(0), std::invalid_argument);
}

TEST(RotatingCache, CannotTrimBackToTokensThatAreGone) {
  RotatingCache cache(24);
  const auto add = [&cache](int tokens) {
    const array k = random_array({tokens, 1, 8}, 1);
    KVRows lent = cache.lend(tokens, k, k);
    cache.give_back(std::move(lent.keys), std::move(lent.values), tokens);
  };
  add(300);
  add(300);
  EXPECT_TRUE(cache.can_trim(RotatingCache::kSlack));
  EXPECT_FALSE(cache.can_trim(RotatingCache::kSlack + 2));
  cache.trim(200);
  EXPECT_FALSE(cache.can_trim(100)) << "the rows that the trimmed tokens overwrote are still gone";
  add(10);
  EXPECT_FALSE(cache.can_trim(100)) << "nor do a few new tokens bring them back";
}

}  // namespace
}  // namespace hearth::cache
