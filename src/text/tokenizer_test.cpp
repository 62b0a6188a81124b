#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "text/detokenizer.h"
#include "text/tokenizer/json_reader.h"

namespace hearth::text {
namespace {

namespace fs = std::filesystem;
const fs::path kData = fs::path(HEARTH_SOURCE_DIR) / "src/text/testdata";
constexpr JsonLimits kFixtureLimits{.depth = 64, .keys = 100'000};

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

std::string streamed(const std::shared_ptr<const Tokenizer>& tokenizer, const std::vector<int32_t>& ids, bool skip) {
  Detokenizer detokenizer(tokenizer, skip);
  std::string out;
  for (const int32_t id : ids) out += detokenizer.add(id);
  return out + detokenizer.finish();
}

// A folder of files in the test's temporary directory.
fs::path make_folder(const std::string& name, const std::map<std::string, std::string>& files) {
  const fs::path folder = fs::path(testing::TempDir()) / ("hearth_tokenizer_" + name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  for (const auto& [file, content] : files) std::ofstream(folder / file) << content;
  return folder;
}

std::string tiny(const std::string& more = "", const std::string& model = "") {
  return R"({"version":"1.0",)" + more + R"("model":)" +
         (model.empty() ? R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2," ":3},"merges":["a b"]})" : model) + "}";
}

// A Split, for tiny(); the pattern as JSON spells it.
std::string split(const std::string& pattern, const std::string& behavior = "Isolated") {
  return R"("pre_tokenizer":{"type":"Split","behavior":")" + behavior + R"(","invert":false,"pattern":{"Regex":")" +
         pattern + R"("}},)";
}

std::string refusal(const std::string& json) {
  try {
    Tokenizer::from_json(json, "t.json");
  } catch (const LoadError& error) {
    return error.what();
  }
  return "accepted";
}

class EveryComponent : public testing::TestWithParam<fs::path> {
 protected:
  EveryComponent()
      : data_(load_json(GetParam(), kFixtureLimits)), tokenizer_(Tokenizer::from_json(data_["tokenizer"].dump())) {}
  Json data_;
  std::shared_ptr<const Tokenizer> tokenizer_;
};

TEST_P(EveryComponent, EncodesAsTheTokenizersLibraryDoes) {
  for (const Json& answer : data_["answers"]["encoded"]) {
    const std::string text = answer["text"];
    SCOPED_TRACE(text);
    const auto ids = answer["ids"].get<std::vector<int32_t>>();
    EXPECT_EQ(tokenizer_->encode(text), ids);
    EXPECT_EQ(tokenizer_->encode(text, false), answer["plain"].get<std::vector<int32_t>>());
    const Encoding full = tokenizer_->encode_with_offsets(text);
    EXPECT_EQ(full.ids, ids);
    std::vector<uint32_t> offsets;
    for (const auto& [begin, end] : full.offsets) offsets.insert(offsets.end(), {begin, end});
    EXPECT_EQ(offsets, answer["offsets"].get<std::vector<uint32_t>>());
    EXPECT_EQ(full.type_ids, answer["type_ids"].get<std::vector<int32_t>>());
    EXPECT_EQ(full.special_tokens_mask, answer["special"].get<std::vector<uint8_t>>());
    EXPECT_EQ(full.attention_mask, answer["attention"].get<std::vector<uint8_t>>());
    const std::vector<std::string_view> batch = {text};
    EXPECT_EQ(tokenizer_->encode_batch(batch).at(0), ids);
  }
}

