// encode() wants ids only and keeps no alignments unless a part of this tokenizer needs them; encode_fully() tracks
// every byte. Both run the same parts. Working memory, word cache included, is lent from a pool: one for each thread
// that is inside at the same time.
#include "text/tokenizer/pipeline.h"

#include <algorithm>

#include "base/error.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {
constexpr size_t kMaxText = size_t{1} << 30;  // bytes; offsets are 32 bits and a character may grow
constexpr int32_t kTextMarker = -1;
constexpr size_t kMaxDecodedVocabulary = 256 << 20, kMaxMappedToken = 64 << 10;  // bytes
constexpr uint32_t kNoToken = ~uint32_t{0};
}  // namespace

class Tokenizer::Pipeline::Lease {
 public:
  explicit Lease(const Pipeline& owner) : owner_(owner) {
    const std::lock_guard lock(owner_.scratch_mutex_);
    if (owner_.idle_scratch_.empty()) {
      owner_.idle_scratch_.reserve(owner_.scratches_ + 1);  // so that giving one back needs no memory
      scratch_ = std::make_unique<EncodeScratch>();
      ++owner_.scratches_;
    } else {
      scratch_ = std::move(owner_.idle_scratch_.back());
      owner_.idle_scratch_.pop_back();
    }
  }
  ~Lease() {
    const std::lock_guard lock(owner_.scratch_mutex_);
    if (scratch_->split.text.capacity() > kKeptBytes) {
      --owner_.scratches_;
    } else {
      owner_.idle_scratch_.push_back(std::move(scratch_));
    }
  }
  EncodeScratch& operator*() { return *scratch_; }

 private:
  static constexpr size_t kKeptBytes = 4 << 20;  // after a longer text the memory is given back
  const Pipeline& owner_;
  std::unique_ptr<EncodeScratch> scratch_;
};

void Tokenizer::Pipeline::finish() {
  added.finish();
  end_id_ = std::max(static_cast<int32_t>(model->vocabulary().size()), model->vocabulary().end_id());
  for (const auto& [id, token] : added.tokens()) end_id_ = std::max(end_id_, id + 1);
  special_.assign(static_cast<size_t>(end_id_), 0);
  for (const auto& [id, token] : added.tokens())
    special_[static_cast<size_t>(id)] = added.is_special_content(added.decoded(id));
  // A token of the model's own whose spelling is a special token's counts as special, under whatever id.
  for (const auto& [id, token] : added.tokens())
    if (const int32_t own = model->vocabulary().find(token.content); token.special && own >= 0 && !added.token(own))
      special_[static_cast<size_t>(own)] = 1;
  if (model->vocabulary().has_repeats())
    for (int32_t id = 0; id < model->vocabulary().end_id(); ++id)
      if (!added.token(id) && added.is_special_content(model->vocabulary().token(id)))
        special_[static_cast<size_t>(id)] = 1;

  auto* bpe = dynamic_cast<Bpe*>(model.get());
  reads_bytes_ = bpe && pre_tokenizers.ends_in_bytes && bpe->can_read_bytes();
  exact_byte_offsets_ = reads_bytes_ && bpe->has_all_bytes();
  if (bpe && pre_tokenizers.steps.empty()) {
    bpe->split_words_at("\xE2\x96\x81");  // U+2581
  }
  always_tracked_ = pre_tokenizers.prepends_at_start && (normalizer || pre_tokenizers.changes_text);

  before_.clear();
  behind_.clear();
  simple_template_ = true;
  if (!post_processor) return;
  std::vector<Encoding> parts;
  parts.push_back(special_tokens(1, kTextMarker, "", 0));
  post_processor->apply(parts, true);
  Encoding whole;
  for (Encoding& part : parts) join(whole, std::move(part));
  const auto marker = std::find(whole.ids.begin(), whole.ids.end(), kTextMarker);
  simple_template_ = std::count(whole.ids.begin(), whole.ids.end(), kTextMarker) == 1;
  if (!simple_template_) return;
  before_.assign(whole.ids.begin(), marker);
  behind_.assign(marker + 1, whole.ids.end());
}

