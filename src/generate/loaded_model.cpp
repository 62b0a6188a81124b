// Opening costs the headers of the weight files, the tokenizer's tables and the template's parse; the tokenizer, which
// takes longest, is read on a thread of its own meanwhile.
#include "generate/loaded_model.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/model.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "text/tokenizer/utf8.h"
#include "weights/model_folder.h"
#include "weights/resident_weights.h"

namespace hearth::generate {
namespace {

// Whether the vocabulary has tokens that open and close a model's thinking. Templates are told so, as mlx-lm tells
// them.
bool has_thinking(const text::Tokenizer& tokenizer) {
  static constexpr std::array<std::pair<const char*, const char*>, 4> kPairs{{{"<think>", "</think>"},
                                                                              {"<longcat_think>", "</longcat_think>"},
                                                                              {"<|think:start|>", "<|think:end|>"},
                                                                              {"<|channel>", "<channel|>"}}};
  return std::any_of(kPairs.begin(), kPairs.end(), [&](const auto& pair) {
    return tokenizer.token_to_id(pair.first) && tokenizer.token_to_id(pair.second);
  });
}

void require_utf8(std::string_view text) {
  const size_t valid = text::valid_utf8_prefix(text);
  if (valid != text.size())
    throw RequestError(400, "The text is not UTF-8: byte " + std::to_string(valid) + " begins no character.");
}

void require_utf8_strings(const Json& value) {
  if (value.is_string()) require_utf8(value.get_ref<const std::string&>());
  if (value.is_structured())
    for (const Json& child : value) require_utf8_strings(child);
}

std::string joined_contents(const Json& messages) {
  std::string result;
  for (const Json& message : messages) {
    if (!message.is_object() || !message.contains("content") || !message["content"].is_string()) continue;
    if (!result.empty()) result += '\n';
    result += message["content"].get_ref<const std::string&>();
  }
  return result;
}

Json template_variables(const LoadedModel& model, const ChatOptions& options) {
  Json extra = Json::object();
  if (!options.extra_json.empty()) extra = parse_json(options.extra_json, "chat template config");
  if (!extra.is_object()) throw RequestError(400, "The chat template config must be a JSON object.");
  if (!extra.contains("enable_thinking")) extra["enable_thinking"] = has_thinking(*model.tokenizer);
  if (options.continue_final_message) extra["continue_final_message"] = true;
  if (!options.continue_final_message && options.opens_answer) extra["add_generation_prompt"] = true;
  return extra;
}

}  // namespace

LoadedModel::LoadedModel() = default;
LoadedModel::LoadedModel(LoadedModel&&) noexcept = default;
LoadedModel& LoadedModel::operator=(LoadedModel&&) noexcept = default;
LoadedModel::~LoadedModel() = default;

LoadedModel load(const std::filesystem::path& folder_path) {
  const auto start = std::chrono::steady_clock::now();
  const weights::ModelFolder folder(folder_path);
  auto tokenizer = std::async(std::launch::async, [&] { return text::Tokenizer::load(folder_path); });

  LoadedModel result;
  result.folder = folder_path;
  result.model_type = folder.model_type();
  result.model = models::load_model(folder);
  result.notes = folder.warnings();
  for (const std::string& note : result.model->info().notes)
    result.notes.push_back((folder_path / "config.json").string() + ": " + note);
  result.context_length = result.model->info().context_length;
  result.weight_bytes = folder.bytes();
  if (auto chat_template = text::ChatTemplate::load(folder_path))
    result.chat_template = std::make_unique<const text::ChatTemplate>(std::move(*chat_template));
  result.tokenizer = tokenizer.get();
  result.stop_tokens.assign(folder.eos_token_ids().begin(), folder.eos_token_ids().end());
  // The tokenizer's own ends an answer too: fine-tunes often keep the eos_token_id of the model they were made from.
  if (const auto eos = result.tokenizer->eos_id(); eos && !std::ranges::count(result.stop_tokens, *eos))
    result.stop_tokens.push_back(*eos);
  result.resident_weights = std::make_unique<weights::ResidentWeights>(folder.tensors());
  result.load_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::vector<int32_t> encode_text(const LoadedModel& model, std::string_view text, bool special) {
  require_utf8(text);
  const std::string& bos = model.tokenizer->bos_token();
  return model.tokenizer->encode(text, special && (bos.empty() || !text.starts_with(bos)));
}

std::string render_chat(const LoadedModel& model, const Json& messages, const Json& tools, const ChatOptions& options) {
  require_utf8_strings(messages);
  require_utf8_strings(tools);
  require_utf8(options.extra_json);
  if (!tools.empty() && !(model.chat_template && model.chat_template->takes_tools()))
    throw RequestError(400, "This model's chat template takes no tools.");
  if (!model.chat_template) return joined_contents(messages);
  return model.chat_template->render(messages, tools, template_variables(model, options));
}

std::vector<int32_t> encode_rendered(const LoadedModel& model, std::string_view prompt) {
  if (!model.chat_template) return encode_text(model, prompt);
  return model.tokenizer->encode(prompt, /*add_special_tokens=*/false);
}

std::vector<int32_t> encode_chat(const LoadedModel& model, const Json& messages, const Json& tools,
                                 const ChatOptions& options) {
  return encode_rendered(model, render_chat(model, messages, tools, options));
}

text::OutputParser answer_parser(const LoadedModel& model, std::string_view prompt, const Json& tools, uint64_t id_seed,
                                 std::string_view begun) {
  if (!model.chat_template) return text::OutputParser({.name = "plain"});
  text::OutputFormat format = model.chat_template->output_format();
  const Json none = Json::array();
  const bool in_reasoning = text::ends_in_reasoning(format, prompt, begun);
  return text::OutputParser(
      std::move(format),
      {.tools = tools.empty() ? &none : &tools, .starts_in_reasoning = in_reasoning, .id_seed = id_seed});
}

std::vector<int32_t> encode_message(const LoadedModel& model, std::string_view user, std::string_view system,
                                    const ChatOptions& options) {
  Json messages = Json::array();
  if (!system.empty()) messages.push_back({{"role", "system"}, {"content", system}});
  messages.push_back({{"role", "user"}, {"content", user}});
  return encode_chat(model, messages, nullptr, options);
}

int32_t token_id(const LoadedModel& model, std::string_view token) {
  int32_t id = -1;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), id);
  if (error == std::errc() && end == token.data() + token.size()) {
    if (id >= 0 && id < model.tokenizer->vocab_size()) return id;
  } else if (const auto named = model.tokenizer->token_to_id(token)) {
    return *named;
  }
  throw RequestError(400, "'" + std::string(token) + "' is not a token of this model.");
}

}  // namespace hearth::generate