TEST_P(EveryComponent, DecodesAndStreamsAsTheTokenizersLibraryDoes) {
  for (const Json& answer : data_["answers"]["decoded"]) {
    const auto ids = answer["ids"].get<std::vector<int32_t>>();
    EXPECT_EQ(tokenizer_->decode(ids), answer["text"].get<std::string>());
    EXPECT_EQ(tokenizer_->decode(ids, true), answer["skipped"].get<std::string>());
    EXPECT_EQ(streamed(tokenizer_, ids, false), answer["text"].get<std::string>());
    EXPECT_EQ(streamed(tokenizer_, ids, true), answer["skipped"].get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, EveryComponent, testing::ValuesIn(entries(kData / "tokenizers")),
                         [](const auto& info) { return info.param.stem().string(); });

class SentencePieceFile : public testing::TestWithParam<fs::path> {};

TEST_P(SentencePieceFile, GivesWhatSentencePieceGives) {
  const auto tokenizer = Tokenizer::load(GetParam());
  for (const Json& answer : load_json(GetParam() / "answers.json")) {
    const auto ids = answer["ids"].get<std::vector<int32_t>>(), known = answer["known"].get<std::vector<int32_t>>();
    EXPECT_EQ(tokenizer->encode(answer["text"].get<std::string>()), ids) << answer["text"];
    EXPECT_EQ(tokenizer->decode(known), answer["decoded"].get<std::string>());
    EXPECT_EQ(streamed(tokenizer, known, false), answer["decoded"].get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SentencePieceFile, testing::ValuesIn(entries(kData / "sentencepiece")),
                         [](const auto& info) { return info.param.stem().string(); });

TEST(Tokenizer, ReadsInvalidUtf8AsReplacementCharacters) {
  const auto tokenizer =
      Tokenizer::from_json(load_json(kData / "tokenizers/gpt2.json", kFixtureLimits)["tokenizer"].dump());
  // The maximal subparts of table 3-8 in the Unicode standard, and a sequence the text ends within.
  const std::string bad =
      "a\xF1\x80\x80\xE1\x80\xC2"
      "b\x80\xE2\x82";
  const std::string good =
      "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
      "b\xEF\xBF\xBD\xEF\xBF\xBD";
  EXPECT_EQ(tokenizer->encode(bad), tokenizer->encode(good));
  const Encoding characters = tokenizer->encode_with_offsets(bad),
                 bytes = tokenizer->encode_with_offsets(bad, {.unit = OffsetUnit::kBytes});
  EXPECT_EQ(characters.offsets, tokenizer->encode_with_offsets(good).offsets);
  EXPECT_EQ(bytes.offsets.back().second, bad.size());
}

TEST(Tokenizer, GivesTheSameIdsToManyThreads) {
  const Json data = load_json(kData / "tokenizers/cl100k.json", kFixtureLimits);
  const auto tokenizer = Tokenizer::from_json(data["tokenizer"].dump());
  std::string text;
  for (const Json& answer : data["answers"]["encoded"]) text += answer["text"].get<std::string>();
  const auto want = tokenizer->encode(text);
  std::vector<std::vector<int32_t>> got(4);
  std::vector<std::thread> threads;
  for (auto& ids : got)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) ids = tokenizer->encode(text);
    });
  for (auto& thread : threads) thread.join();
  for (const auto& ids : got) EXPECT_EQ(ids, want);
}

TEST(Tokenizer, TokenizesEightMegabytesOfOneLetterLikeItsParts) {
  const auto tokenizer = Tokenizer::from_json(
      R"({"model":{"type":"BPE","vocab":{"a":0,"aa":1,"aaaa":2,"b":3},"merges":["a a","aa aa"]},
          "pre_tokenizer":{"type":"Split","pattern":{"Regex":"b+"},"behavior":"Isolated","invert":false}})");
  const auto ids = tokenizer->encode(std::string((8 << 20) + 3, 'a'));
  EXPECT_EQ(ids.size(), (2u << 20) + 2);
  EXPECT_EQ(ids[ids.size() - 2], 1);
  EXPECT_EQ(ids.back(), 0);
}

// Merges pair by pair as the rule says, the best-ranked first, the leftmost of equals; ids are places in `merges`,
// behind those of a, b and c.
std::vector<int32_t> merge_plainly(const std::string& text, const std::vector<std::pair<int, int>>& merges) {
  const size_t symbols = 3 + merges.size();
  std::vector<size_t> rank(symbols * symbols, merges.size());
  for (size_t i = 0; i < merges.size(); ++i) {
    rank[static_cast<size_t>(merges[i].first) * symbols + static_cast<size_t>(merges[i].second)] = i;
  }
  std::vector<size_t> ids;
  for (const char c : text) ids.push_back(static_cast<size_t>(c - 'a'));
  for (;;) {
    size_t best = merges.size(), place = 0;
    for (size_t i = 0; i + 1 < ids.size() && best > 0; ++i) {
      const size_t here = rank[ids[i] * symbols + ids[i + 1]];
      if (here < best) best = here, place = i;
    }
    if (best == merges.size()) return {ids.begin(), ids.end()};
    ids[place] = 3 + best;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(place) + 1);
  }
}

