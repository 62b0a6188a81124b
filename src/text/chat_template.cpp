// What transformers does around a template: choosing it, preparing the messages, and cutting the prompt where the final
// message is to go on.
#include "text/chat_template.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "text/deepseek_encoder.h"
#include "text/jinja/python_strings.h"
#include "text/jinja/template.h"
#include "text/template_folder.h"

namespace hearth::text {

namespace {

// Names under which reasoning is passed; the first is what templates read.
constexpr const char* kReasoningFields[] = {"reasoning_content", "thinking", "reasoning"};
// Marks the place where the final message ends; the space tells whether the template kept spaces there.
constexpr std::string_view kContinueTag = "CONTINUE_FINAL_MESSAGE_TAG ";

[[noreturn]] void refuse(const std::string& reason) { throw std::invalid_argument("[chat template] " + reason); }

bool is_reasoning_field(std::string_view field) {
  return std::find(std::begin(kReasoningFields), std::end(kReasoningFields), field) != std::end(kReasoningFields);
}

// The messages as the template sees them: null entries dropped, reasoning under the names that templates read.
Json prepare_message(const Json& message) {
  if (!message.is_object()) refuse("every message must be an object");
  const Json* reasoning = nullptr;
  for (const char* field : kReasoningFields) {
    const auto found = message.find(field);
    if (found == message.end() || found->is_null()) continue;
    reasoning = &*found;
    break;
  }
  Json prepared = Json::object();
  auto& entries = prepared.get_ref<Json::object_t&>();
  if (reasoning != nullptr) {
    const auto own = message.find("thinking");
    entries.emplace_back("thinking", own != message.end() && !own->is_null() ? *own : *reasoning);
  }
  for (const auto& [key, value] : message.get_ref<const Json::object_t&>())
    if (!value.is_null() && !(reasoning != nullptr && key == "thinking")) entries.emplace_back(key, value);
  if (reasoning != nullptr) prepared["reasoning_content"] = *reasoning;
  return prepared;
}

Json prepare_messages(const Json& messages) {
  if (!messages.is_array()) refuse("messages must be an array");
  if (messages.empty()) refuse("the conversation is empty: at least one message is needed");
  Json prepared = Json::array();
  for (const Json& message : messages) prepared.push_back(prepare_message(message));
  return prepared;
}

// The text to go on with, out of a content that is a string or a list of blocks; the tag is put behind it.
std::string mark_content(Json& content) {
  const auto mark = [](Json& text) {
    if (!text.is_string()) refuse("continue_final_message needs text to continue");
    const std::string before = text.get<std::string>();
    text = before + std::string(kContinueTag);
    return before;
  };
  if (!content.is_array()) return mark(content);
  for (auto block = content.rbegin(); block != content.rend(); ++block)
    if (block->is_object() && block->contains("text")) return mark((*block)["text"]);
  refuse("continue_final_message is set but the final message has no text to continue");
}

// Marks the end of the final message's `field`; returns its text.
std::string mark_final_message(Json& messages, const std::string& field, const std::string& source) {
  Json& message = messages.back();
  const auto found = message.find(field);
  if (found == message.end() || found->is_null())
    refuse("continue_final_message is set but the final message has no \"" + field + "\" to continue");
  // Reasoning is there under several names; whichever the template reads carries the mark.
  std::vector<std::string> fields{field};
  if (is_reasoning_field(field)) {
    fields.clear();
    for (const char* name : kReasoningFields)
      if (message.contains(name) && message[name] == *found) fields.emplace_back(name);
  }
  if (std::none_of(fields.begin(), fields.end(),
                   [&](const std::string& name) { return source.find(name) != std::string::npos; }))
    refuse("continue_final_message is set to \"" + field + "\" but the chat template does not read that field");
  if (message[field].is_array()) return mark_content(message[field]);
  std::string text;
  for (const std::string& name : fields) text = mark_content(message[name]);
  return text;
}

// Cuts the prompt at the mark.
void cut_at_mark(std::string& prompt, const std::string& final_message) {
  const std::string_view bare = jinja::strip(kContinueTag, jinja::Side::kBoth);
  const size_t mark = prompt.rfind(bare);
  const bool there = prompt.find(jinja::strip(final_message, jinja::Side::kBoth)) != std::string::npos;
  if (mark == std::string::npos || !there)
    refuse("continue_final_message is set but the final message does not appear in the chat after applying the template");
  const bool spaces_kept = prompt.compare(mark, kContinueTag.size(), kContinueTag) == 0;
  prompt.resize(mark);
  if (!spaces_kept) prompt.resize(jinja::strip(prompt, jinja::Side::kRight).size());
}

// The field to go on with, or "".
std::string continued_field(const Json& options) {
  const auto found = options.find("continue_final_message");
  if (found == options.end() || found->is_null()) return "";
  if (found->is_string()) return found->get<std::string>();
  if (!found->is_boolean()) refuse("continue_final_message must be true, false or a field's name");
  return found->get<bool>() ? "content" : "";
}

bool is_set(const Json& options, const char* name) {
  const auto found = options.find(name);
  if (found == options.end() || found->is_null()) return false;
  if (!found->is_boolean()) refuse(std::string(name) + " must be true or false");
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
    refuse("this model has several chat templates and no default; name one with chat_template");
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
  if (!extra.is_null() && !extra.is_object()) refuse("the options must be an object");
  if (!tools.is_null() && !tools.is_array()) refuse("tools must be an array or null");
  const Json options = extra.is_object() ? extra : Json::object();
  const std::string continued = continued_field(options);
  if (!continued.empty() && is_set(options, "add_generation_prompt"))
    refuse("continue_final_message and add_generation_prompt exclude each other");
  const auto named = options.find("chat_template");
  const bool by_name = named != options.end() && named->is_string();
  if (state_->folder.deepseek_v32 && !by_name) return {encode_deepseek_v32(messages, tools, options), {}};

  const std::string name = by_name ? named->get<std::string>() : "";
  const size_t chosen = choose(state_->folder, by_name ? &name : nullptr, !tools.is_null());
  const bool foreign = chosen == state_->folder.templates.size();  // then `chat_template` is a template's text
  const std::string& source = foreign ? name : state_->folder.templates[chosen].source;

  Json prepared = prepare_messages(messages);
  const std::string final_message = continued.empty() ? "" : mark_final_message(prepared, continued, source);
  Json variables = Json::object();
  for (const auto& [token, text] : state_->folder.special_tokens) variables[token] = text;
  variables.update(options);
  for (const char* own : {"continue_final_message", "chat_template"}) variables.erase(own);
  Json given = Json::object();
  given["messages"] = std::move(prepared);
  given["tools"] = tools;
  if (!options.contains("documents")) given["documents"] = nullptr;
  given["add_generation_prompt"] = is_set(options, "add_generation_prompt");
  jinja::Rendering rendering = foreign ? jinja::Template(source, state_->limits).render(variables, given)
                                       : state_->at(chosen).render(variables, given);
  if (!continued.empty()) cut_at_mark(rendering.text, final_message);
  return {std::move(rendering.text), std::move(rendering.generation_spans)};
}

const std::string& ChatTemplate::source(bool with_tools) const {
  static const std::string kNone;
  if (state_->folder.templates.empty()) return kNone;
  return state_->folder.templates[choose(state_->folder, nullptr, with_tools)].source;
}

std::vector<std::string> ChatTemplate::names() const {
  std::vector<std::string> names;
  for (const NamedTemplate& one : state_->folder.templates)
    names.insert(one.name == "default" ? names.begin() : names.end(), one.name);
  return names;
}

}  // namespace hearth::text
