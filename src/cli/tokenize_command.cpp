#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/python_format.h"
#include "base/unicode.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/json_lines.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"

namespace hearth::cli {
namespace {

constexpr const char* kTokenizeExamples = R"(  hearth tokenize --model DIR --text "Hello, world"
  hearth tokenize --model DIR --no-special < book.txt
  hearth tokenize --model DIR --decode --skip-special-tokens --text "[1, 2, 3]"
  hearth tokenize --model DIR --jsonl < strings.jsonl
)";

void append_number(std::string& out, uint32_t number) {
  std::array<char, 10> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

// Bytes that are no UTF-8 become U+FFFD.
void append_quoted(std::string& out, const std::string& piece) {
  if (is_valid_utf8(piece)) return append_json_string(out, piece, /*ensure_ascii=*/false);
  out += json_text(piece);
}

// As JSON text at once: of eight million tokens a tree of JSON values alone would take seconds.
std::string encode(const text::Tokenizer& tokenizer, std::string_view text, bool special) {
  const text::Encoding encoding = tokenizer.encode_with_offsets(text, {.add_special_tokens = special});
  std::string out;
  out.reserve(64 + encoding.ids.size() * 32);
  const auto list = [&](const char* name, const auto& items, auto&& append) {
    out += name;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += ',';
      append(items[i]);
    }
    out += ']';
  };
  list("{\"ids\":[", encoding.ids, [&](int32_t id) { append_number(out, static_cast<uint32_t>(id)); });
  list(",\"pieces\":[", encoding.tokens, [&](const std::string& piece) { append_quoted(out, piece); });
  list(",\"offsets\":[", encoding.offsets, [&](const text::Offsets& offsets) {
    out += '[';
    append_number(out, offsets.first);
    out += ',';
    append_number(out, offsets.second);
    out += ']';
  });
  out += '}';
  return out;
}

using SharedTokenizer = std::shared_ptr<const text::Tokenizer>;

// The text in the pieces in which a streamed answer would show it, one for each id, and the rest.
Json stream(const SharedTokenizer& tokenizer, const std::vector<int32_t>& ids, bool skip_special) {
  text::Detokenizer detokenizer(tokenizer, skip_special);
  Json pieces = Json::array();
  for (const int32_t id : ids) pieces.push_back(detokenizer.add(id));
  pieces.push_back(detokenizer.finish());
  return pieces;
}

struct DecodeOptions {
  bool skip_special = false, streamed = false;
};

Json decode(const SharedTokenizer& tokenizer, const Json& json, const DecodeOptions& options) {
  const auto is_id = [](const Json& id) {
    return id.is_number_integer() && id.get<double>() >= 0 && id.get<double>() <= 2147483647.0;
  };
  if (!json.is_array() || !std::all_of(json.begin(), json.end(), is_id))
    throw RequestError(400, "--decode takes a JSON array of token ids.");
  const auto ids = json.get<std::vector<int32_t>>();
  Json result = {{"text", tokenizer->decode(ids, options.skip_special)}};
  if (options.streamed) result["pieces"] = stream(tokenizer, ids, options.skip_special);
  return result;
}

}  // namespace

int run_tokenize(const Arguments& arguments) {
  std::string model = kDefaultModel;
  std::optional<std::string> text;
  bool no_special = false, from_ids = false, jsonl = false;
  DecodeOptions options;
  CommandLine line("tokenize", "Shows a text's tokens: ids, pieces, and offsets in characters, as one JSON object.",
                   kTokenizeExamples);
  line.option("--model", model, std::string(kModelHelp) + " [" + kDefaultModel + "]");
  line.option("--text", text, "The text, or the array of ids; without it standard input is read");
  line.flag("--no-special", no_special, "Add no special tokens");
  line.flag("--decode", from_ids, "Take an array of token ids and show its text");
  line.flag("--skip-special-tokens", options.skip_special, "With --decode: leave special tokens out of the text");
  line.flag("--stream", options.streamed, "With --decode: also the pieces in which the text comes when it is streamed");
  line.flag("--jsonl", jsonl, "Take one JSON value a line, print one object a line");
  if (!line.parse(arguments)) return 0;
  if (options.streamed && !from_ids) throw std::invalid_argument("--stream needs --decode.");
  if (options.skip_special && !from_ids) throw std::invalid_argument("--skip-special-tokens needs --decode.");
  if (jsonl && text) throw std::invalid_argument("--text and --jsonl exclude each other.");

  const auto tokenizer = text::Tokenizer::load(model_folder(model));
  if (jsonl) {
    answer_lines_with_text([&](const Json& value) {
      if (from_ids) return json_text(decode(tokenizer, value, options));
      if (!value.is_string()) throw RequestError(400, "A line must be a JSON string.");
      return encode(*tokenizer, value.get_ref<const std::string&>(), !no_special);
    });
    return 0;
  }
  const std::string input = text ? *text : read_standard_input();
  print_now((from_ids ? json_text(decode(tokenizer, parse_json(input, "--decode"), options))
                      : encode(*tokenizer, input, !no_special)) +
            "\n");
  return 0;
}

}  // namespace hearth::cli