struct RandomMerges {
  std::string json;
  std::vector<std::pair<int, int>> ranked;
};

// Nine merges over a, b and c, ranked in any order: a token may merge on before the turn of the pair that makes it.
RandomMerges make_merges(std::mt19937& random) {
  std::vector<std::string> tokens = {"a", "b", "c"};
  std::vector<std::pair<size_t, size_t>> pairs;
  while (pairs.size() < 9) {
    const size_t left = random() % tokens.size(), right = random() % tokens.size();
    const std::string both = tokens[left] + tokens[right];
    if (both.size() > 12 || std::find(tokens.begin(), tokens.end(), both) != tokens.end()) continue;
    tokens.push_back(both);
    pairs.emplace_back(left, right);
  }
  std::vector<size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  std::vector<int> id_of = {0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (size_t rank = 0; rank < order.size(); ++rank) id_of[3 + order[rank]] = static_cast<int>(3 + rank);
  Json merges = Json::array(), vocabulary = Json::object();
  for (size_t i = 0; i < tokens.size(); ++i) vocabulary[tokens[i]] = id_of[i];
  RandomMerges result;
  for (const size_t i : order) {
    merges.push_back(Json::array({tokens[pairs[i].first], tokens[pairs[i].second]}));
    result.ranked.emplace_back(id_of[pairs[i].first], id_of[pairs[i].second]);
  }
  result.json = tiny("", Json{{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}}.dump());
  return result;
}

TEST(Tokenizer, MergesLongRowsPairByPair) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    const RandomMerges merges = make_merges(random);
    std::string unit, text;
    for (size_t n = 1 + random() % 4; n > 0; --n) unit += static_cast<char>('a' + random() % 3);
    while (text.size() < 4200) text += random() % 500 == 0 ? "cab" : unit;
    const auto tokenizer = Tokenizer::from_json(merges.json);
    EXPECT_EQ(tokenizer->encode(text), merge_plainly(text, merges.ranked)) << unit << ' ' << merges.json;
  }
}