void Tokenizer::Pipeline::normalize_part(EncodeScratch& scratch) const {
  AlignedText& piece = scratch.piece;
  if (normalizer) normalizer->apply(piece);
  if (!added.has_normalized()) return scratch.split.append(piece, 0, piece.text.size(), -1);
  added.find(piece.text, true,
             [&](size_t begin, size_t end, int32_t id) { scratch.split.append(piece, begin, end, id); });
}

// Puts the text into scratch.split, added tokens found, the rest normalized.
void Tokenizer::Pipeline::fill(std::string_view text, EncodeScratch& scratch) const {
  SplitText& split = scratch.split;
  AlignedText& piece = scratch.piece;
  std::string_view valid = text;
  if (!is_valid_utf8(text)) {
    scratch.valid_text = replace_invalid_utf8(text);
    valid = scratch.valid_text;
  }
  split.most_bytes = growth_limit(valid.size());
  size_t seen = 0, original = 0;  // a place in `valid`, and the same in `text`
  const auto go_to = [&](size_t place) {
    if (place < seen) seen = original = 0;  // a token found within the white space that another one took
    if (valid.data() == text.data()) seen = original = place;
    while (seen < place) {
      original += utf8_step(text, original).length;
      seen += utf8_length(valid[seen]);
    }
  };
  const auto take = [&](size_t begin, size_t end) {
    if (split.tracked) go_to(begin);
    piece.tracked = split.tracked;
    piece.text = valid.substr(begin, end - begin);
    piece.most_bytes = growth_limit(end - begin);
    piece.alignments.clear();
    piece.original_begin = split.tracked ? static_cast<uint32_t>(original) : static_cast<uint32_t>(begin);
    if (split.tracked) {
      piece.alignments.reserve(end - begin);
      for (size_t at = begin; at < end;) {
        if (static_cast<uint8_t>(valid[at]) < 0x80) {
          piece.alignments.push_back({static_cast<uint32_t>(original), static_cast<uint32_t>(original + 1)});
          ++original;
          ++at;
          continue;
        }
        const size_t length = utf8_length(valid[at]);
        const Alignment alignment{static_cast<uint32_t>(original),
                                  static_cast<uint32_t>(original + utf8_step(text, original).length)};
        piece.alignments.resize(piece.alignments.size() + length, alignment);
        original = alignment.end;
        at += length;
      }
      seen = end;
    }
    piece.original_end = split.tracked ? static_cast<uint32_t>(original) : static_cast<uint32_t>(end);
  };
  if (!added.has_raw()) {
    if (valid.empty()) return;
    take(0, valid.size());
    return normalize_part(scratch);
  }
  added.find(valid, false, [&](size_t begin, size_t end, int32_t id) {
    take(begin, end);
    if (id >= 0) {
      split.append(piece, 0, piece.text.size(), id);
    } else {
      normalize_part(scratch);
    }
  });
}

void Tokenizer::Pipeline::tokenize(std::string_view text, bool tracked, EncodeScratch& scratch) const {
  if (text.size() > kMaxText) throw RequestError(413, "the text is longer than 1 GiB");
  SplitText& split = scratch.split;
  split.clear();
  split.tracked = tracked;
  fill(text, scratch);
  for (const auto& step : pre_tokenizers.steps) step->apply(split);
  scratch.model.pieces_are_bytes = reads_bytes_ && (exact_byte_offsets_ || !tracked);
  if (pre_tokenizers.ends_in_bytes && !scratch.model.pieces_are_bytes) spell_bytes(split);

  scratch.tokens.clear();
  scratch.token_ranges.clear();
  for (const Split& piece : split.splits) {
    const auto first = static_cast<uint32_t>(scratch.tokens.size());
    if (piece.token >= 0) {
      scratch.tokens.push_back({piece.token, 0, piece.end - piece.begin});
    } else if (piece.begin != piece.end) {
      model->tokenize(split.view(piece), 0, scratch.tokens, scratch.model);
    }
    if (tracked) scratch.token_ranges.emplace_back(first, static_cast<uint32_t>(scratch.tokens.size()));
  }
}

