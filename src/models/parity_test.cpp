// Every family against mlx-lm's logits (tools/make_fixtures.py), and every way to run it against itself, bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "models/model.h"
#include "ops/testing.h"
#include "weights/model_folder.h"

namespace hearth::models {
namespace {

using mx::array;
using testing::same_bits;

const std::string kTestdata = HEARTH_SOURCE_DIR "/src/models/testdata/";

// Every folder that tools/make_fixtures.py has written.
std::vector<std::string> fixtures() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kTestdata)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// Of the largest logit. References are computed in float32; 16-bit models round every activation, bfloat16 to 8 bits,
// and products with codes (uint32) may round them to 16-bit integers.
float tolerance(mx::Dtype type) {
  return type == mx::float16 ? 6e-3f : type == mx::bfloat16 ? 5e-2f : type == mx::uint32 ? 1e-3f : 1e-5f;
}

class Parity : public ::testing::TestWithParam<std::string> {
 protected:
  Parity() : folder_(kTestdata + GetParam()), model_(load_model(weights::ModelFolder(folder_))) {
    auto reference = mx::load_safetensors(folder_ + "/reference.safetensors").first;
    const mx::array tokens = reference.at("tokens");
    tokens_.assign(tokens.data<int32_t>(), tokens.data<int32_t>() + tokens.size());
    expected_ = reference.at("logits");
    for (const auto& [name, tensor] : mx::load_safetensors(folder_ + "/model.safetensors").first) {
      tolerance_ = std::max(tolerance_, tolerance(tensor.dtype()));
    }
  }

  int length() const { return static_cast<int>(tokens_.size()); }

  // The logits of tokens [first, first + count), the next of `sequence`.
  array step(cache::SequenceCache& sequence, int first, int count) const {
    cache::RaggedBatch batch;
    batch.add(sequence, count);
    return evaluated(model_->logits(model_->forward(ids(first, count), batch)));
  }

  // All logits, in chunks whose length next_length() gives.
  template <typename NextLength>
  array run_in_chunks(NextLength&& next_length) const {
    const auto sequence = model_->make_cache();
    std::vector<array> logits;
    for (int first = 0; first < length();) {
      const int count = std::min<int>(next_length(), length() - first);
      logits.push_back(step(*sequence, first, count));
      first += count;
    }
    return mx::concatenate(logits, 0);
  }
  array run_at_once() const {
    return run_in_chunks([this] { return length(); });
  }

  array ids(int first, int count) const { return array(tokens_.begin() + first, {count}, mx::int32); }

  static array evaluated(array x) {
    x.eval();
    return x;
  }

  std::string folder_;
  std::unique_ptr<Model> model_;
  std::vector<int32_t> tokens_;
  array expected_ = array(0);
  float tolerance_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Fixtures, Parity, ::testing::ValuesIn(fixtures()),
                         [](const auto& info) { return info.param; });

TEST_P(Parity, EqualsMlxLm) {
  testing::for_each_way_to_run([&] {
    const array logits = run_at_once(), last = mx::slice(logits, {length() - expected_.shape(0), 0}, logits.shape());
    EXPECT_LE(testing::relative_difference(last, expected_), tolerance_);
  });
}

TEST_P(Parity, GivesTheSameBitsHoweverTheTokensCome) {
  testing::for_each_way_to_run([&] {
    const array at_once = run_at_once();
    std::mt19937 generator(1);
    EXPECT_TRUE(same_bits(run_in_chunks([&] { return 1 + static_cast<int>(generator() % 30); }), at_once));
    EXPECT_TRUE(same_bits(run_in_chunks([] { return 1; }), at_once));
  });
}

TEST_P(Parity, GivesTheSameBitsBesideOtherSequences) {
  testing::for_each_way_to_run([&] {
    const array at_once = run_at_once();
    const auto before = model_->make_cache(), sequence = model_->make_cache(), after = model_->make_cache();
    step(*before, 0, 11);
    for (const auto& [first, count] : {std::pair{0, 9}, {9, 1}, {10, length() - 10}}) {
      cache::RaggedBatch batch;
      batch.add(*before, 1);
      batch.add(*sequence, count);
      batch.add(*after, 3);
      const array tokens = mx::concatenate({ids(2, 1), ids(first, count), ids(5, 3)}, 0);
      const array logits = model_->logits(model_->forward(tokens, batch));
      const int vocabulary = model_->vocab_size();
      EXPECT_TRUE(same_bits(mx::slice(logits, {1, 0}, {1 + count, vocabulary}),
                            mx::slice(at_once, {first, 0}, {first + count, vocabulary})));
    }
  });
}

TEST_P(Parity, GivesTheSameBitsForChosenRowsAndAfterTrim) {
  const auto sequence = model_->make_cache();
  const array at_once = run_at_once();
  step(*sequence, 0, length());
  sequence->trim(7);
  cache::RaggedBatch batch;
  batch.add(*sequence, 7);
  const array hidden = model_->forward(ids(length() - 7, 7), batch);
  const array logits = model_->logits(mx::take(hidden, array({batch.last_row(0)}, mx::int32), 0));
  EXPECT_TRUE(same_bits(logits, mx::slice(at_once, {length() - 1, 0}, at_once.shape())));
}

TEST_P(Parity, HoldsTheKeysAndValuesThatItsInfoSays) {
  const auto sequence = model_->make_cache();
  step(*sequence, 0, 30);
  EXPECT_EQ(sequence->bytes(), model_->info().kv_bytes_per_token * 256);
}

}  // namespace
}  // namespace hearth::models
