// Private to the tests of generate/ and session/: a model of one attention layer over fixed random embeddings.
//
// Its next token depends on the whole history, it is deterministic, and it can be told to fail.
#pragma once

#include <cmath>
#include <stdexcept>

#include "base/error.h"
#include "cache/full_cache.h"
#include "cache/rotating_cache.h"
#include "generate/random_stream.h"
#include "models/model.h"

namespace hearth::generate {

class ToyModel final : public models::Model {
 public:
  static constexpr int kVocab = 64, kWidth = 32;
  static constexpr int kHeads = 2, kHeadSize = kWidth / kHeads;

  ToyModel() : embedding_(0.0f) {
    RandomStream random(1);
    std::vector<float> values(kVocab * kWidth);
    for (float& value : values) value = static_cast<float>(random.uniform() * 2 - 1);
    embedding_ = mx::array(values.data(), mx::Shape{kVocab, kWidth}, mx::float32);
    info_.vocab_size = kVocab;
    info_.layers = 1;
  }

  mx::array forward(const mx::array& tokens, cache::RaggedBatch& batch) override {
    ++forwards;
    largest_step = std::max(largest_step, batch.tokens());
    const int32_t* ids = tokens.data<int32_t>();
    for (int i = 0; i < batch.tokens(); ++i)
      if (ids[i] == failing_token) throw std::runtime_error("The toy fails on this token.");
    if (batch.tokens() > memory) throw OutOfMemory(static_cast<size_t>(batch.tokens()), 0, static_cast<size_t>(memory));
    const mx::array x = mx::take(embedding_, tokens, 0);
    const cache::AttendOptions options{.scale = 0.7f, .sinks = std::nullopt};
    const mx::array heads = mx::reshape(x, mx::Shape{batch.tokens(), kHeads, kHeadSize});
    const mx::array seen = batch.attend(0, heads, heads, heads, options);
    return mx::add(mx::reshape(seen, x.shape()), mx::multiply(x, mx::array(-0.5f)));
  }

  mx::array logits(const mx::array& hidden) override {
    logit_rows += hidden.shape(0);
    return mx::matmul(hidden, mx::transpose(embedding_));
  }

  std::unique_ptr<cache::SequenceCache> make_cache(const models::CacheOptions& options) const override {
    std::vector<std::unique_ptr<cache::KVCache>> layers;
    if (options.max_kv_size > 0)
      layers.push_back(std::make_unique<cache::RotatingCache>(options.max_kv_size, options.keep));
    else
      layers.push_back(std::make_unique<cache::FullCache>(options.expected_tokens));
    return std::make_unique<cache::SequenceCache>(std::move(layers));
  }

  int failing_token = -1;
  int memory = 1 << 20;  // tokens of a step beyond which it throws OutOfMemory
  int forwards = 0, logit_rows = 0, largest_step = 0;

 private:
  mx::array embedding_;
};

}  // namespace hearth::generate