void Tokenizer::Pipeline::encode(std::string_view text, bool add_special_tokens, std::vector<int32_t>& ids) const {
  const bool limited = limits_by_default && (truncation || padding);
  if (limited || (add_special_tokens && !simple_template_)) {
    std::vector<Encoding> whole;
    whole.push_back(encode_fully(text, add_special_tokens, OffsetUnit::kBytes, limited));
    if (limited) pad_all(whole);
    ids = std::move(whole.front().ids);
    return;
  }
  Lease lease(*this);
  EncodeScratch& scratch = *lease;
  tokenize(text, always_tracked_, scratch);
  ids.clear();
  ids.reserve(scratch.tokens.size() + before_.size() + behind_.size());
  if (add_special_tokens) ids = before_;
  for (const Token& token : scratch.tokens) ids.push_back(token.id);
  if (add_special_tokens) ids.insert(ids.end(), behind_.begin(), behind_.end());
}

Encoding Tokenizer::Pipeline::collect(std::string_view text, OffsetUnit unit, const EncodeScratch& scratch) const {
  // Character number of each byte; the text's end counts on.
  std::vector<uint32_t> character_of;
  if (unit == OffsetUnit::kCharacters) {
    character_of.reserve(text.size() + 1);
    uint32_t count = 0;
    for (size_t at = 0; at < text.size(); ++count) {
      const size_t length = static_cast<uint8_t>(text[at]) < 0x80 ? 1 : utf8_step(text, at).length;
      for (size_t i = 0; i < length; ++i) character_of.push_back(count);
      at += length;
    }
    character_of.push_back(count);
  }
  const auto convert = [&](Offsets offsets) -> Offsets {
    if (unit == OffsetUnit::kBytes || offsets.first >= text.size()) return offsets;
    const size_t end = offsets.second;
    if (end < text.size()) return {character_of[offsets.first], character_of[end]};
    return {character_of[offsets.first],
            end == text.size() && end > 0 ? character_of[end - 1] + 1 : character_of[offsets.first] + 2};
  };
  Encoding out;
  const SplitText& split = scratch.split;
  const Vocabulary& vocabulary = model->vocabulary();
  out.ids.reserve(scratch.tokens.size());
  out.offsets.reserve(scratch.tokens.size());
  out.tokens.reserve(scratch.tokens.size());
  for (size_t i = 0; i < split.splits.size(); ++i) {
    const Split& piece = split.splits[i];
    const std::string_view view = split.view(piece);
    for (uint32_t t = scratch.token_ranges[i].first; t < scratch.token_ranges[i].second; ++t) {
      const Token& token = scratch.tokens[t];
      Offsets offsets{token.begin, token.end};
      if (token.begin == token.end) {
        offsets = {piece.original_begin + token.begin, piece.original_begin + token.end};
      } else if (token.end <= view.size()) {
        offsets = {split.alignments[piece.begin + token.begin].begin,
                   split.alignments[piece.begin + token.end - 1].end};
      }
      out.ids.push_back(token.id);
      out.offsets.push_back(convert(offsets));
      if (piece.token >= 0 || (model->spells_unknown_as_text(token.id) && token.end <= view.size())) {
        out.tokens.emplace_back(view.substr(token.begin, token.end - token.begin));
      } else {
        out.tokens.emplace_back(vocabulary.token(token.id));
      }
    }
  }
  out.type_ids.assign(out.ids.size(), 0);
  out.special_tokens_mask.assign(out.ids.size(), 0);
  out.attention_mask.assign(out.ids.size(), 1);
  return out;
}

Encoding Tokenizer::Pipeline::encode_fully(std::string_view text, bool add_special_tokens, OffsetUnit unit,
                                           bool truncate) const {
  Encoding encoding;
  {
    Lease lease(*this);
    tokenize(text, true, *lease);
    encoding = collect(text, unit, *lease);
  }
  if (truncate && truncation) {
    const size_t reserved = add_special_tokens && post_processor ? post_processor->added_tokens() : 0;
    const size_t most = truncation->max_length > reserved ? truncation->max_length - reserved : 0;
    const size_t count = encoding.ids.size();
    if (count > most)
      encoding = truncation->from_left ? slice(encoding, count - most, count) : slice(encoding, 0, most);
  }
  if (!post_processor) return encoding;
  std::vector<Encoding> parts;
  parts.push_back(std::move(encoding));
  post_processor->apply(parts, add_special_tokens);
  Encoding whole;
  for (Encoding& part : parts) join(whole, std::move(part));
  return whole;
}

