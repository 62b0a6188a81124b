// The row law (docs/design.md, law 2) on whole models: a sequence of hundreds of tokens, cut at random into chunks
// of 1 to 512, alone and in batches of up to 8, on one thread and on two, gives the same bits on each instruction set.
#include <gtest/gtest.h>

#include <map>

#include "models/model.h"
#include "ops/testing.h"
#include "weights/model_folder.h"

namespace hearth::models {
namespace {

using mx::array;

constexpr int kTokens = 600;

std::vector<int32_t> random_tokens(int count, int vocabulary, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  for (int32_t& token : tokens) token = static_cast<int32_t>(generator() % static_cast<uint32_t>(vocabulary));
  return tokens;
}

// Short ones as often as long ones.
int random_chunk(std::mt19937& generator) {
  const uint32_t longest = 1u << (generator() % 10);
  return 1 + static_cast<int>(generator() % longest);
}

struct Mate {
  std::unique_ptr<cache::SequenceCache> cache;
  bool before;  // the tested sequence, in the batch
};

class RowLaw : public ::testing::TestWithParam<std::string> {
 protected:
  RowLaw()
      : model_(load_model(weights::ModelFolder(HEARTH_SOURCE_DIR "/src/models/testdata/" + GetParam()))),
        tokens_(random_tokens(kTokens, model_->vocab_size(), 1)) {}

  // The hidden states of the sequence, in random chunks beside `others` that grow by random chunks of their own.
  array in_company(int others, std::mt19937& generator) const {
    std::vector<Mate> mates;
    for (int i = 0; i < others; ++i) mates.push_back({model_->make_cache(), generator() % 2 == 0});
    const auto sequence = model_->make_cache();
    std::vector<array> pieces;
    for (int first = 0; first < kTokens;) {
      const int count = std::min(random_chunk(generator), kTokens - first);
      cache::RaggedBatch batch;
      std::vector<int32_t> ids;
      add(mates, true, batch, ids, generator);
      const int row = batch.tokens();
      batch.add(*sequence, count);
      ids.insert(ids.end(), tokens_.begin() + first, tokens_.begin() + first + count);
      add(mates, false, batch, ids, generator);
      const array hidden = forward(ids, batch);
      pieces.push_back(mx::slice(hidden, {row, 0}, {row + count, hidden.shape(1)}));
      first += count;
    }
    return mx::concatenate(pieces, 0);
  }

  array in_one_piece() const {
    const auto sequence = model_->make_cache();
    cache::RaggedBatch batch;
    batch.add(*sequence, kTokens);
    return forward(tokens_, batch);
  }

 private:
  void add(std::vector<Mate>& mates, bool before, cache::RaggedBatch& batch, std::vector<int32_t>& ids,
           std::mt19937& generator) const {
    for (const Mate& mate : mates) {
      if (mate.before != before) continue;
      const int count = std::min(random_chunk(generator), 64);
      batch.add(*mate.cache, count);
      const auto more = random_tokens(count, model_->vocab_size(), static_cast<uint32_t>(generator()));
      ids.insert(ids.end(), more.begin(), more.end());
    }
  }

  array forward(const std::vector<int32_t>& ids, cache::RaggedBatch& batch) const {
    array hidden = model_->forward(array(ids.data(), {static_cast<int>(ids.size())}, mx::int32), batch);
    hidden.eval();
    return hidden;
  }

  std::unique_ptr<Model> model_;
  std::vector<int32_t> tokens_;
};

INSTANTIATE_TEST_SUITE_P(Fixtures, RowLaw,
                         ::testing::Values("llama_4bit_float16", "llama_head_dim_10", "mistral_window",
                                           "qwen3_mixed_bfloat16"),
                         [](const auto& info) { return info.param; });

TEST_P(RowLaw, HoldsForRandomChunksBatchesAndThreads) {
  std::mt19937 generator(7);
  std::map<cpu::Isa, array> expected;
  testing::for_each_way_to_run([&] {
    const auto reference = expected.try_emplace(cpu::active_isa(), in_one_piece()).first;
    for (const int batch : {1, 2, 5, 8}) {
      EXPECT_TRUE(testing::same_bits(in_company(batch - 1, generator), reference->second))
          << cpu::isa_name(cpu::active_isa()) << ", " << ThreadPool::global().size() << " threads, batch of " << batch;
    }
  });
}

}  // namespace
}  // namespace hearth::models
