// Reads tiktoken's rank files and GPT-2's vocab.json with merges.txt into the same byte-level BPE. tiktoken joins two
// neighbours whenever their bytes together have a rank, the lowest rank first; that is BPE with a merge for every way
// to cut a token into two tokens, all of a token's merges having its rank.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "text/tokenizer/base64.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/json_reader.h"
#include "text/tokenizer/model_files.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

constexpr size_t kMaxTokenBytes = 1024;
constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kCl100k =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kKimi =
    R"([\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

// One line "IQ== 0"; false if it is not that.
bool read_line(std::string_view line, std::string& bytes, int64_t& rank) {
  const size_t space = line.find(' ');
  if (space == line.npos || space == 0) return false;
  bytes.clear();
  if (!append_from_base64(bytes, line.substr(0, space))) return false;
  const char* end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + space + 1, end, rank);
  return error == std::errc{} && stop == end && rank >= 0;
}

std::string_view next_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string json_string(std::string_view text) { return Json(std::string(text)).dump(); }

// The pieces that every byte-level tokenizer has around its model.
void add_byte_level(Tokenizer::Pipeline& pipeline, std::string_view pattern, bool add_prefix_space, bool compose,
                    std::string_view source) {
  const std::string byte_level =
      std::string(R"({"type":"ByteLevel","trim_offsets":true,"use_regex":false,"add_prefix_space":)") +
      (add_prefix_space ? "true}" : "false}");
  const Json steps = parse_json(
      R"({"type":"Sequence","pretokenizers":[{"type":"Split","behavior":"Isolated","invert":false,"pattern":{"Regex":)" +
          json_string(pattern) + "}}," + byte_level + "]}",
      source);
  const Json alone = parse_json(R"({"type":"ByteLevel","trim_offsets":true,"add_prefix_space":true})", source);
  // The prefix space belongs in front of the whole, before it is split: GPT-2's own step does it in that order.
  pipeline.pre_tokenizers = make_pre_tokenizers({add_prefix_space ? alone : steps, std::string(source), "pattern"});
  const Json decoder = parse_json(byte_level, source), nfc = parse_json(R"({"type":"NFC"})", source);
  pipeline.decoders = make_decoders({decoder, std::string(source), "decoder"});
  if (compose) pipeline.normalizer = make_normalizer({nfc, std::string(source), "normalizer"});
}

void add_or_throw(Vocabulary& vocabulary, std::string_view token, int64_t id, std::string_view source) {
  if (id > Vocabulary::kMaxId) throw LoadError(source, "id " + std::to_string(id) + " is beyond 2^24");
  switch (vocabulary.add(token, static_cast<int32_t>(id))) {
    case Vocabulary::Added::kYes: return;
    case Vocabulary::Added::kSpellingTaken:
      throw LoadError(source, "the token of id " + std::to_string(id) + " comes twice");
    case Vocabulary::Added::kIdTaken: throw LoadError(source, "id " + std::to_string(id) + " comes twice");
    case Vocabulary::Added::kRefused: throw LoadError(source, "more than 1200000 tokens, or too large");
  }
}

// Every way to cut `spelled`, of rank `id`, into two tokens.
void add_cuts(std::string_view spelled, int32_t id, const Vocabulary& vocabulary, MergeTable& merges,
              std::string_view source) {
  for (size_t cut = utf8_length(spelled[0]); cut < spelled.size(); cut += utf8_length(spelled[cut])) {
    const int32_t left = vocabulary.find(spelled.substr(0, cut));
    const int32_t right = left < 0 ? -1 : vocabulary.find(spelled.substr(cut));
    if (right >= 0 && !merges.add(left, right, {static_cast<uint32_t>(id), id}))
      throw LoadError(source, "more than 2000000 ways to make its tokens");
  }
}

}  // namespace

bool is_tiktoken(std::string_view content) {
  std::string bytes;
  int64_t rank = 0;
  return read_line(next_line(content), bytes, rank);
}

