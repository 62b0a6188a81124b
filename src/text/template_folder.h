// The chat templates that lie in a model folder, as text, and the tokens they may name.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace hearth::text {

struct NamedTemplate {
  std::string name;  // "default", "tool_use", "rag", ...
  std::string source;
  std::string file;  // where it was found
};

struct TemplateFolder {
  std::vector<NamedTemplate> templates;
  // bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token, as far as they are set, with their
  // text.
  std::vector<std::pair<std::string, std::string>> special_tokens;
  bool deepseek_v32 = false;          // tokenizer_config.json asks for the built-in encoder of that name
  std::string tool_parser_type = {};  // mlx-lm's name for the format of calls, when tokenizer_config.json gives one
};

// Reads chat_template.jinja with additional_chat_templates/*.jinja; where neither is there, `chat_template` of
// tokenizer_config.json; where that is missing, too, chat_template.json. Throws LoadError naming file and key.
TemplateFolder load_template_folder(const std::filesystem::path& folder);

}  // namespace hearth::text
