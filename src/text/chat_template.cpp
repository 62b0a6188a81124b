// What transformers does around a template: choosing it, giving it its variables, and cutting the prompt where the
// final message is to go on. JSON is handed to the template as it lies, nothing is copied.
#include "text/chat_template.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "text/chat_messages.h"
#include "text/deepseek_encoder.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/template.h"
#include "text/template_folder.h"

namespace hearth::text {

namespace {

// The field to go on with, or "".
std::string continued_field(const Json& options) {
  const auto found = options.find("continue_final_message");
  if (found == options.end() || found->is_null()) return "";
  if (found->is_string()) return found->get<std::string>();
  if (!found->is_boolean()) refuse_chat("continue_final_message must be true, false or a field's name");
  return found->get<bool>() ? "content" : "";
}

bool is_set(const Json& options, const char* name) {
  const auto found = options.find(name);
  if (found == options.end() || found->is_null()) return false;
  if (!found->is_boolean()) refuse_chat(std::string(name) + " must be true or false");
  return found->get<bool>();
}

}  // namespace

struct ChatTemplate::State {
  TemplateFolder folder;
  TemplateLimits limits;
  struct Named {
    std::string name;
    jinja::Template parsed;
  };
  std::vector<Named> parsed;  // beside folder.templates

  const jinja::Template& at(size_t i) const { return parsed[i].parsed; }

  // The template for conversations with tools; of several, none of which is for them, the first.
  const std::string& tool_source() const {
    const NamedTemplate* best = &folder.templates.front();
    for (const NamedTemplate& one : folder.templates)
      if (one.name == "tool_use" || (one.name == "default" && best->name != "tool_use")) best = &one;
    return best->source;
  }
};

namespace {

size_t choose(const TemplateFolder& folder, const std::string* name, bool with_tools) {
  const auto find = [&](std::string_view wanted) {
    const auto found = std::find_if(folder.templates.begin(), folder.templates.end(),
                                    [&](const NamedTemplate& one) { return one.name == wanted; });
    return static_cast<size_t>(found - folder.templates.begin());
  };
  const size_t none = folder.templates.size();
  if (name != nullptr) return find(*name);
  if (with_tools && find("tool_use") != none) return find("tool_use");
  if (find("default") == none)
    refuse_chat("this model has several chat templates and no default; name one with chat_template");
  return find("default");
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

ChatTemplate::ChatTemplate(std::string source, std::string bos_token, std::string eos_token,
                           const TemplateLimits& limits)
    : state_(std::make_unique<State>()) {
  state_->limits = limits;
  if (!bos_token.empty()) state_->folder.special_tokens.emplace_back("bos_token", std::move(bos_token));
  if (!eos_token.empty()) state_->folder.special_tokens.emplace_back("eos_token", std::move(eos_token));
  state_->parsed.push_back({"default", jinja::Template(source, limits)});
  state_->folder.templates.push_back({"default", std::move(source), ""});
}

std::optional<ChatTemplate> ChatTemplate::load(const std::filesystem::path& folder, const TemplateLimits& limits) {
  auto state = std::make_unique<State>();
  state->folder = load_template_folder(folder);
  state->limits = limits;
  if (state->folder.templates.empty() && !state->folder.deepseek_v32) return std::nullopt;
  for (const NamedTemplate& one : state->folder.templates) {
    try {
      state->parsed.push_back({one.name, jinja::Template(one.source, limits)});
    } catch (const TemplateError& error) {
      throw LoadError(one.file, "chat_template", error.what());
    }
  }
  return ChatTemplate(std::move(state));
}

std::string ChatTemplate::render(const Json& messages, const Json& tools, const Json& extra) const {
  return render_with_spans(messages, tools, extra).text;
}

RenderedChat ChatTemplate::render_with_spans(const Json& messages, const Json& tools, const Json& extra) const {
  if (!extra.is_null() && !extra.is_object()) refuse_chat("the options must be an object");
  if (!tools.is_null() && !tools.is_array()) refuse_chat("tools must be an array or null");
  static const Json kNoOptions = Json::object();
  const Json& options = extra.is_object() ? extra : kNoOptions;
  const std::string continued = continued_field(options);
  const bool generate = is_set(options, "add_generation_prompt");
  if (!continued.empty() && generate)
    refuse_chat("continue_final_message and add_generation_prompt exclude each other");
  const auto named = options.find("chat_template");
  const bool by_name = named != options.end() && named->is_string();
  if (state_->folder.deepseek_v32 && !by_name) return {encode_deepseek_v32(messages, tools, options), {}};

  const std::string name = by_name ? named->get<std::string>() : "";
  const size_t chosen = choose(state_->folder, by_name ? &name : nullptr, !tools.is_null());
  const bool foreign = chosen == state_->folder.templates.size();  // then `chat_template` is a template's text
  const std::string& source = foreign ? name : state_->folder.templates[chosen].source;

  std::string final_message;
  const auto define = [&](jinja::Runtime& runtime, jinja::Interpreter& interpreter) {
    for (const auto& [token, text] : state_->folder.special_tokens) interpreter.define(token, runtime.borrow(text));
    interpreter.define("documents", jinja::Value::none());
    for (const auto& [key, value] : options.get_ref<const Json::object_t&>())
      if (key != "continue_final_message" && key != "chat_template") interpreter.define(key, runtime.from_json(value));
    const jinja::Value prepared = prepare_messages(runtime, messages);
    if (!continued.empty()) final_message = mark_final_message(runtime, prepared, continued, source);
    interpreter.define("messages", prepared);
    if (!tools.is_null() || !options.contains("tools")) interpreter.define("tools", runtime.from_json(tools));
    interpreter.define("add_generation_prompt", jinja::Value::boolean(generate));
  };
  jinja::Rendering rendering =
      foreign ? jinja::Template(source, state_->limits).render(define) : state_->at(chosen).render(define);
  if (!continued.empty()) {
    cut_at_mark(rendering.text, final_message);
    rendering.generation_spans.clear();
  }
  return {std::move(rendering.text), std::move(rendering.generation_spans)};
}

OutputFormat ChatTemplate::output_format() const {
  if (state_->folder.deepseek_v32) return text::output_format("deepseek_v32");
  return detect_output_format(state_->tool_source(), state_->folder.tool_parser_type);
}

bool ChatTemplate::takes_tools() const {
  return state_->folder.deepseek_v32 || state_->tool_source().find("tools") != std::string::npos;
}

std::vector<std::string> ChatTemplate::names() const {
  std::vector<std::string> names;
  for (const NamedTemplate& one : state_->folder.templates)
    names.insert(one.name == "default" ? names.begin() : names.end(), one.name);
  return names;
}

}  // namespace hearth::text
