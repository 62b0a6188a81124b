#include "cache/ragged_batch.h"

#include <gtest/gtest.h>

#include "ops/testing.h"

namespace hearth::cache {
namespace {

using mx::array;
using testing::random_array;
using testing::same_bits;

std::unique_ptr<SequenceCache> make_sequence(int max_kv_size = 0) {
  return make_sequence_cache(std::vector<int>{0}, {.max_kv_size = max_kv_size});
}

array rows(const array& x, int first, int count) {
  return mx::slice(x, {first, 0, 0}, {first + count, x.shape(1), x.shape(2)});
}

TEST(RaggedBatch, SaysWhereEveryTokenStands) {
  const auto a = make_sequence(), b = make_sequence();
  const array k = random_array({3, 1, 8}, 1);
  RaggedBatch first;
  first.add(*a, 3);
  mx::eval(first.attend(0, k, k, k, {}));

  RaggedBatch second;
  second.add(*b, 2);
  second.add(*a, 2);
  EXPECT_EQ(second.tokens(), 4);
  EXPECT_TRUE(same_bits(second.positions(), array({0, 1, 3, 4}, mx::int32)));
  EXPECT_EQ(second.last_row(0), 1);
  EXPECT_EQ(second.last_row(1), 3);
}

TEST(RaggedBatch, GivesASequenceTheSameBitsBesideOthers) {
  const array q = random_array({600, 4, 8}, 1), k = random_array({600, 2, 8}, 2), v = random_array({600, 2, 8}, 3);
  testing::for_each_way_to_run([&] {
    const auto attend = [&](std::vector<SequenceCache*> sequences, int first, int count) {
      std::vector<array> qs, ks, vs;
      RaggedBatch batch;
      for (size_t i = 0; i < sequences.size(); ++i) {  // each sequence its own part of the numbers
        batch.add(*sequences[i], count);
        const int at = first + 20 * static_cast<int>(i);
        qs.push_back(rows(q, at, count)), ks.push_back(rows(k, at, count)), vs.push_back(rows(v, at, count));
      }
      const array out =
          batch.attend(0, mx::concatenate(qs, 0), mx::concatenate(ks, 0), mx::concatenate(vs, 0), {.scale = 0.3f});
      array own = rows(out, 0, count);
      own.eval();
      return own;
    };
    const auto alone = make_sequence(), together = make_sequence(), full = make_sequence(), ring = make_sequence(30);
    for (const auto& [first, count] : {std::pair{0, 330}, {330, 1}, {331, 1}, {332, 57}}) {
      const array expected = attend({alone.get()}, first, count);
      EXPECT_TRUE(same_bits(attend({together.get(), full.get(), ring.get()}, first, count), expected));
    }
  });
}

TEST(RaggedBatch, TakesTheSmallerOfTwoWindows) {
  const array q = random_array({50, 4, 8}, 1), k = random_array({50, 2, 8}, 2);
  const auto attend = [&](int max_kv_size, int window) {
    const auto sequence = make_sequence_cache(std::vector<int>{0}, {.max_kv_size = max_kv_size, .keep = 0});
    RaggedBatch batch;
    batch.add(*sequence, 50);
    return batch.attend(0, q, k, k, {.window = window});
  };
  EXPECT_TRUE(same_bits(attend(20, 8), attend(0, 8)));
  EXPECT_TRUE(same_bits(attend(8, 20), attend(8, 0)));
}

TEST(RaggedBatch, RefusesRunsThatMakeNoSense) {
  const auto sequence = make_sequence();
  RaggedBatch batch;
  EXPECT_THROW(batch.add(*sequence, 0), std::invalid_argument);
  batch.add(*sequence, 1);
  EXPECT_THROW(batch.add(*sequence, 1), std::invalid_argument);
  batch.positions();
  EXPECT_THROW(batch.add(*make_sequence(), 1), std::invalid_argument);
  const array q = random_array({1, 4, 8}, 1);
  EXPECT_THROW(RaggedBatch().attend(0, q, q, q, {}), std::invalid_argument);
}

}  // namespace
}  // namespace hearth::cache
