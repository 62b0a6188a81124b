// Text to token ids and back, as the tokenizer of a model folder does it: equal to Hugging Face's `tokenizers` library.
//
// Text that is not valid UTF-8 is read as Python's errors="replace" reads it: each maximal ill-formed part becomes one
// U+FFFD. Byte offsets count bytes of the text as given, character offsets count those U+FFFD as one character each.
// Threads: every const member may be called from many threads at once.
// Source:  huggingface/tokenizers 0.23 (tokenizer.json), google/sentencepiece (tokenizer.model), openai/tiktoken
// (ranks).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::text {

// Half-open range of the input: [first, second).
using Offsets = std::pair<uint32_t, uint32_t>;

// One text, tokenized, with everything `tokenizers.Encoding` tells. All vectors are as long as `ids`.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<std::string> tokens;           // as the vocabulary spells them; an added token's as the text does
  std::vector<Offsets> offsets;              // bytes or characters, as asked; (0, 0) for tokens a template put in
  std::vector<int32_t> type_ids;             // as the post-processor's template says
  std::vector<uint8_t> special_tokens_mask;  // 1 for tokens the post-processor or padding put in
  std::vector<uint8_t> attention_mask;       // 0 for padding
};

enum class OffsetUnit { kBytes, kCharacters };

struct EncodeOptions {
  bool add_special_tokens = true;
  OffsetUnit unit = OffsetUnit::kCharacters;  // characters are what Python reports
  // By the rules in tokenizer.json. Unset: as the reference does, yes for a bare tokenizer.json, no for a folder with a
  // tokenizer_config.json, for which transformers switches them off. encode() and encode_batch() do the same.
  std::optional<bool> truncate_and_pad = {};
};

class Tokenizer {
 public:
  // Opens a model folder: tokenizer.json, else tokenizer.model, else a tiktoken file, else vocab.json with merges.txt;
  // with tokenizer_config.json, special_tokens_map.json and added_tokens.json resolved as transformers does.
  // Throws LoadError naming file and key.
  static std::shared_ptr<const Tokenizer> load(const std::filesystem::path& folder);

  // The content of one tokenizer.json, alone. `source` names it in errors. Throws LoadError.
  static std::shared_ptr<const Tokenizer> from_json(std::string_view json, std::string_view source = "tokenizer.json");

  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // Token ids of `text`. Any bytes will do. Throws RequestError (status 400) when this tokenizer cannot take them: one
  // of its regular expressions would take ages, its normalizer makes them more than 64 times as long, or a character
  // needs the unknown token and there is none; status 413 beyond 1 GiB.
  std::vector<int32_t> encode(std::string_view text, bool add_special_tokens = true) const;
  // The same with offsets and masks: several times the cost of encode().
  Encoding encode_with_offsets(std::string_view text, const EncodeOptions& options = {}) const;
  // Each text on its own, shared among the threads of the pool. Where padding is on, all come out equally long.
  std::vector<std::vector<int32_t>> encode_batch(std::span<const std::string_view> texts,
                                                 bool add_special_tokens = true) const;

  // The text of `ids`. Ids that stand for nothing are skipped, as the reference does. With clean-up (the folder's
  // clean_up_tokenization_spaces) spaces before punctuation go.
  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens = false) const;

  // One more than the largest id, added tokens included; never less than the number of tokens.
  int vocab_size() const;
  // The token's id, or nothing. Added tokens are found first.
  std::optional<int32_t> token_to_id(std::string_view token) const;
  // The token as the vocabulary spells it ("Ġworld", "▁world", "<0x0A>"); "" for an id that stands for nothing.
  std::string id_to_token(int32_t id) const;
  // Whether `id` is an added token marked special.
  bool is_special(int32_t id) const;

  // The named tokens of the folder; "" and nothing where it names none.
  const std::string& bos_token() const;
  const std::string& eos_token() const;
  const std::string& unk_token() const;
  const std::string& pad_token() const;
  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> unk_id() const;
  std::optional<int32_t> pad_id() const;

  // The parts, for the streaming detokenizer and for tests. Defined in text/tokenizer/pipeline.h.
  struct Pipeline;
  const Pipeline& pipeline() const { return *pipeline_; }

 private:
  explicit Tokenizer(std::unique_ptr<Pipeline> pipeline);
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace hearth::text
