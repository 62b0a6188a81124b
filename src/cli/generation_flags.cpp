#include "cli/generation_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.h"
#include "base/json.h"
#include "base/unicode.h"
#include "cli/environment.h"
#include "cli/load_model.h"
#include "text/tokenizer.h"

namespace hearth::cli {
namespace {

// {"token id": bias, ...}
std::vector<std::pair<int32_t, float>> parse_logit_bias(const std::string& text) {
  std::vector<std::pair<int32_t, float>> result;
  if (text.empty()) return result;
  const Json json = parse_json(text, "--logit-bias");
  if (!json.is_object()) throw std::invalid_argument("--logit-bias must be a JSON object of token ids and numbers.");
  for (const auto& [key, bias] : json.items()) {
    int32_t token = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc() || end != key.data() + key.size() || !bias.is_number())
      throw std::invalid_argument("--logit-bias must be a JSON object of token ids and numbers.");
    result.emplace_back(token, bias.get<float>());
  }
  return result;
}

std::string checked_tools(const Json& tools, const std::string& source) {
  const auto is_object = [](const Json& tool) { return tool.is_object(); };
  if (!tools.is_array() || !std::all_of(tools.begin(), tools.end(), is_object))
    throw LoadError(source, "not a JSON list of tools");
  return tools.dump();
}

}  // namespace

void GenerationFlags::declare(CommandLine& line) {
  model = kDefaultModel;
  line.option("--model", model, std::string(kModelHelp) + " [" + kDefaultModel + "]");
  line.option("--system-prompt", system_prompt, "System prompt for the chat template");
  line.option("--chat-template-config", chat_template_config, "JSON object of variables for the chat template");
  line.option("--tools", tools_file, "File with a JSON list of tools (OpenAI's form) that the model may call");
  line.option("--max-tokens,-m", max_tokens, "Tokens to generate; -1: until the model stops or the context is full");
  line.option("--sampling", sampling,
              "model: what no flag says of sampling is taken from the model's generation_config.json; flags: it is "
              "not [" +
                  sampling + "]");
  line.option("--temp", temperature, "Temperature; 0 takes the likeliest token [0]");
  line.option("--top-p", top_p, "Nucleus sampling: keep the likeliest tokens of this total probability; 0: all [0]");
  line.option("--min-p", min_p, "Drop tokens below this share of the likeliest one's probability [0]");
  line.option("--top-k", top_k, "Keep this many of the likeliest tokens; 0: all [0]");
  line.option("--min-tokens-to-keep", sampler.min_tokens_to_keep, "Tokens that --min-p never drops");
  line.option("--xtc-probability", sampler.xtc_probability, "How often XTC drops the likeliest tokens");
  line.option("--xtc-threshold", sampler.xtc_threshold, "Probability above which XTC drops tokens");
  line.option("--repetition-penalty", repetition_penalty, "Divides logits of recent tokens; 0: off [0]");
  line.option("--repetition-context-size", repetition_context,
              "Recent tokens it looks at; 0: all [20, and all for a penalty from the model]");
  line.option("--presence-penalty", processors.presence_penalty, "Subtracted once from logits of recent tokens");
  line.option("--presence-context-size", processors.presence_context, "Recent tokens it looks at; 0: all");
  line.option("--frequency-penalty", processors.frequency_penalty, "Subtracted for each time a recent token occurs");
  line.option("--frequency-context-size", processors.frequency_context, "Recent tokens it looks at; 0: all");
  line.option("--logit-bias", logit_bias, "JSON object: token id to a number added to its logit");
  line.option("--seed", seed, "Seed of the random numbers; the same seed gives the same text");
  line.option("--stop", stop, "Texts that end the answer where they begin");
  line.option("--extra-eos-token", extra_eos_tokens, "Tokens (text or id) that end the answer");
  line.option("--max-kv-size", max_kv_size, "Tokens kept in the KV cache: the first four and the latest; 0: all");
  line.option("--prefill-step-size", prefill_step_size, "Prompt tokens processed at a time");
  line.option("--threads", threads, "Threads; 0: one for each CPU");
  line.ignored_flag("--use-default-chat-template");
  line.ignored_option("--num-draft-tokens");
  line.ignored_option("--kv-group-size");
  line.ignored_option("--quantized-kv-start");
}