TEST(Tokenizer, RefusesBrokenFilesNamingTheKey) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal(tiny("", R"({"type":"BPE","vocab":{"a":0},"merges":["a b"]})")),
              HasSubstr("t.json: model.merges: merge 0"));
  EXPECT_THAT(refusal(tiny("", R"({"type":"BPE","vocab":{"a":0,"b":0},"merges":[]})")), HasSubstr("id 0 comes twice"));
  EXPECT_THAT(refusal(tiny("", R"({"type":"BPE","vocab":{"a":99999999999},"merges":[]})")), HasSubstr("beyond 2^24"));
  EXPECT_THAT(refusal(tiny("", R"({"type":"BPE","vocab":{"a":0},"merges":["a"]})")), HasSubstr("not two tokens"));
  EXPECT_THAT(refusal(tiny("", R"({"type":"Magic","vocab":{"a":0}})")), HasSubstr("unknown model 'Magic'"));
  EXPECT_THAT(refusal(tiny(R"("normalizer":{"type":"Sequence","normalizers":[{"type":"Upper"}]},)")),
              HasSubstr("t.json: normalizer.normalizers[0]: unknown normalizer 'Upper'"));
  EXPECT_THAT(refusal(tiny(R"("decoder":{"type":"Strip","content":" ","start":1},)")),
              HasSubstr("decoder.stop: missing"));
  EXPECT_THAT(refusal(R"({"model":)"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{}"), HasSubstr("model: missing"));
  EXPECT_THAT(refusal(std::string(100'000, '[')), HasSubstr("t.json: "));
  EXPECT_EQ(refusal(tiny()), "accepted");
}

TEST(Tokenizer, RefusesPatternsThatTakeExponentialTimeOrThatItDoesNotKnow) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal(tiny(split("^(a+)+[bc]"))), HasSubstr("exponential"));
  EXPECT_THAT(refusal(tiny(split("\\\\p{Klingon}"))), HasSubstr("unknown property 'Klingon'"));
  EXPECT_THAT(refusal(tiny(split("(?W:a)"))), HasSubstr("pre_tokenizer.pattern.Regex"));
  EXPECT_THAT(refusal(tiny(split("a("))), HasSubstr("missing )"));
}

TEST(Tokenizer, RefusesMorePatternsThanItCouldCompileInASecond) {
  const auto nested = [](const Json& step, size_t times) {
    Json steps = Json::array();
    for (size_t i = 0; i < times; ++i) steps.push_back(step);
    return Json{{"type", "Sequence"}, {"pretokenizers", steps}};
  };
  const Json split = {
      {"type", "Split"}, {"behavior", "Isolated"}, {"invert", false}, {"pattern", {{"Regex", "[^\\s\\p{L}]+"}}}};
  const auto whole = [](const Json& step) { return tiny("\"pre_tokenizer\":" + step.dump() + ","); };
  EXPECT_EQ(refusal(whole(nested(nested(split, 8), 4))), "accepted");
  EXPECT_THAT(refusal(whole(nested(nested(split, 64), 64))), testing::HasSubstr("more than 32 regular expressions"));
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};
  EXPECT_THAT(refusal(whole(nested(nested(bytes, 64), 64))), testing::HasSubstr("more than 64 steps"));
}

TEST(Tokenizer, NamesThePatternThatTakesTooLongOnAText) {
  const auto tokenizer = Tokenizer::from_json(tiny(split("(?:(?:ab)+)+[ x]")));
  EXPECT_EQ(tokenizer->encode("abab ").size(), 3u);
  std::string text;
  for (int i = 0; i < 40; ++i) text += "ab";
  EXPECT_THAT([&] { tokenizer->encode(text); },
              testing::ThrowsMessage<RequestError>(testing::HasSubstr("'(?:(?:ab)+)+[ x]' takes too many steps")));
}

// Each match is cheap enough, all of them are not: they look to the end of the row from every place.
TEST(Tokenizer, StopsPatternsThatTakeQuadraticTime) {
  const std::string row(150'000, 'a');
  for (const char* pattern : {"a*b|a", "a*b"}) {
    const auto tokenizer = Tokenizer::from_json(tiny(split(pattern)));
    EXPECT_THAT([&] { tokenizer->encode(row); },
                testing::ThrowsMessage<RequestError>(testing::HasSubstr("takes too many steps")));
    EXPECT_EQ(tokenizer->encode("aab").size(), 2u);
  }
}

// Far behind the first window of places that are tried.
TEST(Tokenizer, FindsTheFirstMatchBehindAnyNumberOfPlaces) {
  const std::string words = R"({"type":"WordLevel","vocab":{"x":0},"unk_token":"x"})";
  const auto tokenizer = Tokenizer::from_json(tiny(split("(?<=\u00e9)b+|^c"), words));
  for (size_t places = 1020; places < 1030; ++places) {
    std::string text;
    for (size_t i = 0; i < 3 * places; ++i) text += "\u00e9";
    const auto size = static_cast<uint32_t>(text.size());
    EXPECT_EQ(tokenizer->encode_with_offsets(text + "bbc", {.unit = OffsetUnit::kBytes}).offsets,
              (std::vector<Offsets>{{0, size}, {size, size + 2}, {size + 2, size + 3}}));
  }
}

std::string sequence(const std::string& list, const std::string& step, int count) {
  std::string steps = step;
  for (int i = 1; i < count; ++i) steps += "," + step;
  return R"({"type":"Sequence",")" + list + "\":[" + steps + "]}";
}

TEST(Tokenizer, StopsNormalizersThatMakeATextGrowWithoutEnd) {
  const std::string more =
      "\"normalizer\":" + sequence("normalizers", R"({"type":"Replace","pattern":{"String":"a"},"content":"aa"})", 30);
  const auto tokenizer = Tokenizer::from_json(tiny(more + ","));
  const auto too_long = testing::ThrowsMessage<RequestError>(testing::HasSubstr("64 times as long"));
  EXPECT_THAT([&] { tokenizer->encode("ab"); }, too_long);
  EXPECT_THAT([&] { tokenizer->encode_with_offsets("ab"); }, too_long);
  EXPECT_EQ(tokenizer->encode("b"), (std::vector<int32_t>{1}));
  EXPECT_THAT(refusal(tiny(more + R"(,"added_tokens":[{"id":4,"content":"<a>","normalized":true}],)")),
              testing::HasSubstr("t.json: normalizer: "));
  const std::string bytes =
      sequence("pretokenizers", R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})", 40);
  EXPECT_THAT([&] { Tokenizer::from_json(tiny("\"pre_tokenizer\":" + bytes + ","))->encode("\u00e9"); },
              testing::ThrowsMessage<RequestError>(testing::HasSubstr("64 times as long")));
}

TEST(Tokenizer, RefusesDecodersAndPaddingThatWouldFillTheMemory) {
  const std::string replace = R"({"type":"Replace","pattern":{"String":"a"},"content":"aa"})";
  EXPECT_THAT(refusal(tiny("\"decoder\":" + sequence("decoders", replace, 36) + ",")),
              testing::HasSubstr("4096 times as long"));
  EXPECT_EQ(refusal(tiny("\"decoder\":" + sequence("decoders", replace, 12) + ",")), "accepted");
  const auto padding = [](const std::string& length, const std::string& token) {
    return tiny(R"("padding":{"direction":"Right","strategy":{"Fixed":)" + length +
                R"(},"pad_id":0,"pad_type_id":0,"pad_token":")" + token + "\"},");
  };
  EXPECT_THAT(refusal(padding("16777216", "p")), testing::HasSubstr("2^20 tokens"));
  EXPECT_THAT(refusal(padding("1048576", std::string(2000, 'p'))), testing::HasSubstr("64 MiB of pad_token"));
  EXPECT_EQ(refusal(padding("1048576", "p")), "accepted");
}

