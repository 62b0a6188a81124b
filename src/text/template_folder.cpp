#include "text/template_folder.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "text/tokenizer/json_reader.h"

namespace hearth::text {

namespace {

constexpr size_t kLargestTemplate = size_t{16} << 20;
constexpr size_t kMostTemplates = 64;

constexpr std::array<std::string_view, 7> kSpecialTokens = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                            "pad_token", "cls_token", "mask_token"};

bool is_read_here(std::string_view key) {
  return key == "chat_template" || key == "chat_template_type" || key == "tool_parser_type" ||
         std::find(kSpecialTokens.begin(), kSpecialTokens.end(), key) != kSpecialTokens.end();
}

// Those of the file's keys that are read here, and added_tokens_decoder without its value: a config may have tens of
// thousands of tokens in it, and a Json object finds its keys by walking.
Json load_object(const std::filesystem::path& path) {
  Json out = Json::object();
  if (!is_present(path)) return out;
  const std::string text = read_file(path, JsonLimits{}.bytes);
  JsonReader in(text, path.string());
  if (in.peek() != '{') throw LoadError(path.string(), "not a JSON object");
  std::string key;
  in.begin_object();
  while (in.next_key(key)) {
    const std::string_view value = in.skip_value();
    if (key == "added_tokens_decoder") out[key] = nullptr;
    if (is_read_here(key)) out[key] = parse_json(value, path.string(), {});
  }
  in.expect_end();
  return out;
}

void add_template_files(const std::filesystem::path& folder, TemplateFolder& out) {
  const auto main_file = folder / "chat_template.jinja";
  if (is_present(main_file))
    out.templates.push_back({"default", read_file(main_file, kLargestTemplate), main_file.string()});
  std::error_code ignored;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "additional_chat_templates", ignored))
    if (entry.path().extension() == ".jinja") files.push_back(entry.path());
  if (files.size() > kMostTemplates) throw LoadError(folder.string(), "more than 64 additional chat templates");
  std::sort(files.begin(), files.end());
  for (const auto& file : files)
    out.templates.push_back({file.stem().string(), read_file(file, kLargestTemplate), file.string()});
}

// `value`: a template's text, or a list of {"name", "template"}.
void add_templates(const Json& value, const std::string& file, TemplateFolder& out) {
  if (value.is_null()) return;
  if (value.is_string()) {
    out.templates.push_back({"default", value.get<std::string>(), file});
    return;
  }
  const auto wrong = [&] { return LoadError(file, "chat_template", "neither text nor a list of named templates"); };
  if (value.is_object()) {
    for (const auto& [name, source] : value.items()) {
      if (!source.is_string()) throw wrong();
      out.templates.push_back({name, source.get<std::string>(), file});
    }
    return;
  }
  if (!value.is_array() || value.size() > kMostTemplates) throw wrong();
  for (const Json& one : value) {
    const bool named = one.is_object() && one.contains("name") && one["name"].is_string() && one.contains("template") &&
                       one["template"].is_string();
    if (!named) throw wrong();
    const std::string name = one["name"].get<std::string>();
    std::erase_if(out.templates, [&](const NamedTemplate& other) { return other.name == name; });
    out.templates.push_back({name, one["template"].get<std::string>(), file});
  }
}

// A token is given as text or as {"content": text, ...}; null is none.
std::string token_text(const Json& value, const std::filesystem::path& file, std::string_view key) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string())
    return value["content"].get<std::string>();
  throw LoadError(file.string(), key, "neither text nor a token with its content");
}

// As transformers reads them: special_tokens_map.json has its say only where the config has no added_tokens_decoder,
// and there it has the last word.
std::vector<std::pair<std::string, std::string>> special_tokens(const std::filesystem::path& config_file,
                                                                const Json& config,
                                                                const std::filesystem::path& map_file) {
  const Json map = load_object(map_file);
  const bool by_map = !config.contains("added_tokens_decoder");
  std::vector<std::pair<std::string, std::string>> tokens;
  for (const std::string_view name : kSpecialTokens) {
    const bool from_map = by_map && map.contains(name);
    const Json& source = from_map ? map : config;
    if (!source.contains(name)) continue;
    std::string text = token_text(source[name], from_map ? map_file : config_file, name);
    if (!text.empty()) tokens.emplace_back(name, std::move(text));
  }
  return tokens;
}

}  // namespace

TemplateFolder load_template_folder(const std::filesystem::path& folder) {
  TemplateFolder out;
  const auto config_file = folder / "tokenizer_config.json";
  const Json config = load_object(config_file);
  out.special_tokens = special_tokens(config_file, config, folder / "special_tokens_map.json");
  if (config.contains("chat_template_type") && !config["chat_template_type"].is_null()) {
    const Json& type = config["chat_template_type"];
    if (type != "deepseek_v32")
      throw LoadError(config_file.string(), "chat_template_type", "unknown; the built-in one is deepseek_v32");
    out.deepseek_v32 = true;
  }
  if (config.contains("tool_parser_type") && config["tool_parser_type"].is_string())
    out.tool_parser_type = config["tool_parser_type"].get<std::string>();
  add_template_files(folder, out);
  if (out.templates.empty() && config.contains("chat_template"))
    add_templates(config["chat_template"], config_file.string(), out);
  const auto legacy_file = folder / "chat_template.json";
  if (out.templates.empty() && is_present(legacy_file)) {
    const Json legacy = load_object(legacy_file);
    if (legacy.contains("chat_template")) add_templates(legacy["chat_template"], legacy_file.string(), out);
  }
  return out;
}

}  // namespace hearth::text