void GenerationFlags::check() const {
  generate::validate(filled_sampler());
  if (sampling != "model" && sampling != "flags") throw std::invalid_argument("--sampling must be model or flags.");
  if (max_tokens < -1) throw std::invalid_argument("--max-tokens must be at least -1.");
  if (max_kv_size != 0 && max_kv_size <= cache::CacheOptions{}.keep)
    throw std::invalid_argument("--max-kv-size must be 0 or more than the first four tokens, which are always kept.");
  if (prefill_step_size < 1) throw std::invalid_argument("--prefill-step-size must be at least 1.");
  if (system_prompt && !is_valid_utf8(*system_prompt)) throw std::invalid_argument("--system-prompt is not UTF-8.");
  parse_logit_bias(logit_bias);
}

void GenerationFlags::read_tools() {
  if (!chat_template_config.empty()) {
    const Json config = parse_json(chat_template_config, "--chat-template-config");
    if (!config.is_object()) throw std::invalid_argument("--chat-template-config must be a JSON object.");
    if (const auto tools = config.find("tools"); tools != config.end() && !tools->is_null()) {
      if (!tools_file.empty())
        throw std::invalid_argument("--tools and the tools of --chat-template-config exclude each other.");
      tools_json = checked_tools(*tools, "--chat-template-config: tools");
    }
  }
  if (!tools_file.empty()) tools_json = checked_tools(load_json(tools_file, {.exact = true}), tools_file);
}

generate::LoadedModel GenerationFlags::load() {
  check();
  read_tools();
  use_threads(threads);
  generate::LoadedModel loaded = load_model(model);
  if (sampling == "model") defaults_ = generate::read_sampling_defaults(loaded.folder);
  return loaded;
}

generate::SamplerOptions GenerationFlags::filled_sampler() const {
  generate::SamplerOptions result = sampler;
  result.temperature = temperature.value_or(defaults_.temperature.value_or(result.temperature));
  result.top_p = top_p.value_or(defaults_.top_p.value_or(result.top_p));
  result.min_p = min_p.value_or(defaults_.min_p.value_or(result.min_p));
  result.top_k = top_k.value_or(defaults_.top_k.value_or(result.top_k));
  return result;
}

generate::ProcessorOptions GenerationFlags::filled_processors() const {
  generate::ProcessorOptions result = processors;
  if (repetition_penalty) {
    result.repetition_penalty = *repetition_penalty;
  } else if (defaults_.repetition_penalty) {
    result.repetition_penalty = *defaults_.repetition_penalty;
    result.repetition_context = 0;
  }
  result.repetition_context = repetition_context.value_or(result.repetition_context);
  result.logit_bias = parse_logit_bias(logit_bias);
  return result;
}

generate::Request GenerationFlags::request(const generate::LoadedModel& loaded) const {
  generate::Request request;
  request.max_tokens = max_tokens;
  request.sampler = filled_sampler();
  if (sampler.xtc_probability > 0) {  // as mlx-lm protects them
    request.sampler.xtc_special_tokens = loaded.tokenizer->encode("\n");
    for (const int32_t token : loaded.stop_tokens) request.sampler.xtc_special_tokens.push_back(token);
  }
  request.processors = filled_processors();
  request.seed = seed;
  request.stop_texts = stop;
  for (const std::string& token : extra_eos_tokens) request.stop_tokens.push_back(token_id(loaded, token));
  request.max_kv_size = max_kv_size;
  return request;
}

generate::EngineOptions GenerationFlags::engine() const { return {.prefill_step_size = prefill_step_size}; }

generate::ChatOptions GenerationFlags::chat() const { return {.extra_json = chat_template_config}; }

void show_progress(ProgressLine& line, const generate::PromptProgress& progress) {
  if (progress.processed < progress.total)
    line.show(fmt::format("Reading the prompt: {} of {} tokens", progress.processed, progress.total));
}

std::optional<std::string> limit_note(const generate::Answer& answer, int max_tokens) {
  if (answer.finish_reason != generate::FinishReason::kLength) return std::nullopt;
  const int tokens = answer.usage.generation_tokens;
  return fmt::format("[stopped after {} token{}: {}]", tokens, tokens == 1 ? "" : "s",
                     tokens == max_tokens ? "--max-tokens" : "the model's context is full");
}

std::string statistics(const generate::Answer& answer) {
  const generate::Usage& usage = answer.usage;
  return fmt::format(
      "Prompt: {} tokens, {:.3f} tokens-per-sec\nGeneration: {} tokens, {:.3f} tokens-per-sec\nPeak memory: {:.3f} "
      "GB\n",
      usage.prompt_tokens, usage.prompt_tps(), usage.generation_tokens, usage.generation_tps(), answer.peak_memory_gb);
}

}  // namespace hearth::cli
