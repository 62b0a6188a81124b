// Messages to the prompt a model was trained on: the Jinja chat template of a model folder, rendered as Hugging Face
// renders it.
//
// A template is parsed once and rendered many times. It comes from a stranger, so it runs sandboxed and within limits.
// Threads: every const member may be called from many threads at once.
// Source:  transformers 5.23 apply_chat_template, jinja2 3.1.6, mlx-lm's chat_templates/deepseek_v32.py.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/output_format.h"
#include "text/template_error.h"
#include "text/template_limits.h"

namespace hearth::text {

// A prompt, and which bytes of it the assistant wrote: half-open ranges from the template's {% generation %} blocks,
// for loss masks. None when the template has no such blocks, or the prompt ends inside the final message.
struct RenderedChat {
  std::string text;
  std::vector<std::pair<size_t, size_t>> generation_spans;
};

class ChatTemplate {
 public:
  // The folder's template, or nothing when it has none: chat_template.jinja and additional_chat_templates/*.jinja, else
  // chat_template.json, else `chat_template` of tokenizer_config.json (one text or a list of named ones). A
  // `chat_template_type` of "deepseek_v32" selects the built-in encoder of that name. The folder's special tokens
  // (bos_token, eos_token, ...) become variables. Throws LoadError naming file and line when a template does not parse.
  static std::optional<ChatTemplate> load(const std::filesystem::path& folder, const TemplateLimits& limits = {});

  // A template's text and the two tokens most templates name. Throws TemplateError when it does not parse.
  explicit ChatTemplate(std::string source, std::string bos_token = "", std::string eos_token = "",
                        const TemplateLimits& limits = {});

  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  // The prompt for `messages` (array of objects with "role" and mostly "content"; entries that are null are dropped).
  // `tools`: array of JSON schemas, or null. Of several named templates "tool_use" is taken when there are tools, else
  // "default". `extra`: null or an object; every entry is a variable of the template (enable_thinking,
  // reasoning_effort, documents, ...), except
  //   add_generation_prompt   true: the prompt ends where the assistant's answer begins (default false)
  //   continue_final_message  true, or a field's name: the prompt ends inside the last message's content, or that field
  //   chat_template           the name of one of the template's variants, or another template's text
  // Throws TemplateError with the template's line when the template fails or refuses (raise_exception) or exceeds a
  // limit; RequestError (status 400) when the built-in encoder cannot write the conversation; std::invalid_argument
  // when the arguments do not have the form above.
  std::string render(const Json& messages, const Json& tools, const Json& extra) const;

  // The same with the spans.
  RenderedChat render_with_spans(const Json& messages, const Json& tools, const Json& extra) const;

  // How answers mark reasoning and tool calls: as `tool_parser_type` of tokenizer_config.json says, else as the markers
  // in the template for tools tell.
  OutputFormat output_format() const;

  // Whether the template looks at tools at all.
  bool takes_tools() const;

  // Names of the variants, "default" first; one name when the folder has a single template.
  std::vector<std::string> names() const;

 private:
  struct State;
  explicit ChatTemplate(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hearth::text
