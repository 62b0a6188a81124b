// tokenizer.json has a small part that depends on the kind of tokenizer, built as JSON, and two long lists, vocabulary
// and merges, written as text: an ordered JSON object of 128,000 keys would take minutes to fill. llama.cpp's
// SentencePiece vocabulary has scores instead of merges; a merge exists wherever a piece splits into two others, best
// score first.
#include "weights/gguf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"

namespace hearth::weights {

namespace {

constexpr size_t kLongestToken = 1024;  // bytes; rebuilding merges is quadratic in it

constexpr const char* kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))";
constexpr const char* kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr const char* kQwen35Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kSeedCoderPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";
// DeepSeek's letters of alphabets that have cases.
constexpr const char* kDeepSeekLetters =
    R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-)"
    R"(ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ)"
    R"(-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)";
constexpr const char* kDeepSeekPunctuation = R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)";
constexpr const char* kDeepSeekIdeographs = R"([一-龥ࠀ-一가-퟿]+)";
constexpr const char* kDeepSeek3Pattern =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+)"
    R"([\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// How byte-level text is split before merging. With no patterns ByteLevel's own (GPT-2's) regex is used.
struct SplittingRule {
  std::vector<const char*> patterns = {};
  bool single_digits = false;
  bool nfc = false;
  bool ignore_merges = false;  // a word that is a token as a whole stays one
  bool adds_bos = false;       // unless the file says otherwise
};

