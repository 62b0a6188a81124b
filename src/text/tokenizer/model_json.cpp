// The keys of a model come in any order, but vocabularies are written before merges, and only then can merges be read
// in passing; merges that come first are read at the end, from their text.
#include "text/tokenizer/model_json.h"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/unigram.h"
#include "text/tokenizer/word_models.h"

namespace hearth::text {

namespace {

struct ModelSettings {
  std::string type;
  std::string source;
  Vocabulary vocabulary;
  bool has_vocabulary = false;
  std::vector<double> scores;  // Unigram
  MergeTable merges;
  bool has_merges = false;
  std::string_view late_merges;  // their text, when they come before the vocabulary
  std::optional<std::string> unk_token;
  std::optional<int64_t> unk_id;
  std::string prefix, suffix;
  bool has_prefix = false;
  bool fuse_unk = false, byte_fallback = false, ignore_merges = false;
  int64_t max_input_chars = 100;

  [[noreturn]] void fail(std::string_view key, std::string_view reason) const {
    throw LoadError(source, "model." + std::string(key), reason);
  }
};

// Lists of scores may hold a token twice; what maps tokens to ids may not.
void add(ModelSettings& model, std::string_view token, int64_t id, bool listed = false) {
  if (id > Vocabulary::kMaxId) model.fail("vocab", "id " + std::to_string(id) + " is beyond 2^24");
  const auto number = static_cast<int32_t>(id);
  switch (listed ? model.vocabulary.add_again(token, number) : model.vocabulary.add(token, number)) {
    case Vocabulary::Added::kYes: return;
    case Vocabulary::Added::kSpellingTaken:
      model.fail("vocab", "token '" + std::string(token.substr(0, 64)) + "' comes twice");
    case Vocabulary::Added::kIdTaken: model.fail("vocab", "id " + std::to_string(id) + " comes twice");
    case Vocabulary::Added::kRefused: model.fail("vocab", "more than 1200000 tokens, or too large");
  }
}

// Bytes of file for each token of a vocabulary with its merges: what the real ones have (70 to 90), less a margin.
constexpr size_t kBytesPerToken = 64;

void read_vocabulary(JsonReader& in, ModelSettings& model) {
  model.has_vocabulary = true;
  model.vocabulary.reserve(std::min(in.left() / kBytesPerToken, Vocabulary::kMaxTokens / 4), in.left() / 8);
  if (in.peek() == '[') {  // Unigram: [token, score] pairs
    in.begin_array();
    while (in.next_element()) {
      in.begin_array();
      if (!in.next_element()) in.fail();
      add(model, in.string(), static_cast<int64_t>(model.scores.size()), true);
      if (!in.next_element()) in.fail();
      model.scores.push_back(in.number());
      if (in.next_element()) in.fail();
    }
    return;
  }
  // Tokens wait a little while the places where they belong are fetched.
  struct Waiting {
    std::string token;
    int64_t id = 0;
  };
  std::array<Waiting, 16> queue;
  size_t read = 0;
  in.begin_object();
  std::string_view token;
  while (in.next_key(token)) {
    Waiting& waiting = queue[read % queue.size()];
    if (read >= queue.size()) add(model, waiting.token, waiting.id);
    waiting.token = token;
    waiting.id = in.integer();
    model.vocabulary.fetch(hash_bytes(waiting.token));
    ++read;
  }
  for (size_t i = read - std::min(read, queue.size()); i < read; ++i) {
    const Waiting& waiting = queue[i % queue.size()];
    add(model, waiting.token, waiting.id);
  }
}

// Reads merges into the table. Each merge takes look-ups at places all over the memory, so merges wait in two short
// queues, before they are looked up and before they are added, while their places are fetched.
class MergeReader {
 public:
  explicit MergeReader(ModelSettings& model) : model_(model) {}