void Tokenizer::Pipeline::pad_all(std::vector<Encoding>& encodings) const {
  if (!padding) return;
  size_t length = padding->fixed_length.value_or(0);
  if (!padding->fixed_length)
    for (const Encoding& encoding : encodings) length = std::max(length, encoding.ids.size());
  if (padding->multiple_of > 0 && length % padding->multiple_of > 0)
    length += padding->multiple_of - length % padding->multiple_of;
  for (Encoding& encoding : encodings) {
    if (encoding.ids.size() >= length) continue;
    Encoding pad = special_tokens(length - encoding.ids.size(), padding->id, padding->token, padding->type_id);
    std::fill(pad.attention_mask.begin(), pad.attention_mask.end(), 0);
    if (padding->on_left) std::swap(pad, encoding);
    join(encoding, std::move(pad));
  }
}

void Tokenizer::Pipeline::prepare_decoding() const {
  std::call_once(decoded_.once, [this] {
    size_t mapped = 0;
    while (mapped < decoders.size() && decoders[mapped]->map("")) ++mapped;
    if (!decode_vocabulary(mapped)) {
      mapped = 0;
      decode_vocabulary(mapped);
    }
    for (size_t i = mapped; i < decoders.size(); ++i) decoded_.rest.push_back(decoders[i].get());
  });
}

// Applies the first `mapped` decoders to every token; false if they blow the vocabulary up.
bool Tokenizer::Pipeline::decode_vocabulary(size_t mapped) const {
  const Vocabulary& vocabulary = model->vocabulary();
  decoded_.text.clear();
  decoded_.ranges.assign(static_cast<size_t>(end_id_), {0, kNoToken});
  std::string token;
  for (int32_t id = 0; id < end_id_; ++id) {
    if (added.token(id)) {
      token = added.decoded(id);
    } else if (vocabulary.contains(id)) {
      token = vocabulary.token(id);
    } else {
      continue;
    }
    if (mapped > 0 && token.size() > kMaxMappedToken) return false;
    for (size_t i = 0; i < mapped; ++i) token = *decoders[i]->map(token);
    decoded_.ranges[static_cast<size_t>(id)] = {static_cast<uint32_t>(decoded_.text.size()),
                                                static_cast<uint32_t>(token.size())};
    decoded_.text += token;
    if (mapped > 0 && decoded_.text.size() > kMaxDecodedVocabulary) return false;
  }
  return true;
}

std::unique_ptr<DecoderChain> Tokenizer::Pipeline::make_chain() const {
  prepare_decoding();
  return std::make_unique<DecoderChain>(decoded_.rest);
}

std::optional<std::string_view> Tokenizer::Pipeline::decoder_text(int32_t id, bool skip_special_tokens) const {
  if (id < 0 || id >= end_id_ || (skip_special_tokens && is_special(id))) return std::nullopt;
  const auto [begin, length] = decoded_.ranges[static_cast<size_t>(id)];
  if (length == kNoToken) return std::nullopt;
  return std::string_view(decoded_.text).substr(begin, length);
}

std::string Tokenizer::Pipeline::decode(std::span<const int32_t> ids, bool skip_special_tokens) const {
  prepare_decoding();
  if (decoded_.rest.size() == 1 && decoded_.rest[0]->joins_bytes()) {
    std::string bytes;
    for (const int32_t id : ids)
      if (const auto text = decoder_text(id, skip_special_tokens)) bytes += *text;
    return is_valid_utf8(bytes) ? bytes : replace_invalid_utf8(bytes);
  }
  DecoderChain chain(decoded_.rest);
  for (const int32_t id : ids)
    if (const auto text = decoder_text(id, skip_special_tokens)) chain.add_token(*text);
  chain.finish();
  return chain.take();
}

}  // namespace hearth::text
