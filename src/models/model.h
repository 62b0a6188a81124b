// A language model: tokens and what it remembers of their sequences in, hidden states and logits out.
//
// Shapes:   T tokens of a step, E model width, R rows, V vocabulary.
// Threads:  forward and logits build a graph and may be called by one thread at a time; the numbers come when the
//           result is evaluated. Const functions may be called by any.
// Lifetime: holds its weights; the ModelFolder it was loaded from may go (the mapping stays while tensors use it).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cache/ragged_batch.h"
#include "cache/sequence_cache.h"
#include "core/mx.h"

namespace hearth::weights {
class ModelFolder;
}

namespace hearth::models {

using cache::CacheOptions;

// Numbers that callers plan with.
struct ModelInfo {
  int vocab_size = 0;
  int layers = 0;
  int context_length = 0;         // tokens it was made for; 0: the config does not say
  size_t kv_bytes_per_token = 0;  // 2 · Hkv · D · bytes, summed over all layers; of the widest type where they mix
  size_t weight_bytes = 0;
  std::vector<std::string> notes = {};  // sentences about the config that whoever runs the model should know
};

class Model {
 public:
  virtual ~Model() = default;

  // Runs T new tokens laid end to end, of one or of many sequences, and remembers them.
  // tokens int32 [T], T = batch.tokens() -> hidden states [T, E] after the last norm.
  virtual mx::array forward(const mx::array& tokens, cache::RaggedBatch& batch) = 0;

  // Logits for chosen rows only: hidden [R, E] -> [R, V], in the model's dtype.
  virtual mx::array logits(const mx::array& hidden) = 0;

  // An empty memory for a new sequence. Throws std::invalid_argument when 0 < max_kv_size <= keep.
  virtual std::unique_ptr<cache::SequenceCache> make_cache(const CacheOptions& options = {}) const = 0;

  const ModelInfo& info() const { return info_; }
  int vocab_size() const { return info_.vocab_size; }

 protected:
  ModelInfo info_;
};

// The model that the folder's config.json describes. Throws LoadError that names the file and the key or tensor when
// the type is not known, a value is missing or absurd, or a tensor is missing, extra or misshapen.
std::unique_ptr<Model> load_model(const weights::ModelFolder& folder);

}  // namespace hearth::models
