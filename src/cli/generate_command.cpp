#include <strings.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/answer_printer.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/generation_flags.h"
#include "cli/json_lines.h"
#include "cli/output_json.h"
#include "text/chat_template.h"

namespace hearth::cli {
namespace {

constexpr const char* kGenerateExamples = R"(  hearth generate --prompt "What is gravity?"
  hearth generate --model DIR --prompt "Write a poem." --temp 0.7 --top-p 0.9 --seed 1 --max-tokens -1
  hearth generate --model DIR --prompt - --json < question.txt
  hearth generate --model DIR --ignore-chat-template --prompt "Once upon a time" --stop "The end"
  hearth generate --model DIR --tools tools.json --prompt "What is the weather in Paris?" --json
)";

struct GenerateOptions {
  GenerationFlags generation;
  std::string prompt = "hello";
  std::optional<std::string> prefill_response;
  bool ignore_chat_template = false;
  bool raw = false;
  std::string verbose = "True";
  bool json = false;
  std::optional<int> top_logprobs;

  bool is_verbose() const { return strcasecmp(verbose.c_str(), "false") != 0 && strcasecmp(verbose.c_str(), "f") != 0; }
};

// "\n" and "\t", written as two characters each, are what they stand for.
std::string expand_escapes(std::string text) {
  for (const auto& [written, meant] : {std::pair{"\\n", "\n"}, std::pair{"\\t", "\t"}})
    for (size_t at = 0; (at = text.find(written, at)) != std::string::npos; ++at) text.replace(at, 2, meant);
  return text;
}

struct Prompt {
  std::vector<int32_t> tokens;
  std::optional<text::OutputParser> parser;  // of the answer; none for a prompt without a template
};

Prompt make_prompt(const generate::LoadedModel& model, const GenerateOptions& options) {
  const std::string prompt =
      options.prompt == "-" ? with_universal_newlines(read_standard_input()) : expand_escapes(options.prompt);
  const std::string& tools_json = options.generation.tools_json;
  if (options.ignore_chat_template || !model.chat_template) {
    if (!tools_json.empty()) throw std::invalid_argument("--tools needs a chat template.");
    return {generate::encode_text(model, prompt), {}};
  }
  const Json tools = tools_json.empty() ? Json() : parse_json(tools_json, "--tools");
  Json messages = Json::array();
  if (options.generation.system_prompt)
    messages.push_back({{"role", "system"}, {"content", *options.generation.system_prompt}});
  messages.push_back({{"role", "user"}, {"content", prompt}});
  generate::ChatOptions chat = options.generation.chat();
  if (options.prefill_response) {
    messages.push_back({{"role", "assistant"}, {"content", *options.prefill_response}});
    chat.continue_final_message = true;
  }
  const std::string rendered = generate::render_chat(model, messages, tools, chat);
  return {generate::encode_rendered(model, rendered),
          generate::answer_parser(model, rendered, tools, /*id_seed=*/0, options.prefill_response.value_or(""))};
}

Json to_json(const generate::Answer& answer, bool with_logprobs) {
  Json result = {{"text", answer.text},
                 {"tokens", answer.tokens},
                 {"prompt_tokens", answer.usage.prompt_tokens},
                 {"generation_tokens", answer.usage.generation_tokens},
                 {"prompt_tps", answer.usage.prompt_tps()},
                 {"generation_tps", answer.usage.generation_tps()},
                 {"peak_memory_gb", answer.peak_memory_gb},
                 {"finish_reason", name(answer.finish_reason)}};
  if (!with_logprobs) return result;
  result["logprobs"] = Json::array();
  for (size_t i = 0; i < answer.logprobs.size(); ++i) {
    Json top = Json::array();
    for (const auto& [token, logprob] : answer.logprobs[i].top) top.push_back(Json::array({token, logprob}));
    result["logprobs"].push_back(
        {{"token", answer.tokens[i]}, {"logprob", answer.logprobs[i].logprob}, {"top", std::move(top)}});
  }
  return result;
}

generate::Answer stream(generate::LoadedModel& model, generate::Request request, const GenerateOptions& options,
                        const std::function<void(const generate::Response&)>& take) {
  ProgressLine progress;
  bool begun = options.json || !options.is_verbose();
  const auto on_response = [&](const generate::Response& response) {
    if (!std::exchange(begun, true)) print_now("==========\n");
    if (!response.token && !response.finish_reason)
      show_progress(progress, response.prompt);
    else
      progress.clear();
    take(response);
    return true;
  };
  return stream_generate(model, std::move(request), on_response, options.generation.engine());
}

// Generates and prints the answer, taken apart where `parser` is there.
void answer(generate::LoadedModel& model, generate::Request request, std::optional<text::OutputParser> parser,
            const GenerateOptions& options) {
  AnswerPrinter printer(print_now, standard_output_is_terminal());
  text::ParsedOutput output;
  const bool by_parts = parser && !options.raw;
  const auto take = [&](const generate::Response& response) {
    if (!options.json && !by_parts && !response.text.empty()) print_now(response.text);
    if (!parser) return;
    const std::vector<text::OutputEvent> events = generate::parse(*parser, response);
    for (const text::OutputEvent& event : events) output.add(event);
    if (!options.json && by_parts) printer.show(events);
  };
  const generate::Answer answer = stream(model, std::move(request), options, take);
  if (options.json) {
    Json json = to_json(answer, options.top_logprobs.has_value());
    if (by_parts) json.update(cli::to_json(output));
    return print_json(json);
  }
  if (by_parts && !answer.text.empty())
    printer.finish();
  else
    print_now("\n");
  if (!options.is_verbose()) return;
  if (const auto note = limit_note(answer, options.generation.max_tokens)) print_note(*note);
  print_now("==========\n" + statistics(answer));
}

}  // namespace

int run_generate(const Arguments& arguments) {
  GenerateOptions options;
  options.generation.max_tokens = 100;
  CommandLine line("generate", "Answers one prompt.", kGenerateExamples);
  line.option("--prompt,-p", options.prompt, R"(The prompt [hello]; "-" reads standard input; \n and \t are expanded)");
  options.generation.declare(line);
  line.option("--prefill-response", options.prefill_response, "Beginning of the answer, which the model goes on from");
  line.flag("--ignore-chat-template", options.ignore_chat_template, "Use the prompt as it is");
  line.flag("--raw", options.raw, "Print the text as the model wrote it, markers of reasoning and calls included");
  line.option("--verbose", options.verbose, "False: print the answer only [True]");
  line.flag("--json", options.json, "Print one JSON object and nothing else");
  line.option("--top-logprobs", options.top_logprobs,
              "With --json: log-probabilities of this many tokens at each place");
  if (!line.parse(arguments)) return 0;
  if (options.top_logprobs && *options.top_logprobs < 0)
    throw std::invalid_argument("--top-logprobs must be at least 0.");
  if (options.top_logprobs && !options.json) throw std::invalid_argument("--top-logprobs needs --json.");

  generate::LoadedModel model = options.generation.load();
  generate::Request request = options.generation.request(model);
  Prompt prompt = make_prompt(model, options);
  request.prompt = std::move(prompt.tokens);
  request.logprobs = options.top_logprobs.has_value();
  request.top_logprobs = options.top_logprobs.value_or(0);

  answer(model, std::move(request), std::move(prompt.parser), options);
  return 0;
}

}  // namespace hearth::cli