std::unique_ptr<Tokenizer::Pipeline> read_tiktoken(std::string_view content, std::string_view source,
                                                   std::string_view tokenizer_class) {
  Vocabulary vocabulary;
  std::string bytes, spelled;
  int64_t rank = 0;
  for (size_t number = 1; !content.empty(); ++number) {
    const std::string_view line = next_line(content);
    if (line.empty()) continue;
    if (!read_line(line, bytes, rank) || bytes.empty() || bytes.size() > kMaxTokenBytes)
      throw LoadError(source, "line " + std::to_string(number) + " is not a token and its rank");
    spelled.clear();
    append_byte_level(spelled, bytes);
    add_or_throw(vocabulary, spelled, rank, source);
  }
  if (vocabulary.size() == 0) throw LoadError(source, "holds no tokens");
  MergeTable merges;
  for (int32_t id = 0; id < vocabulary.end_id(); ++id)
    if (vocabulary.contains(id)) add_cuts(vocabulary.token(id), id, vocabulary, merges, source);

  auto pipeline = std::make_unique<Tokenizer::Pipeline>();
  pipeline->source = source;
  BpeOptions options;
  options.ignore_merges = true;
  pipeline->model = std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), options);
  const auto named = [&](std::string_view part) { return source.find(part) != source.npos; };
  const bool qwen = tokenizer_class.starts_with("QWen") || named("qwen.tiktoken");
  const bool kimi = tokenizer_class.starts_with("TikTokenTokenizer");
  const std::string_view pattern = qwen             ? kQwen
                                   : kimi           ? kKimi
                                   : named("o200k") ? kO200k
                                   : named("50k")   ? kGpt2
                                                    : kCl100k;
  add_byte_level(*pipeline, pattern, false, qwen, source);
  if (qwen) {  // its tokens stand in Python code only
    std::vector<std::string> special = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    for (int i = 0; i < 205; ++i) special.push_back("<|extra_" + std::to_string(i) + "|>");
    for (std::string& token : special) add_token(*pipeline, {std::move(token), false, false, false, false, true});
  }
  pipeline->finish();
  return pipeline;
}

std::unique_ptr<Tokenizer::Pipeline> read_vocab_and_merges(std::string_view vocab, std::string_view vocab_source,
                                                           std::string_view merges_text, std::string_view merges_source,
                                                           std::string_view tokenizer_class, bool add_prefix_space) {
  Vocabulary vocabulary;
  JsonReader in(vocab, vocab_source);
  std::string key;
  in.begin_object();
  while (in.next_key(key)) add_or_throw(vocabulary, key, in.integer(), vocab_source);
  in.expect_end();

  MergeTable merges;
  uint32_t rank = 0;
  while (!merges_text.empty()) {
    const std::string_view line = next_line(merges_text);
    if (line.empty() || line.starts_with("#version")) continue;
    const size_t space = line.find(' ');
    const std::string joined =
        space == line.npos ? "" : std::string(line.substr(0, space)) + std::string(line.substr(space + 1));
    const int32_t left = vocabulary.find(line.substr(0, std::min(space, line.size())));
    const int32_t right = space == line.npos ? -1 : vocabulary.find(line.substr(space + 1)),
                  id = vocabulary.find(joined);
    if (left < 0 || right < 0 || id < 0 || !merges.add(left, right, {rank, id}))
      throw LoadError(merges_source, "merge " + std::to_string(rank) + " is not two tokens of the vocabulary");
    ++rank;
  }
  auto pipeline = std::make_unique<Tokenizer::Pipeline>();
  pipeline->source = vocab_source;
  pipeline->model = std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), BpeOptions{});
  const bool qwen = tokenizer_class.starts_with("Qwen2");
  add_byte_level(*pipeline, qwen ? kQwen : kGpt2, add_prefix_space, qwen, vocab_source);
  pipeline->finish();
  return pipeline;
}

}  // namespace hearth::text