// What `tokenizers` says "Missing [UNK] token from the vocabulary" and the like to.
TEST(Tokenizer, FailsWhereTheUnknownTokenIsMissing) {
  const std::string models[] = {
      R"({"type":"WordLevel","vocab":{"a":0},"unk_token":"x"})",
      R"({"type":"WordPiece","vocab":{"a":0},"unk_token":"x"})",
      R"({"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"x"})",
      R"({"type":"Unigram","unk_id":null,"vocab":[["a",-1.0],["abb",-20.0]]})",
  };
  for (const std::string& model : models) {
    const auto tokenizer = Tokenizer::from_json(tiny("", model));
    EXPECT_EQ(tokenizer->encode("a"), (std::vector<int32_t>{0})) << model;
    for (const char* text : {"b", "abb"})
      EXPECT_THAT([&] { tokenizer->encode(text); },
                  testing::ThrowsMessage<RequestError>(testing::HasSubstr("lacks the unknown token")))
          << model;
    EXPECT_EQ(tokenizer->encode("a"), (std::vector<int32_t>{0})) << model;
  }
  const auto silent = Tokenizer::from_json(tiny("", R"({"type":"BPE","vocab":{"a":0},"merges":[]})"));
  EXPECT_EQ(silent->encode("ab"), (std::vector<int32_t>{0}));  // no unknown token is named: characters are dropped
  const std::string bytes = R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},)";
  const auto byte_level =
      Tokenizer::from_json(tiny(bytes, R"({"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"x"})"));
  EXPECT_THROW(byte_level->encode("ab"), RequestError);
}

