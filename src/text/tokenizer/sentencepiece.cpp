// Reads a SentencePiece model: the few protobuf fields that matter, by hand, each length checked against what is left.
// The normalizer follows SentencePiece's own (longest match in the character map, white space escaped and squeezed);
// BPE pieces become merges, one for every way to cut a piece into two, ranked by the piece's score.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/error.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/character_map.h"
#include "text/tokenizer/model_files.h"
#include "text/tokenizer/unigram.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

enum PieceType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
enum ModelType { kUnigramModel = 1, kBpeModel = 2 };

// One message: its fields in order.
class Message {
 public:
  Message(std::string_view bytes, std::string_view source) : bytes_(bytes), source_(source) {}

  // The next field; false at the end. Groups are refused.
  bool next() {
    if (at_ == bytes_.size()) return false;
    const uint64_t key = varint();
    field = static_cast<uint32_t>(key >> 3);
    switch (key & 7) {
      case 0: number = varint(); break;
      case 1: take(8); break;
      case 2: bytes = take(varint()); break;
      case 5: {
        const std::string_view raw = take(4);
        uint32_t bits = 0;
        for (int i = 3; i >= 0; --i) bits = bits << 8 | static_cast<uint8_t>(raw[static_cast<size_t>(i)]);
        real = std::bit_cast<float>(bits);
        break;
      }
      default: fail();
    }
    return true;
  }

  uint32_t field = 0;
  uint64_t number = 0;
  std::string_view bytes;
  float real = 0;

 private:
  [[noreturn]] void fail() const {
    throw LoadError(source_, "not a SentencePiece model, or cut short, near byte " + std::to_string(at_));
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) fail();
      const auto byte = static_cast<uint8_t>(bytes_[at_++]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail();
  }
  std::string_view take(uint64_t size) {
    if (size > bytes_.size() - at_) fail();
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

  std::string_view bytes_, source_;
  size_t at_ = 0;
};

struct ModelProto {
  Vocabulary vocabulary;
  std::vector<float> scores;
  std::vector<uint8_t> types;
  uint64_t model_type = kUnigramModel;
  bool byte_fallback = false, space_as_suffix = false;
  int64_t unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;
  std::string_view character_map;
  bool dummy_prefix = true, squeeze_space = true, escape_space = true;
};

void read_piece(Message piece, ModelProto& model, std::string_view source) {
  std::string_view text;
  float score = 0;
  uint64_t type = kNormal;
  while (piece.next()) {
    if (piece.field == 1) text = piece.bytes;
    if (piece.field == 2) score = piece.real;
    if (piece.field == 3) type = piece.number;
  }
  const auto id = static_cast<int32_t>(model.scores.size());
  const std::string key = "pieces[" + std::to_string(id) + "]";
  if (text.empty() || !is_valid_utf8(text)) throw LoadError(source, key, "not a piece of text");
  if (!(score > -1e30f && score < 1e30f)) throw LoadError(source, key, "score out of range");
  if (type < kNormal || type > kByte) throw LoadError(source, key, "unknown type " + std::to_string(type));
  if (model.vocabulary.add(text, id) != Vocabulary::Added::kYes)
    throw LoadError(source, key, "comes twice, or is one too many");
  model.scores.push_back(score);
  model.types.push_back(static_cast<uint8_t>(type));
}

ModelProto read_proto(std::string_view content, std::string_view source) {
  ModelProto model;
  for (Message proto(content, source); proto.next();) {
    if (proto.field == 1) read_piece({proto.bytes, source}, model, source);
    if (proto.field == 2) {
      for (Message trainer(proto.bytes, source); trainer.next();) {
        const auto id = static_cast<int32_t>(trainer.number);
        if (trainer.field == 3) model.model_type = trainer.number;
        if (trainer.field == 24) model.space_as_suffix = trainer.number != 0;
        if (trainer.field == 35) model.byte_fallback = trainer.number != 0;
        if (trainer.field == 40) model.unk_id = id;
        if (trainer.field == 41) model.bos_id = id;
        if (trainer.field == 42) model.eos_id = id;
        if (trainer.field == 43) model.pad_id = id;
      }
    }
    if (proto.field == 3) {
      for (Message rules(proto.bytes, source); rules.next();) {
        if (rules.field == 2) model.character_map = rules.bytes;
        if (rules.field == 3) model.dummy_prefix = rules.number != 0;
        if (rules.field == 4) model.squeeze_space = rules.number != 0;
        if (rules.field == 5) model.escape_space = rules.number != 0;
      }
    }
  }
  if (model.scores.empty()) throw LoadError(source, "pieces", "missing");
  return model;
}

class SentencePieceNormalizer : public Normalizer {
 public:
  SentencePieceNormalizer(const ModelProto& model, const Component& where)
      : dummy_prefix_(model.dummy_prefix),
        squeeze_(model.squeeze_space),
        as_suffix_(model.space_as_suffix),
        space_(model.escape_space ? kSpaceMark : " ") {
    if (!model.character_map.empty()) map_ = CharacterMap(model.character_map, where);
    for (size_t id = 0; id < model.types.size(); ++id)
      if (model.types[id] == kUserDefined)
        kept_.add(model.vocabulary.token(static_cast<int32_t>(id)), static_cast<int32_t>(id));
  }