  void read(JsonReader& in) {
    model_.has_merges = true;
    model_.merges.reserve(std::min(model_.vocabulary.size(), in.left() / 8));
    in.begin_array();
    while (in.next_element())
      if (read_one(in)) enqueue();
    for (size_t i = resolved_; i < read_; ++i) resolve(queue_[i % kQueue]);
    for (size_t i = resolved_ - std::min(resolved_, kQueue); i < resolved_; ++i) add(found_[i % kQueue]);
  }

 private:
  static constexpr size_t kQueue = 16;
  struct Pending {
    std::string left, right;
    uint64_t left_hash = 0, right_hash = 0;
  };
  struct Found {
    int32_t left = 0, right = 0;
    MergeTable::Merge merge;
  };

  // The next merge into next_; false for a line that is none.
  bool read_one(JsonReader& in) {
    if (in.peek() == '[') {
      in.begin_array();
      if (!in.next_element()) in.fail();
      next_.left = in.string();
      if (!in.next_element()) in.fail();
      next_.right = in.string();
      if (in.next_element()) in.fail();
      return true;
    }
    const std::string_view line = in.string();
    if (line.starts_with("#version")) return false;
    const size_t space = line.find(' ');
    if (space == line.npos || line.find(' ', space + 1) != line.npos)
      model_.fail("merges", "merge " + std::to_string(read_) + " is not two tokens");
    next_.left = line.substr(0, space);
    next_.right = line.substr(space + 1);
    return true;
  }

  void enqueue() {
    if (read_ >= kQueue / 2) {
      const Pending& older = queue_[(read_ - kQueue / 2) % kQueue];
      model_.vocabulary.fetch_spelling(older.left_hash);
      model_.vocabulary.fetch_spelling(older.right_hash);
    }
    Pending& merge = queue_[read_ % kQueue];
    if (read_ >= kQueue) resolve(merge);
    std::swap(merge, next_);
    if (++read_ > MergeTable::kMaxMerges) model_.fail("merges", "more than 2000000 merges");
    merge.left_hash = hash_bytes(merge.left);
    merge.right_hash = hash_bytes(merge.right);
    model_.vocabulary.fetch(merge.left_hash);
    model_.vocabulary.fetch(merge.right_hash);
  }

  void resolve(const Pending& merge) {
    const int32_t left = find(merge.left, merge.left_hash), right = find(merge.right, merge.right_hash);
    if (merge.right.size() < model_.prefix.size())
      model_.fail("merges", "merge " + std::to_string(resolved_) + " lacks the subword prefix");
    const std::string_view rest = std::string_view(merge.right).substr(model_.prefix.size());
    // Vocabularies mostly list what merges make in the order of the merges, and several merges may make the same token:
    // look there before searching.
    int32_t id = last_;
    if (!is_joined(id, merge.left, rest) && !is_joined(++id, merge.left, rest)) {
      joined_.assign(merge.left).append(rest);
      id = find(joined_, hash_bytes(joined_));
    }
    last_ = id;
    Found& found = found_[resolved_ % kQueue];
    if (resolved_ >= kQueue) add(found);
    found = {left, right, {static_cast<uint32_t>(resolved_), id}};
    model_.merges.fetch(left, right);
    ++resolved_;
  }

  bool is_joined(int32_t id, std::string_view left, std::string_view right) const {
    const std::string_view token = model_.vocabulary.token(id);
    return token.size() == left.size() + right.size() && equal_bytes(token.substr(left.size()), right) &&
           equal_bytes(token.substr(0, left.size()), left);
  }

  void add(const Found& found) {
    if (!model_.merges.add(found.left, found.right, found.merge)) model_.fail("merges", "too many");
  }

  int32_t find(std::string_view token, uint64_t hash) const {
    const int32_t id = model_.vocabulary.find(token, hash);
    if (id < 0)
      model_.fail("merges", "merge " + std::to_string(resolved_) + ": token '" + std::string(token.substr(0, 64)) +
                                "' is not in the vocabulary");
    return id;
  }