TEST(Tokenizer, RefusesSettingsOfTheWrongTypeByName) {
  using testing::HasSubstr;
  const auto model = [](const std::string& more) {
    return tiny("", R"({"type":"BPE","vocab":{"a":0},"merges":[])" + more + "}");
  };
  EXPECT_THAT(refusal(model(R"(,"dropout":"x")")), HasSubstr("t.json: model.dropout: "));
  EXPECT_THAT(refusal(model(R"(,"byte_fallback":"x")")), HasSubstr("t.json: model.byte_fallback: "));
  EXPECT_EQ(refusal(model(R"(,"dropout":null)")), "accepted");
  EXPECT_THAT(refusal(tiny("", R"({"type":null,"vocab":{"a":0},"merges":[]})")), HasSubstr("t.json: model.type: "));
  EXPECT_THAT(refusal(tiny("", R"({"type":"BPE","vocab":{"a":0,"b":"x"},"merges":[]})")),
              HasSubstr("t.json: model.vocab.b: not valid JSON, or not what is expected here, at byte "));
  EXPECT_THAT(refusal(tiny(R"("added_tokens":[{"id":4,"special":true}],)")),
              HasSubstr("t.json: added_tokens: a token without content"));
  for (const char* part : {"pre_tokenizer", "decoder"})
    EXPECT_THAT(refusal(tiny("\"" + std::string(part) +
                             R"(":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":"x"},)")),
                HasSubstr(std::string(part) + ".trim_offsets"));
}

TEST(TokenizerFolder, RefusesSettingsOfTheWrongTypeByName) {
  const auto refusal_of = [](const std::string& file, const std::string& content) -> std::string {
    try {
      Tokenizer::load(make_folder("types", {{"tokenizer.json", tiny()}, {file, content}}));
    } catch (const LoadError& error) {
      return fs::path(error.path()).filename().string() + ": " + error.key();
    }
    return "accepted";
  };
  for (const std::string key :
       {"eos_token", "bos_token", "pad_token", "unk_token", "cls_token", "added_tokens_decoder", "extra_special_tokens",
        "additional_special_tokens", "add_bos_token", "split_special_tokens"}) {
    EXPECT_EQ(refusal_of("tokenizer_config.json", "{\"" + key + "\": 5}"), "tokenizer_config.json: " + key);
    EXPECT_EQ(refusal_of("tokenizer_config.json", "{\"" + key + "\": null}"), "accepted");
  }
  EXPECT_EQ(refusal_of("special_tokens_map.json", R"({"eos_token": ["x"]})"), "special_tokens_map.json: eos_token");
  EXPECT_EQ(refusal_of("added_tokens.json", R"({"<x>": "4"})"), "added_tokens.json: <x>");
  EXPECT_EQ(refusal_of("tokenizer_config.json", R"({"split_special_tokens": true})"),
            "tokenizer_config.json: split_special_tokens");
  EXPECT_EQ(refusal_of("tokenizer_config.json", R"({"split_special_tokens": false})"), "accepted");
}

// What oniguruma finds, and what PCRE2's compiler leaves out when it looks for where a match may start.
TEST(Tokenizer, FindsMatchesWhereverTheyStart) {
  const std::string words = R"({"type":"WordLevel","vocab":{"[UNK]":0},"unk_token":"[UNK]"})";
  for (const std::string more : {"", R"((?:\\1)?)"}) {
    const auto tokenizer = Tokenizer::from_json(tiny(split(R"((.\\w(\\S)|\\s)\\p{Thai}*+T)" + more), words));
    EXPECT_EQ(tokenizer->encode_with_offsets("ab cd! The quick x").offsets,
              (std::vector<Offsets>{{0, 6}, {6, 8}, {8, 18}}));
  }
}

// EXAONE's words are such: alternatives of classes, repeated. Each letter must not cost a place on the matcher's stack.
TEST(Tokenizer, MatchesRepeatedAlternativesOfClassesOverMegabytes) {
  const auto tokenizer = Tokenizer::from_json(tiny(split(R"(a(?:\\p{L}|\\p{M})+b)", "Removed")));
  EXPECT_EQ(tokenizer->encode("ab" + std::string(4 << 20, 'a') + "bb "), (std::vector<int32_t>{3}));
}

