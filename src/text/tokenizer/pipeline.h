// The parts of a tokenizer and the way through them: added tokens out, normalize, cut, model, post-process.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer/added_vocabulary.h"
#include "text/tokenizer/decoder.h"
#include "text/tokenizer/model.h"
#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/post_processor.h"
#include "text/tokenizer/pre_tokenizer.h"

namespace hearth::text {

struct Truncation {
  bool from_left = false;
  uint32_t max_length = 0;
};

struct Padding {
  bool on_left = false;
  std::optional<uint32_t> fixed_length;  // else as long as the longest of the batch
  uint32_t multiple_of = 0;
  int32_t id = 0, type_id = 0;
  std::string token;
};

// A token that a folder gives a role: "bos", "eos", "unk", "pad".
struct NamedToken {
  std::string content;
  std::optional<int32_t> id;
};

// What one encode() works with; kept between calls.
struct EncodeScratch {
  ModelScratch model;
  SplitText split;
  AlignedText piece;
  std::string valid_text;
  std::vector<Token> tokens;
  std::vector<std::pair<uint32_t, uint32_t>> token_ranges;  // of each split: its tokens, as a range of `tokens`
};

struct Tokenizer::Pipeline {
  std::string source;  // the file it came from, for errors
  std::unique_ptr<Normalizer> normalizer;
  PreTokenizerChain pre_tokenizers;
  std::unique_ptr<Model> model;
  AddedVocabulary added;
  std::unique_ptr<PostProcessor> post_processor;
  DecoderList decoders;
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
  bool limits_by_default = true;
  NamedToken bos, eos, unk, pad;

  // Call once when all parts are in place.
  void finish();

  void encode(std::string_view text, bool add_special_tokens, std::vector<int32_t>& ids) const;
  // Without padding.
  Encoding encode_fully(std::string_view text, bool add_special_tokens, OffsetUnit unit, bool truncate) const;
  void pad_all(std::vector<Encoding>& encodings) const;

  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const;
  // A fresh chain for add_to(): the decoders but those that decoder_text() has applied.
  std::unique_ptr<DecoderChain> make_chain() const;
  // What an id gives the chain; nothing for an id without a token or one to be skipped.
  std::optional<std::string_view> decoder_text(int32_t id, bool skip_special_tokens) const;

  bool is_special(int32_t id) const {
    return id >= 0 && static_cast<size_t>(id) < special_.size() && special_[static_cast<size_t>(id)];
  }
  int32_t end_id() const { return end_id_; }

 private:
  class Lease;  // of a scratch
  void tokenize(std::string_view text, bool tracked, EncodeScratch& scratch) const;
  void fill(std::string_view text, EncodeScratch& scratch) const;
  void normalize_part(EncodeScratch& scratch) const;
  void prepare_decoding() const;
  bool decode_vocabulary(size_t mapped) const;
  Encoding collect(std::string_view text, OffsetUnit unit, const EncodeScratch& scratch) const;

  bool reads_bytes_ = false;         // the model takes pieces as bytes
  bool exact_byte_offsets_ = false;  // and offsets come out the same
  bool always_tracked_ = false;
  bool simple_template_ = true;  // the post-processor only adds before_ and behind_
  std::vector<int32_t> before_, behind_;
  std::vector<uint8_t> special_;  // by id
  int32_t end_id_ = 0;

  // Each id's token as the first decoders leave it; made when first needed (8 ms for 150,000 tokens).
  struct DecodedTokens {
    std::once_flag once;
    std::string text;
    std::vector<std::pair<uint32_t, uint32_t>> ranges;  // of text; length ~0: no such token
    std::vector<const Decoder*> rest;                   // the decoders still to run
  };
  mutable DecodedTokens decoded_;

  mutable std::mutex scratch_mutex_;
  mutable std::vector<std::unique_ptr<EncodeScratch>> idle_scratch_;
  mutable size_t scratches_ = 0;  // idle or lent
};

// Reads a tokenizer.json. Throws LoadError.
std::unique_ptr<Tokenizer::Pipeline> read_tokenizer_json(std::string_view json, std::string_view source);

// Opens a model folder. Throws LoadError.
std::unique_ptr<Tokenizer::Pipeline> read_tokenizer_folder(const std::filesystem::path& folder);

}  // namespace hearth::text
