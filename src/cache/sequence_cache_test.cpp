#include "cache/sequence_cache.h"

#include <gtest/gtest.h>

#include "ops/testing.h"

namespace hearth::cache {
namespace {

// Bytes that a layer holds after `tokens` tokens of one head with one float32 row of 8.
size_t rows_after(KVCache& layer, int tokens) {
  const mx::array k = testing::random_array({tokens, 1, 8}, 1);
  KVRows lent = layer.lend(tokens, k, k);
  layer.give_back(std::move(lent.keys), std::move(lent.values), tokens);
  return layer.bytes() / (2 * 8 * sizeof(float));
}

TEST(MakeSequenceCache, GivesEachLayerTheKindItsWindowAsksFor) {
  const auto sequence = make_sequence_cache(std::vector<int>{0, 100}, {});
  EXPECT_EQ(sequence->layers(), 2);
  EXPECT_GE(rows_after(sequence->layer(0), 5000), 5000u);
  EXPECT_LE(rows_after(sequence->layer(1), 5000), 512u);
}

TEST(MakeSequenceCache, LimitsLayersToMaxKvSize) {
  const auto sequence = make_sequence_cache(std::vector<int>{0, 100, 3000}, {.max_kv_size = 1000});
  EXPECT_LE(rows_after(sequence->layer(0), 5000), 1256u);
  EXPECT_LE(rows_after(sequence->layer(1), 5000), 356u);
  EXPECT_LE(rows_after(sequence->layer(2), 5000), 1256u);
}

TEST(MakeSequenceCache, RefusesLimitsThatKeepNothing) {
  EXPECT_THROW(make_sequence_cache(std::vector<int>{0}, {.max_kv_size = 4, .keep = 4}), std::invalid_argument);
  EXPECT_THROW(make_sequence_cache(std::vector<int>{0}, {.max_kv_size = -1}), std::invalid_argument);
}

}  // namespace
}  // namespace hearth::cache