TEST(TokenizerFolder, AddsTheTokensAndRolesThatTheConfigNames) {
  const fs::path folder = make_folder("config", {{"tokenizer.json", tiny()}, {"tokenizer_config.json", R"({
      "bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": true, "normalized": false, "rstrip": false, "single_word": false},
      "pad_token": null, "additional_special_tokens": ["<x>"], "added_tokens_decoder": {"7": {"content": "<s>", "special": true, "rstrip": true}}})"}});
  const auto tokenizer = Tokenizer::load(folder);
  EXPECT_EQ(tokenizer->bos_token(), "<s>");
  EXPECT_EQ(tokenizer->bos_id(), 4);
  EXPECT_EQ(tokenizer->eos_id(), 5);
  EXPECT_EQ(tokenizer->pad_token(), "");
  EXPECT_EQ(tokenizer->encode("<s> a  </s>ab<x>"), (std::vector<int32_t>{4, 0, 5, 2, 6}));
  EXPECT_TRUE(tokenizer->is_special(6));
  EXPECT_EQ(tokenizer->vocab_size(), 7);
}

TEST(TokenizerFolder, LeavesTruncationToBareFiles) {
  const std::string json =
      tiny(R"("truncation":{"direction":"Right","max_length":1,"strategy":"LongestFirst","stride":0},)");
  const fs::path bare = make_folder("bare", {{"tokenizer.json", json}});
  const fs::path whole = make_folder("whole", {{"tokenizer.json", json}, {"tokenizer_config.json", "{}"}});
  EXPECT_EQ(Tokenizer::load(bare)->encode("aba").size(), 1u);
  EXPECT_EQ(Tokenizer::load(whole)->encode("aba").size(), 2u);
  EXPECT_EQ(Tokenizer::load(whole)->encode_with_offsets("aba", {.truncate_and_pad = true}).ids.size(), 1u);
}

TEST(TokenizerFolder, ReadsTiktokenRanks) {
  // "a" 0, "b" 1, "ab" 2, "abb" 3, " " 4
  const fs::path folder = make_folder(
      "tiktoken",
      {{"tiktoken.model", "YQ== 0\nYg== 1\nYWI= 2\nYWJi 3\nIA== 4\n"},
       {"tokenizer_config.json", R"({"added_tokens_decoder": {"7": {"content": "<e>", "special": true}}})"}});
  const auto tokenizer = Tokenizer::load(folder);
  EXPECT_EQ(tokenizer->encode("abb abab<e>"), (std::vector<int32_t>{3, 4, 2, 2, 7}));
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{3, 4, 7}), "abb <e>");
}

TEST(TokenizerFolder, RefusesToReserveMillionsOfIds) {
  const fs::path folder = make_folder(
      "reserved", {{"tiktoken.model", "YQ== 0\n"},
                   {"tokenizer_config.json", R"({"added_tokens_decoder": {"16777000": {"content": "<e>"}}})"}});
  EXPECT_THAT([&] { Tokenizer::load(folder); }, testing::ThrowsMessage<LoadError>(testing::HasSubstr("16777000")));
}

// As transformers does, whose normalizer for such a folder adds no prefix.
TEST(TokenizerFolder, FindsTokensOfAddedTokensJsonInsideTheText) {
  for (const fs::path& model : entries(kData / "sentencepiece")) {
    const fs::path folder =
        make_folder("added_file", {{"added_tokens.json", R"({"<|im_start|>": 90000, "<|im_end|>": 90001})"},
                                   {"tokenizer_config.json", R"({"add_bos_token": false})"}});
    fs::copy_file(model / "tokenizer.model", folder / "tokenizer.model");
    const auto tokenizer = Tokenizer::load(folder);
    const int32_t start = tokenizer->token_to_id("<|im_start|>").value();
    const int32_t end = tokenizer->token_to_id("<|im_end|>").value();
    const auto ids = tokenizer->encode("<|im_start|>a<|im_end|>a");
    ASSERT_GE(ids.size(), 4u) << model;
    EXPECT_EQ(ids.front(), start) << model;
    EXPECT_EQ(std::count(ids.begin(), ids.end(), end), 1) << model;
  }
}