  void apply(AlignedText& text) const override {
    AlignedText out;
    size_t at = 0;
    if (squeeze_)
      for (Match match; at < text.text.size() && (match = next(text.text, at)).replacement == " ";) at += match.length;
    // Only the beginning of the whole text has the prefix, not what follows an added token.
    const bool prefixed = dummy_prefix_ && text.original_begin == 0 && at < text.text.size();
    if (prefixed && !as_suffix_) append(out, space_, text, at, 0);
    bool after_space = squeeze_;
    while (at < text.text.size()) {
      const Match match = next(text.text, at);
      std::string_view with = match.replacement;
      while (after_space && with.starts_with(' ')) with.remove_prefix(1);
      for (const char& c : with) append(out, c == ' ' ? space_ : std::string_view(&c, 1), text, at, match.length);
      text.check_growth(out.text.size());
      if (!with.empty()) after_space = with.ends_with(' ');
      at += match.length;
      if (!squeeze_) after_space = false;
    }
    if (squeeze_)
      while (out.text.ends_with(space_)) {
        out.text.resize(out.text.size() - space_.size());
        if (text.tracked) out.alignments.resize(out.text.size());
      }
    if (prefixed && as_suffix_) append(out, space_, text, text.text.size(), 0);
    text.text = std::move(out.text);
    text.alignments = std::move(out.alignments);
  }

 private:
  using Match = CharacterMap::Match;
  Match next(std::string_view text, size_t at) const {
    const std::string_view rest = text.substr(at);
    size_t kept = 0;
    kept_.prefixes(rest, [&](size_t length, int32_t) { kept = length; });
    if (kept > 0) return {kept, rest.substr(0, kept)};
    if (const auto match = map_.longest(rest)) return *match;
    const size_t length = utf8_length(rest[0]);
    return {length, rest.substr(0, length)};
  }

  // `with` stands for `length` bytes of `from` at `at`; for 0 bytes it goes with its neighbour.
  static void append(AlignedText& out, std::string_view with, const AlignedText& from, size_t at, size_t length) {
    out.text += with;
    if (!from.tracked) return;
    const size_t first = std::min(at, from.alignments.size() - 1), last = length == 0 ? first : at + length - 1;
    out.alignments.resize(out.text.size(), {from.alignments[first].begin, from.alignments[last].end});
  }

