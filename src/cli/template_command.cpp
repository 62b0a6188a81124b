#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/json_lines.h"
#include "text/chat_template.h"
#include "text/template_difference.h"
#include "text/tokenizer.h"

namespace hearth::cli {
namespace {

constexpr const char* kTemplateExamples =
    R"(  echo '{"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true}' \
    | hearth template --model DIR
  hearth template --model DIR --jsonl < conversations.jsonl
  hearth template --model DIR --diff < two_conversations.json
)";

class Renderer {
 public:
  explicit Renderer(const std::filesystem::path& folder)
      : template_(text::ChatTemplate::load(folder)), tokenizer_(text::Tokenizer::load(folder)) {
    if (!template_) throw LoadError(folder.string(), "chat_template", "the model has none");
  }

  // {"messages": [...], "tools": [...], further template variables} -> {"text", "ids"}.
  Json render(Json input) const {
    if (!input.is_object() || !input.contains("messages"))
      throw RequestError(400, R"(The input must be a JSON object with "messages".)");
    const Json messages = input["messages"], tools = input.value("tools", Json());
    input.erase("messages");
    input.erase("tools");
    const std::string text = template_->render(messages, tools, input);
    return {{"text", text}, {"ids", tokenizer_->encode(text, /*add_special_tokens=*/false)}};
  }

  // An array of two such objects -> where their renderings part.
  Json difference(const Json& pair) const {
    if (!pair.is_array() || pair.size() != 2) throw RequestError(400, "--diff takes a JSON array of two objects.");
    const auto a = render(pair[0])["ids"].get<std::vector<int32_t>>();
    const auto b = render(pair[1])["ids"].get<std::vector<int32_t>>();
    const auto parted = text::find_difference(std::span<const int32_t>(a), std::span<const int32_t>(b));
    const auto common = static_cast<ptrdiff_t>(parted.value_or(a.size()));
    const auto rest = [&](const std::vector<int32_t>& ids) {
      const auto begin = ids.begin() + common;
      const auto end = begin + std::min<ptrdiff_t>(16, ids.end() - begin);
      const std::vector<int32_t> next(begin, end);
      return Json{{"ids", next}, {"text", tokenizer_->decode(next)}};
    };
    return {{"equal", !parted}, {"first_difference", common}, {"first", rest(a)}, {"second", rest(b)}};
  }

 private:
  std::optional<text::ChatTemplate> template_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
};

}  // namespace

int run_template(const Arguments& arguments) {
  std::string model = kDefaultModel;
  bool diff = false, jsonl = false;
  CommandLine line("template",
                   "Shows what a model's chat template makes of messages: the prompt's text and token ids.\n"
                   "Reads a JSON object with messages, tools and template variables from standard input.",
                   kTemplateExamples);
  line.option("--model", model, std::string(kModelHelp) + " [" + kDefaultModel + "]");
  line.flag("--diff", diff, "Take an array of two such objects and show the first token where they part");
  line.flag("--jsonl", jsonl, "Take one JSON value a line, print one object a line");
  if (!line.parse(arguments)) return 0;

  const Renderer renderer(model_folder(model));
  const auto answer = [&](const Json& value) { return diff ? renderer.difference(value) : renderer.render(value); };
  if (jsonl)
    answer_lines(answer);
  else
    print_json(answer(parse_json(read_standard_input(), "standard input")));
  return 0;
}

}  // namespace hearth::cli