TEST(TokenizerFolder, NamesWhatIsMissing) {
  const fs::path folder = make_folder("empty", {});
  EXPECT_THROW(
      {
        try {
          Tokenizer::load(folder);
        } catch (const LoadError& error) {
          EXPECT_THAT(error.what(), testing::HasSubstr("no tokenizer"));
          throw;
        }
      },
      LoadError);
}

TEST(Detokenizer, HoldsBackHalfACharacterAndGivesWholeOnes) {
  const auto tokenizer =
      Tokenizer::from_json(load_json(kData / "tokenizers/gpt2.json", kFixtureLimits)["tokenizer"].dump());
  Detokenizer detokenizer(tokenizer);
  const auto byte = [&](const char* spelling) { return tokenizer->token_to_id(spelling).value(); };
  EXPECT_EQ(detokenizer.add(byte("ð")), "");
  EXPECT_EQ(detokenizer.add(byte("Ł")), "");
  EXPECT_EQ(detokenizer.add(byte("ĺ")), "");
  EXPECT_EQ(detokenizer.add(byte("Ģ")), "😀");
  EXPECT_EQ(detokenizer.add(byte("ð")), "");
  EXPECT_EQ(detokenizer.add(byte("a")),
            "\xEF\xBF\xBD"
            "a");
  EXPECT_EQ(detokenizer.add(byte("Ł")), "\xEF\xBF\xBD");
  EXPECT_EQ(detokenizer.finish(), "");
}

TEST(Detokenizer, CleansUpSpacesAcrossTokens) {
  const fs::path folder = make_folder(
      "cleanup",
      {{"tokenizer.json", tiny(R"("decoder":{"type":"Fuse"},)",
                               R"({"type":"WordLevel","unk_token":"x","vocab":{"x":0," ":1,".":2,"n":3,"'t":4}})")},
       {"tokenizer_config.json", R"({"clean_up_tokenization_spaces": true})"}});
  const auto tokenizer = Tokenizer::load(folder);
  const std::vector<int32_t> ids = {0, 1, 2, 1, 3, 4, 1, 1, 2, 1};
  EXPECT_EQ(tokenizer->decode(ids), "x.n't . ");
  EXPECT_EQ(streamed(tokenizer, ids, true), "x.n't . ");
}

// What the tokenizers library made of scores: one place away from the nearest double in some.
TEST(JsonReader, ReadsNumbersAsTheReferenceDoes) {
  const auto number = [](std::string_view text) { return JsonReader(text, "test").number(); };
  const std::vector<std::pair<const char*, double>> cases = {
      {"-12.864072317121257", -0x1.9ba67afced458p+3},
      {"-11.692844665672597", -0x1.762bc89388b30p+3},
      {"-7.9360912192871735", -0x1.fbe8eb253a50ap+2},
      {"-12.042126915897185", -0x1.81591a8bc1e97p+3},
      {"0.1", 0.1},
      {"-0.30000000000000004", -0x1.3333333333334p-2},
      {"1e-7", 1e-7},
      {"1E+2", 100},
      {"-1.7976931348623157e308", -0x1.fffffffffffffp+1023},
      {"123456789012345678901234567890.5", 0x1.8ee90ff6c373ep+96},
      {"18446744073709551619.25", 0x1p+64},
      {"2.2250738585072014e-308", 0x1p-1022},
      {"4.9406564584124654e-324", 0x1p-1074},
      {"1e-400", 0},
      {"0e999999999999", 0},
      {"-5", -5},
      {"12345678901234567890123", 0x1.4ea15b273b38ap+73},
      {"0.000000000000000000000000000000000000123456789012345678901234567890", 0x1.5014d3288945ap-123},
      {"9007199254740993.0", 0x1.0000000000001p+53},
      {"1.8446744073709551617", 0x1.d83c94fb6d2adp+0},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(number(text), value) << text;
  for (const char* text : {"1e309", "1e99999999999", "-2e308"}) EXPECT_THROW(number(text), LoadError) << text;
}

}  // namespace
}  // namespace hearth::text