  ModelSettings& model_;
  std::array<Pending, kQueue> queue_;
  std::array<Found, kQueue> found_;
  Pending next_;
  size_t read_ = 0, resolved_ = 0;
  int32_t last_ = -1;
  std::string joined_;
};

void read_setting(JsonReader& in, const std::string& key, ModelSettings& model) {
  if (key != "merges" && key != "type" && in.null()) return;
  if (key == "type") {
    model.type = in.string();
  } else if (key == "vocab") {
    read_vocabulary(in, model);
  } else if (key == "merges") {
    if (model.has_vocabulary && model.has_prefix) {
      MergeReader(model).read(in);
    } else {
      model.late_merges = in.skip_value();
    }
  } else if (key == "unk_token") {
    model.unk_token = in.string();
  } else if (key == "unk_id") {
    model.unk_id = in.integer();
  } else if (key == "continuing_subword_prefix") {
    model.prefix = in.string();
  } else if (key == "end_of_word_suffix") {
    model.suffix = in.string();
  } else if (key == "fuse_unk") {
    model.fuse_unk = in.boolean();
  } else if (key == "byte_fallback") {
    model.byte_fallback = in.boolean();
  } else if (key == "ignore_merges") {
    model.ignore_merges = in.boolean();
  } else if (key == "max_input_chars_per_word") {
    model.max_input_chars = in.integer();
  } else if (key == "dropout") {
    in.number();  // for training
  } else {
    in.skip_value();
  }
}

// Files from before models named their type.
std::string guess_type(const ModelSettings& model) {
  if (model.has_merges) return "BPE";
  if (!model.scores.empty()) return "Unigram";
  return model.has_prefix ? "WordPiece" : "WordLevel";
}

std::unique_ptr<Model> make_unigram(ModelSettings& model) {
  if (model.scores.size() != model.vocabulary.size()) model.fail("vocab", "not a list of tokens and scores");
  if (model.unk_id && *model.unk_id >= static_cast<int64_t>(model.scores.size()))
    model.fail("unk_id", "not in the vocabulary");
  std::optional<int32_t> unk_id;
  if (model.unk_id) unk_id = static_cast<int32_t>(*model.unk_id);
  try {
    return std::make_unique<Unigram>(std::move(model.vocabulary), std::move(model.scores),
                                     UnigramOptions{unk_id, model.byte_fallback, false, {}});
  } catch (const std::invalid_argument& refusal) {
    model.fail("vocab", refusal.what());
  }
}

}  // namespace

std::unique_ptr<Model> read_model(JsonReader& in, std::string_view source) {
  ModelSettings model;
  model.source = source;
  std::string key;
  in.begin_object();
  while (in.next_key(key)) {
    model.has_prefix |= key == "continuing_subword_prefix";
    read_setting(in, key, model);
  }
  if (!model.has_vocabulary) model.fail("vocab", "missing");
  if (!model.late_merges.empty()) {
    JsonReader merges(model.late_merges, source);
    MergeReader(model).read(merges);
  }
  if (model.type.empty()) model.type = guess_type(model);
  if (model.type == "BPE") {
    if (!model.has_merges) model.fail("merges", "missing");
    return std::make_unique<Bpe>(std::move(model.vocabulary), std::move(model.merges),
                                 BpeOptions{model.unk_token, model.prefix, model.suffix, model.fuse_unk,
                                            model.byte_fallback, model.ignore_merges});
  }
  if (model.type == "Unigram") return make_unigram(model);
  if (model.type == "WordPiece")
    return std::make_unique<WordPiece>(std::move(model.vocabulary), model.unk_token.value_or("[UNK]"),
                                       model.has_prefix ? model.prefix : "##",
                                       static_cast<size_t>(model.max_input_chars));
  if (model.type == "WordLevel")
    return std::make_unique<WordLevel>(std::move(model.vocabulary), model.unk_token.value_or("<unk>"));
  model.fail("type", "unknown model '" + model.type + "'");
}

}  // namespace hearth::text