// llama.cpp's names, several for one rule.
const std::unordered_map<std::string_view, SplittingRule>& splitting_rules() {
  static const std::unordered_map<std::string_view, SplittingRule> rules = [] {
    std::unordered_map<std::string_view, SplittingRule> table;
    const auto add = [&](std::initializer_list<const char*> names, const SplittingRule& rule) {
      for (const char* name : names) table.emplace(name, rule);
    };
    add({"gpt-2", "phi-2", "mpt", "olmo", "jais", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "trillion",
         "gigachat", "a.x-4.0", "mellum", "exaone4"},
        {});
    add({"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"}, {.single_digits = true});
    add({"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"},
        {.patterns = {kLlama3Pattern}, .ignore_merges = true, .adds_bos = true});
    add({"smaug-bpe", "dbrx"}, {.patterns = {kLlama3Pattern}});
    add({"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2"}, {.patterns = {kQwen2Pattern}, .nfc = true});
    add({"stablelm2", "megrez", "hunyuan", "solar-open"}, {.patterns = {kQwen2Pattern}});
    add({"qwen35"}, {.patterns = {kQwen35Pattern}, .nfc = true});
    add({"seed-coder"}, {.patterns = {kSeedCoderPattern}});
    add({"deepseek-llm"}, {.patterns = {R"([\r\n])", kDeepSeekLetters, kDeepSeekPunctuation, R"(\s+$)",
                                        kDeepSeekIdeographs, R"(\p{N}+)"}});
    add({"deepseek-coder"},
        {.patterns = {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", kDeepSeekIdeographs, R"(\p{N})"}});
    add({"deepseek-v3", "hunyuan-dense"},
        {.patterns = {R"(\p{N}{1,3})", R"([一-龥぀-ゟ゠-ヿ]+)", kDeepSeek3Pattern}});
    add({"falcon"}, {.patterns = {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2Pattern, "[0-9][0-9][0-9]"}});
    add({"tekken"}, {.patterns = {kTekkenPattern}, .ignore_merges = true, .adds_bos = true});
    add({"default"}, {.patterns = {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Pattern, R"(\p{N}+)", "[0-9][0-9][0-9]"}});
    return table;
  }();
  return rules;
}

const SplittingRule& splitting_rule(const ConfigReader& metadata) {
  const std::string name = metadata.string_or("tokenizer.ggml.pre", "default");
  const auto found = splitting_rules().find(name);
  if (found == splitting_rules().end())
    metadata.refuse("tokenizer.ggml.pre", fmt::format("the splitting rule '{}' is not known", name));
  return found->second;
}

Json byte_level(bool own_regex, bool add_prefix_space) {
  return {
      {"type", "ByteLevel"}, {"add_prefix_space", add_prefix_space}, {"trim_offsets", true}, {"use_regex", own_regex}};
}

Json split_at(const char* pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

Json pre_tokenizer(const SplittingRule& rule) {
  Json steps = Json::array();
  if (rule.single_digits) steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
  for (const char* pattern : rule.patterns) steps.push_back(split_at(pattern));
  steps.push_back(byte_level(rule.patterns.empty(), false));
  if (steps.size() == 1) return steps[0];
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

Json replace(const char* from, const char* to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

constexpr const char* kSpaceMark = "\u2581";

Json sentencepiece_normalizer(bool add_space_prefix) {
  Json steps = Json::array();
  if (add_space_prefix) steps.push_back({{"type", "Prepend"}, {"prepend", kSpaceMark}});
  steps.push_back(replace(" ", kSpaceMark));
  return {{"type", "Sequence"}, {"normalizers", steps}};
}

Json sentencepiece_decoder(bool strip_space) {
  Json steps = Json::array({replace(kSpaceMark, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
  if (strip_space) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", steps}};
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

}  // namespace

GgufTokenizer::GgufTokenizer(const GgufFile& file) : file_(file) {
  const ConfigReader metadata = file.metadata();
  model_ = metadata.string("tokenizer.ggml.model");
  if (model_ != "gpt2" && model_ != "llama")
    metadata.refuse("tokenizer.ggml.model", fmt::format("tokenizers of kind '{}' cannot be converted", model_));
  add_space_prefix_ = metadata.boolean_or("tokenizer.ggml.add_space_prefix", is_sentencepiece());
  add_bos_ =
      metadata.boolean_or("tokenizer.ggml.add_bos_token", is_sentencepiece() || splitting_rule(metadata).adds_bos);
  add_eos_ = metadata.boolean_or("tokenizer.ggml.add_eos_token", false);

  tokens_ = file.strings("tokenizer.ggml.tokens");
  if (tokens_.empty()) metadata.refuse("tokenizer.ggml.tokens", "missing");
  std::unordered_set<std::string_view> seen;
  for (std::string_view token : tokens_) {
    if (token.size() > kLongestToken) metadata.refuse("tokenizer.ggml.tokens", "a token of more than 1024 bytes");
    if (!seen.insert(token).second)
      metadata.refuse("tokenizer.ggml.tokens", fmt::format("the token '{}' appears twice", token));
  }
  for (double type : file.numbers("tokenizer.ggml.token_type")) {
    if (!(type >= 1 && type <= 6)) metadata.refuse("tokenizer.ggml.token_type", "a type that is not 1 to 6");
    types_.push_back(static_cast<int>(type));
  }
  if (types_.empty()) types_.assign(tokens_.size(), kNormal);
  if (types_.size() != tokens_.size())
    metadata.refuse("tokenizer.ggml.token_type", fmt::format("{} types for {} tokens", types_.size(), tokens_.size()));
}

std::optional<int> GgufTokenizer::special_id(std::string_view name) const {
  return file_.metadata().optional_integer(fmt::format("tokenizer.ggml.{}_token_id", name),
                                           {.min = 0, .max = static_cast<int64_t>(tokens_.size()) - 1});
}

std::vector<int> GgufTokenizer::end_ids() const {
  constexpr std::string_view kNames[] = {"<|eot_id|>",    "<|eom_id|>",      "<|im_end|>",    "<|end|>",
                                         "<|endoftext|>", "<|end_of_text|>", "<end_of_turn>", "<end_of_utterance>",
                                         "<EOT>",         "_<EOT>",          "[EOT]",         "<｜end▁of▁sentence｜>"};
  std::vector<int> ids;
  const auto add = [&](int id) {
    if (!std::ranges::count(ids, id)) ids.push_back(id);
  };
  for (const char* name : {"eos", "eot", "eom"})
    if (const auto id = special_id(name)) add(*id);
  for (size_t i = 0; i < tokens_.size(); ++i)
    if ((types_[i] == kControl || types_[i] == kUserDefined) && std::ranges::count(kNames, tokens_[i]))
      add(static_cast<int>(i));
  return ids;
}

std::vector<GgufTokenizer::Merge> GgufTokenizer::merges() const {
  return is_sentencepiece() ? merges_from_scores() : listed_merges();
}

std::vector<GgufTokenizer::Merge> GgufTokenizer::listed_merges() const {
  constexpr const char* kKey = "tokenizer.ggml.merges";
  std::vector<Merge> merges;
  for (std::string_view line : file_.strings(kKey)) {
    const size_t space = line.find(' ', 1);
    if (space == line.npos || space + 1 == line.size())
      throw LoadError(file_.source(), kKey, fmt::format("'{}' is not two pieces", line));
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  if (merges.empty()) throw LoadError(file_.source(), kKey, "missing");
  return merges;
}

std::vector<GgufTokenizer::Merge> GgufTokenizer::merges_from_scores() const {
  const std::vector<double> scores = file_.numbers("tokenizer.ggml.scores");
  if (scores.size() != tokens_.size())
    throw LoadError(file_.source(), "tokenizer.ggml.scores",
                    fmt::format("{} scores for {} tokens", scores.size(), tokens_.size()));
  std::unordered_map<std::string_view, int> ids;
  for (size_t i = 0; i < tokens_.size(); ++i)
    if (types_[i] == kNormal || types_[i] == kUserDefined) ids.emplace(tokens_[i], static_cast<int>(i));

  struct Candidate {
    Merge merge;
    double score;
    size_t left_characters, right_characters;
  };
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string_view token = tokens_[i];
    if (!ids.contains(token)) continue;
    if (scores[i] != scores[i])
      throw LoadError(file_.source(), "tokenizer.ggml.scores", fmt::format("the score of '{}' is not a number", token));
    std::vector<std::tuple<int, int, size_t>> splits;  // ids of both parts, where the token splits
    for (size_t at = 1; at < token.size(); ++at) {
      if (continues_character(token[at])) continue;
      const auto left = ids.find(token.substr(0, at)), right = ids.find(token.substr(at));
      if (left != ids.end() && right != ids.end()) splits.emplace_back(left->second, right->second, at);
    }
    std::sort(splits.begin(), splits.end());
    for (const auto& [left_id, right_id, at] : splits) {
      const Merge merge{token.substr(0, at), token.substr(at)};
      candidates.push_back({merge, scores[i], characters(merge.first), characters(merge.second)});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.score, a.left_characters, a.right_characters) >
           std::tie(b.score, b.left_characters, b.right_characters);
  });
  std::vector<Merge> merges;
  for (const Candidate& candidate : candidates) merges.push_back(candidate.merge);
  return merges;
}

Json GgufTokenizer::added_tokens() const {
  Json added = Json::array();
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const bool special = types_[i] == kControl || (types_[i] == kUnknown && is_sentencepiece());
    if (!special && types_[i] != kUserDefined) continue;
    added.push_back({{"id", i},
                     {"content", tokens_[i]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", special}});
  }
  return added;
}

// Begin and end tokens around each text, where the model wants them.
Json GgufTokenizer::post_processor() const {
  const auto bos = add_bos_ ? special_id("bos") : std::nullopt, eos = add_eos_ ? special_id("eos") : std::nullopt;
  if (!bos && !eos) return nullptr;
  const auto around = [&](Json& sequence, const char* id, int type) {
    const auto token = [&](int i) { return Json{{"SpecialToken", {{"id", tokens_[i]}, {"type_id", type}}}}; };
    if (bos) sequence.push_back(token(*bos));
    sequence.push_back({{"Sequence", {{"id", id}, {"type_id", type}}}});
    if (eos) sequence.push_back(token(*eos));
  };
  Json single = Json::array(), pair = Json::array(), used = Json::object();
  around(single, "A", 0);
  around(pair, "A", 0);
  around(pair, "B", 1);
  for (const auto& id : {bos, eos})
    if (id) used[std::string(tokens_[*id])] = {{"id", tokens_[*id]}, {"ids", {*id}}, {"tokens", {tokens_[*id]}}};
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", used}};
}

std::string GgufTokenizer::model_json() const {
  const auto unknown = special_id("unknown");
  const bool has_unknown = is_sentencepiece() && unknown;
  Json settings = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", has_unknown ? Json(tokens_[*unknown]) : Json(nullptr)},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", is_sentencepiece()},
                   {"byte_fallback", is_sentencepiece()},
                   {"ignore_merges", !is_sentencepiece() && splitting_rule(file_.metadata()).ignore_merges}};
  std::string text = settings.dump();
  text.pop_back();  // the closing brace; the long lists follow
  text += R"(,"vocab":{)";
  for (size_t i = 0; i < tokens_.size(); ++i)
    text += fmt::format("{}{}:{}", i == 0 ? "" : ",", Json(tokens_[i]).dump(), i);
  text += R"(},"merges":[)";
  const char* separator = "";
  for (const auto& [left, right] : merges()) {
    text += fmt::format("{}[{},{}]", separator, Json(left).dump(), Json(right).dump());
    separator = ",";
  }
  return text + "]}";
}

std::string GgufTokenizer::tokenizer_json() const {
  Json outer = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", added_tokens()}};
  if (is_sentencepiece()) {
    outer["normalizer"] = sentencepiece_normalizer(add_space_prefix_);
    outer["pre_tokenizer"] = nullptr;
    outer["post_processor"] = post_processor();
    outer["decoder"] = sentencepiece_decoder(add_space_prefix_);
  } else {
    const SplittingRule& rule = splitting_rule(file_.metadata());
    outer["normalizer"] = rule.nfc ? Json{{"type", "NFC"}} : Json(nullptr);
    outer["pre_tokenizer"] = pre_tokenizer(rule);
    outer["post_processor"] = post_processor();
    outer["decoder"] = byte_level(true, true);
  }
  try {
    std::string text = outer.dump();
    text.pop_back();
    return text + R"(,"model":)" + model_json() + "}";
  } catch (const Json::type_error&) {  // dump() refuses what is not UTF-8
    throw LoadError(file_.source(), "tokenizer.ggml.tokens", "a token is not UTF-8");
  }
}

// One template is a string, several are a list of {name, template}: transformers' form.
Json GgufTokenizer::chat_templates() const {
  const ConfigReader metadata = file_.metadata();
  const auto names = file_.strings("tokenizer.chat_templates");
  Json main =
      metadata.has("tokenizer.chat_template") ? Json(metadata.string("tokenizer.chat_template")) : Json(nullptr);
  if (names.empty()) return main;
  Json list = Json::array();
  if (!main.is_null()) list.push_back({{"name", "default"}, {"template", main}});
  for (std::string_view name : names)
    list.push_back({{"name", name}, {"template", metadata.string(fmt::format("tokenizer.chat_template.{}", name))}});
  return list;
}

Json GgufTokenizer::tokenizer_config(int model_max_length) const {
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}};
  const auto name = [&](const char* key, const char* id) {
    if (const auto token = special_id(id)) config[key] = tokens_[*token];
  };
  name("bos_token", "bos");
  name("eos_token", "eos");
  name("pad_token", "padding");
  if (is_sentencepiece()) name("unk_token", "unknown");
  if (Json templates = chat_templates(); !templates.is_null()) config["chat_template"] = std::move(templates);
  config["model_max_length"] = model_max_length;
  config["clean_up_tokenization_spaces"] = false;
  return config;
}

}  // namespace hearth::weights
