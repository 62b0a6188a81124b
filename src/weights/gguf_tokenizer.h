// The tokenizer inside a GGUF file, as the two files Hugging Face's tokenizers and transformers read.
//
// Source: llama.cpp's llama-vocab (which splitting rule each `tokenizer.ggml.pre` stands for), transformers'
// convert_slow_tokenizer (SentencePiece pieces and scores to merges).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "weights/gguf.h"

namespace hearth::weights {

// What `tokenizer.ggml.*` says, checked. Views point into the file.
class GgufTokenizer {
 public:
  // Reads models "gpt2" (byte-level BPE) and "llama" (SentencePiece BPE). Throws LoadError naming the key for any other
  // model, for a splitting rule that is not known, and for lists that do not fit together.
  explicit GgufTokenizer(const GgufFile& file);

  size_t size() const { return tokens_.size(); }

  // The text of tokenizer.json.
  std::string tokenizer_json() const;
  // tokenizer_config.json: special tokens, chat templates, `model_max_length` in tokens.
  Json tokenizer_config(int model_max_length) const;

  // The id under `tokenizer.ggml.<name>_token_id`, if there is one: "bos", "eos", "eot", "eom", "padding",
  // "unknown".
  std::optional<int> special_id(std::string_view name) const;

  // The tokens that end an answer: those that the file names as the end of text, turn or message, and the special
  // tokens whose usual meaning that is, since many files do not name them. As llama.cpp reads files.
  std::vector<int> end_ids() const;

 private:
  // ggml's numbers.
  enum TokenType : int { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
  using Merge = std::pair<std::string_view, std::string_view>;

  bool is_sentencepiece() const { return model_ == "llama"; }
  std::vector<Merge> merges() const;
  std::vector<Merge> listed_merges() const;
  std::vector<Merge> merges_from_scores() const;
  Json added_tokens() const;
  Json post_processor() const;
  Json chat_templates() const;
  std::string model_json() const;

  const GgufFile& file_;
  std::string model_;
  std::vector<std::string_view> tokens_;
  std::vector<int> types_;
  bool add_space_prefix_, add_bos_, add_eos_;
};

}  // namespace hearth::weights
