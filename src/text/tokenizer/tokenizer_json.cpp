// Reads a tokenizer.json. Vocabulary and merges, nearly all of the file, are read straight into their tables; the small
// parts become JSON values and go to their factories.
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/error.h"
#include "text/tokenizer/added_token_json.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/json_reader.h"
#include "text/tokenizer/model_files.h"
#include "text/tokenizer/model_json.h"
#include "text/tokenizer/pipeline.h"

namespace hearth::text {

namespace {

constexpr size_t kMaxJsonBytes = 256 << 20;

std::optional<Truncation> read_truncation(const Component& c) {
  Truncation out;
  const std::string direction = c.string("direction", "Right");
  if (direction != "Left" && direction != "Right") c.fail("unknown direction '" + direction + "'");
  out.from_left = direction == "Left";
  out.max_length = c.number("max_length");
  return out;
}

std::optional<Padding> read_padding(const Component& c) {
  constexpr uint32_t kMaxLength = 1 << 20;
  constexpr size_t kMaxBytes = 64 << 20;  // of padding tokens' spellings
  Padding out;
  const std::string direction = c.string("direction");
  if (direction != "Left" && direction != "Right") c.fail("unknown direction '" + direction + "'");
  out.on_left = direction == "Left";
  const Json& strategy = c.child("strategy").json();
  if (strategy.is_object()) {
    out.fixed_length = c.child("strategy").number("Fixed");
    if (*out.fixed_length > kMaxLength) c.fail("padded beyond 2^20 tokens");
  } else if (strategy != "BatchLongest") {
    c.fail("unknown strategy");
  }
  out.multiple_of = c.number("pad_to_multiple_of", 0);
  if (out.multiple_of > kMaxLength) c.fail("padded beyond 2^20 tokens");
  out.id = static_cast<int32_t>(c.number("pad_id"));
  out.type_id = static_cast<int32_t>(c.number("pad_type_id"));
  out.token = c.string("pad_token");
  if (std::max(out.fixed_length.value_or(0), out.multiple_of) * out.token.size() > kMaxBytes)
    c.fail("padded with more than 64 MiB of pad_token");
  return out;
}

std::vector<AddedToken> read_added_tokens(JsonReader& in, std::string_view source) {
  std::vector<AddedToken> out;
  in.begin_array();
  while (in.next_element()) {
    AddedTokenJson read = read_added_token_object(in);
    if (read.id.value_or(0) > Vocabulary::kMaxId) throw LoadError(source, "added_tokens", "id beyond 2^24");
    read.token.normalized = read.normalized.value_or(true);
    out.push_back(std::move(read.token));
    if (out.size() > AddedVocabulary::kMaxTokens) throw LoadError(source, "added_tokens", "too many");
  }
  return out;
}

}  // namespace

void add_token(Tokenizer::Pipeline& pipeline, const AddedToken& token) {
  std::string normalized = token.content;
  if (token.normalized && pipeline.normalizer) {
    AlignedText text;
    text.text = token.content;
    text.most_bytes = growth_limit(token.content.size());
    try {
      pipeline.normalizer->apply(text);
    } catch (const RequestError& refusal) {
      throw LoadError(pipeline.source, "normalizer", refusal.what());
    }
    normalized = std::move(text.text);
  }
  pipeline.added.add(token, std::move(normalized), pipeline.model->vocabulary());
}

std::unique_ptr<Tokenizer::Pipeline> read_tokenizer_json(std::string_view json, std::string_view source) {
  if (json.size() > kMaxJsonBytes) throw LoadError(source, "longer than 256 MiB");
  JsonReader in(json, source);
  auto pipeline = std::make_unique<Tokenizer::Pipeline>();
  pipeline->source = source;
  std::vector<AddedToken> added;
  std::vector<std::pair<std::string, Json>> parts;
  std::string key;
  in.begin_object();
  while (in.next_key(key)) {
    if (key == "model") {
      pipeline->model = read_model(in, source);
    } else if (key == "added_tokens" && in.peek() != 'n') {
      added = read_added_tokens(in, source);
    } else if (key == "version") {
      if (in.string() != "1.0") throw LoadError(source, "version", "not 1.0");
    } else {
      parts.emplace_back(key, parse_json(in.skip_value(), source));
    }
  }
  in.expect_end();
  if (!pipeline->model) throw LoadError(source, "model", "missing");
  for (const auto& [name, value] : parts) {
    if (value.is_null()) continue;
    const Component component(value, std::string(source), name);
    if (name == "normalizer") pipeline->normalizer = make_normalizer(component);
    if (name == "pre_tokenizer") pipeline->pre_tokenizers = make_pre_tokenizers(component);
    if (name == "post_processor") pipeline->post_processor = make_post_processor(component);
    if (name == "decoder") pipeline->decoders = make_decoders(component);
    if (name == "truncation") pipeline->truncation = read_truncation(component);
    if (name == "padding") pipeline->padding = read_padding(component);
  }
  if (pipeline->decoders.empty()) pipeline->decoders = make_joining_decoder();
  for (const AddedToken& token : added) {
    if (token.content.size() > AddedVocabulary::kMaxTokenBytes)
      throw LoadError(source, "added_tokens", "a token longer than 4096 bytes");
    add_token(*pipeline, token);
  }
  pipeline->finish();
  return pipeline;
}

}  // namespace hearth::text