  CharacterMap map_;
  PrefixTree kept_;  // user-defined pieces are not normalized
  bool dummy_prefix_, squeeze_, as_suffix_;
  std::string_view space_;
};

std::unique_ptr<Model> make_bpe(ModelProto& model, std::string_view source) {
  std::vector<int32_t> order(model.scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return model.scores[static_cast<size_t>(a)] > model.scores[static_cast<size_t>(b)];
  });
  const auto mergeable = [&](int32_t id) {
    return id >= 0 &&
           (model.types[static_cast<size_t>(id)] == kNormal || model.types[static_cast<size_t>(id)] == kUserDefined);
  };
  MergeTable merges;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const std::string_view piece = model.vocabulary.token(order[rank]);
    if (!mergeable(order[rank])) continue;
    if (piece.size() > 1024) throw LoadError(source, "pieces", "a piece longer than 1024 bytes");
    for (size_t cut = utf8_length(piece[0]); cut < piece.size(); cut += utf8_length(piece[cut])) {
      const int32_t left = model.vocabulary.find(piece.substr(0, cut)),
                    right = model.vocabulary.find(piece.substr(cut));
      if (!mergeable(left) || !mergeable(right)) continue;
      if (!merges.add(left, right, {static_cast<uint32_t>(rank), order[rank]}))
        throw LoadError(source, "pieces", "more than 2000000 ways to make them");
    }
  }
  BpeOptions options;
  options.unk_token = std::string(model.vocabulary.token(static_cast<int32_t>(model.unk_id)));
  options.fuse_unk = true;
  options.byte_fallback = model.byte_fallback;
  return std::make_unique<Bpe>(std::move(model.vocabulary), std::move(merges), options);
}

std::unique_ptr<Model> make_unigram(ModelProto& model) {
  UnigramOptions options;
  options.unk_id = static_cast<int32_t>(model.unk_id);
  options.byte_fallback = model.byte_fallback;
  options.sentencepiece = true;
  for (const uint8_t type : model.types) options.findable.push_back(type == kNormal || type == kUserDefined);
  return std::make_unique<Unigram>(std::move(model.vocabulary),
                                   std::vector<double>(model.scores.begin(), model.scores.end()), options);
}

std::string decoder_json(const ModelProto& model) {
  // One space is the prefix; a model that squeezes white space has none at the start at all.
  const std::string strip = std::string(R"("stop":0,"start":)") + (model.squeeze_space ? "2147483647" : "1");
  return std::string(R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},)") +
         R"({"type":"ByteFallback"},{"type":"Fuse"})" +
         (model.dummy_prefix ? R"(,{"type":"Strip","content":" ",)" + strip + "}]}" : "]}");
}

}  // namespace

std::unique_ptr<Tokenizer::Pipeline> read_sentencepiece(std::string_view content, std::string_view source,
                                                        bool find_control, SentencePieceNames& names) {
  ModelProto model = read_proto(content, source);
  if (model.unk_id < 0 || !model.vocabulary.contains(static_cast<int32_t>(model.unk_id)))
    throw LoadError(source, "trainer_spec.unk_id", "not in the vocabulary");
  const auto name = [&](int64_t id) {
    return id < 0 ? std::string() : std::string(model.vocabulary.token(static_cast<int32_t>(id)));
  };
  names = {name(model.bos_id), name(model.eos_id), name(model.unk_id), name(model.pad_id)};
  // User-defined pieces are found in the normalized text, where SentencePiece keeps them whole.
  std::vector<AddedToken> added;
  for (size_t id = 0; id < model.types.size(); ++id) {
    const bool control = model.types[id] == kControl || model.types[id] == kUnknown;
    if (model.types[id] == kUserDefined || (control && find_control))
      added.push_back(
          {std::string(model.vocabulary.token(static_cast<int32_t>(id))), false, false, false, !control, control});
  }

  auto pipeline = std::make_unique<Tokenizer::Pipeline>();
  pipeline->source = source;
  const Json decoder = parse_json(decoder_json(model), source);
  pipeline->decoders = make_decoders({decoder, std::string(source), "decoder"});
  pipeline->normalizer =
      std::make_unique<SentencePieceNormalizer>(model, Component(decoder, std::string(source), "normalizer_spec"));
  if (model.model_type == kBpeModel) {
    pipeline->model = make_bpe(model, source);
  } else if (model.model_type == kUnigramModel) {
    pipeline->model = make_unigram(model);
  } else {
    throw LoadError(source, "trainer_spec.model_type", "neither unigram nor BPE");
  }
  for (const AddedToken& token : added) pipeline->added.add(token, token.content, pipeline->model->vocabulary());
  pipeline->finish();
  return pipeline;
}

}  // namespace hearth::text
