#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/json_lines.h"
#include "text/call_check.h"
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
  hearth template --model DIR --check
  hearth template --template FILE.jinja --check
)";

text::ChatTemplate template_of(const std::filesystem::path& folder) {
  auto loaded = text::ChatTemplate::load(folder);
  if (!loaded) throw LoadError(folder.string(), "chat_template", "the model has none");
  return std::move(*loaded);
}

class Renderer {
 public:
  // `tokenizer` may be null: then texts have no ids.
  Renderer(text::ChatTemplate chat_template, std::shared_ptr<const text::Tokenizer> tokenizer)
      : template_(std::move(chat_template)), tokenizer_(std::move(tokenizer)) {}

  // {"messages": [...], "tools": [...], further template variables} -> {"text", "ids"}.
  Json render(Json input) const {
    if (!input.is_object() || !input.contains("messages"))
      throw RequestError(400, R"(The input must be a JSON object with "messages".)");
    const Json messages = input["messages"], tools = input.value("tools", Json());
    input.erase("messages");
    input.erase("tools");
    const std::string text = template_.render(messages, tools, input);
    if (tokenizer_ == nullptr) return {{"text", text}};
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
  text::ChatTemplate template_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
};

// One line a case, then the verdict. 1 unless every call that the template writes is read back.
int print_check(const text::CallCheck& check) {
  using Result = text::CallCheck::Case::Result;
  std::string report = "format: " + check.format + "\n";
  for (const auto& [result, name, detail] : check.cases) {
    const char* outcome = result == Result::read_back       ? "read back"
                          : result == Result::not_read_back ? "not read back"
                          : result == Result::refused       ? "refused by the template"
                                                            : "left out";
    report += name + ": " + outcome + (detail.empty() ? "" : " (" + one_line(detail) + ")") + "\n";
  }
  using Verdict = text::CallCheck::Verdict;
  const bool good = check.verdict == Verdict::read_back;
  report += good                                 ? "The calls that this template writes are read back.\n"
            : check.verdict == Verdict::no_calls ? "This template writes no calls: nothing shows how they look.\n"
                                                 : "Calls of this template cannot be read back.\n";
  print_now(report);
  return good ? 0 : 1;
}

}  // namespace

int run_template(const Arguments& arguments) {
  std::string model, file;
  bool check = false, diff = false, jsonl = false;
  CommandLine line("template",
                   "Shows what a model's chat template makes of messages: the prompt's text and token ids.\n"
                   "Reads a JSON object with messages, tools and template variables from standard input.",
                   kTemplateExamples);
  line.option("--model", model, std::string(kModelHelp) + " [" + kDefaultModel + "]");
  line.option("--template", file, "A chat template's file instead of a model: texts without token ids");
  line.flag("--check", check, "Render calls, read them back, and say whether that works: exit status 0 or 1");
  line.flag("--diff", diff, "Take an array of two such objects and show the first token where they part");
  line.flag("--jsonl", jsonl, "Take one JSON value a line, print one object a line");
  if (!line.parse(arguments)) return 0;

  if (!file.empty() && !model.empty()) throw std::invalid_argument("--template and --model exclude each other.");
  if (!file.empty() && diff) throw std::invalid_argument("--diff compares token ids: it needs --model.");
  if (check && (diff || jsonl)) throw std::invalid_argument("--check reads no input: --diff and --jsonl mean nothing.");
  const auto folder = file.empty() ? model_folder(model.empty() ? kDefaultModel : model) : std::filesystem::path();
  text::ChatTemplate chat = file.empty() ? template_of(folder) : text::ChatTemplate(read_file(file), "<s>", "</s>");
  if (check) return print_check(text::check_calls(chat));

  const Renderer renderer(std::move(chat), file.empty() ? text::Tokenizer::load(folder) : nullptr);
  const auto answer = [&](const Json& value) { return diff ? renderer.difference(value) : renderer.render(value); };
  if (jsonl)
    answer_lines(answer);
  else
    print_json(answer(parse_json(read_standard_input(), "standard input")));
  return 0;
}

}  // namespace hearth::cli
