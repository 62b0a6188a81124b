// Which files make a folder's tokenizer, and what tokenizer_config.json and its older companions add, in transformers'
// order: tokens of added_tokens_decoder (or special_tokens_map.json and added_tokens.json), then the named special
// tokens, then the extra ones; a token that the tokenizer has with other flags gets the new flags.
//
// Unlike transformers 5, which rebuilds some families' pipelines from their vocabulary alone (its LlamaTokenizer makes
// " x" other tokens than the file says), a tokenizer.json is taken at its word, as `tokenizers` does.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "text/tokenizer/added_token_json.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/json_reader.h"
#include "text/tokenizer/model_files.h"
#include "text/tokenizer/pipeline.h"

namespace hearth::text {

namespace {

constexpr size_t kMaxBytes = 256 << 20, kMaxConfigBytes = 64 << 20;
constexpr const char* kRoles[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                  "pad_token", "cls_token", "mask_token"};

struct FolderSettings {
  bool present = false;  // there is a tokenizer_config.json
  std::string tokenizer_class;
  std::map<int64_t, AddedToken> added;  // by id
  bool has_added_decoder = false;
  std::map<std::string, AddedToken> roles;  // by role, "bos_token" ...
  std::set<std::string> plain_roles;        // given as a string: flags come from elsewhere
  std::vector<AddedToken> extra;
  bool extra_by_new_name = false;
  bool clean_up = false, clean_up_bpe = false;
  std::optional<bool> add_bos, add_eos, add_prefix_space;
};

AddedToken special_token(std::string content) { return {std::move(content), false, false, false, false, true}; }

// "<s>" or {"content": "<s>", "lstrip": ...}.
AddedToken read_added_token(JsonReader& in) {
  if (in.peek() == '"') return special_token(std::string(in.string()));
  AddedTokenJson read = read_added_token_object(in);
  read.token.normalized = read.normalized.value_or(!read.token.special);
  return std::move(read.token);
}

// A list of tokens, or an object that gives each a name.
std::vector<AddedToken> read_extra_tokens(JsonReader& in) {
  std::vector<AddedToken> tokens;
  std::string name;
  if (in.peek() == '[') {
    in.begin_array();
    while (in.next_element()) tokens.push_back(read_added_token(in));
  } else if (in.peek() == '{') {
    in.begin_object();
    while (in.next_key(name)) tokens.push_back(read_added_token(in));
  } else if (!in.null()) {
    in.fail("neither a list nor an object of tokens");
  }
  return tokens;
}

void read_added_decoder(JsonReader& in, FolderSettings& settings, const std::string& source) {
  settings.has_added_decoder = true;
  std::string key;
  in.begin_object();
  while (in.next_key(key)) {
    const bool number = !key.empty() && key.size() < 9 && key.find_first_not_of("0123456789") == key.npos;
    if (!number || std::stol(key) > Vocabulary::kMaxId)
      throw LoadError(source, "added_tokens_decoder." + key, "not a token id");
    settings.added[std::stol(key)] = read_added_token(in);
    if (settings.added.size() > AddedVocabulary::kMaxTokens)
      throw LoadError(source, "added_tokens_decoder", "too many tokens");
  }
}

void read_config_key(JsonReader& in, const std::string& key, FolderSettings& settings, const std::string& source) {
  const bool role = std::find(std::begin(kRoles), std::end(kRoles), key) != std::end(kRoles);
  const char next = in.peek();
  const auto flag = [&](auto& to) {
    if (!in.null()) to = in.boolean();
  };
  if (role && next != 'n') {
    if (next == '"') settings.plain_roles.insert(key);
    AddedToken token = read_added_token(in);
    token.special = true;
    if (!token.content.empty()) settings.roles[key] = std::move(token);
  } else if (key == "added_tokens_decoder" && next != 'n') {
    read_added_decoder(in, settings, source);
  } else if (role && next == 'n') {
    in.skip_value();
    settings.roles.erase(key);
  } else if (key == "extra_special_tokens") {
    settings.extra = read_extra_tokens(in);
    settings.extra_by_new_name = true;
  } else if (key == "additional_special_tokens") {  // the old name, which gives way
    std::vector<AddedToken> tokens = read_extra_tokens(in);
    if (!settings.extra_by_new_name) settings.extra = std::move(tokens);
  } else if (key == "split_special_tokens") {
    bool split = false;
    flag(split);
    if (split) throw LoadError(source, key, "true is not supported");
  } else if (key == "tokenizer_class" && next != 'n') {
    settings.tokenizer_class = in.string();
  } else if (key == "clean_up_tokenization_spaces") {
    flag(settings.clean_up);
  } else if (key == "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output") {
    flag(settings.clean_up_bpe);
  } else if (key == "add_bos_token") {
    flag(settings.add_bos);
  } else if (key == "add_eos_token") {
    flag(settings.add_eos);
  } else if (key == "add_prefix_space") {
    flag(settings.add_prefix_space);
  } else {
    in.skip_value();
  }
}

void read_config(const std::filesystem::path& path, FolderSettings& settings) {
  const std::string text = read_file(path, kMaxConfigBytes);
  JsonReader in(text, path.string());
  std::string key;
  in.begin_object();
  while (in.next_key(key)) read_config_key(in, key, settings, path.string());
  in.expect_end();
}

void read_added_tokens_file(const std::filesystem::path& path, FolderSettings& settings) {
  const std::string text = read_file(path, kMaxConfigBytes);
  std::set<std::string> special;
  for (const auto& [role, token] : settings.roles) special.insert(token.content);
  for (const AddedToken& token : settings.extra) special.insert(token.content);
  JsonReader in(text, path.string());
  std::string key;
  in.begin_object();
  while (in.next_key(key)) {
    const int64_t id = in.integer();
    if (id > Vocabulary::kMaxId) throw LoadError(path.string(), key.substr(0, 64), "id beyond 2^24");
    const bool is_special = special.contains(key);
    settings.added[id] = {key, false, false, false, !is_special, is_special};
  }
  in.expect_end();
}

FolderSettings read_settings(const std::filesystem::path& folder) {
  FolderSettings settings;
  if (const auto path = folder / "tokenizer_config.json"; is_present(path)) {
    settings.present = true;
    read_config(path, settings);
  }
  if (!settings.has_added_decoder) {
    if (const auto path = folder / "special_tokens_map.json"; is_present(path)) read_config(path, settings);
    if (const auto path = folder / "added_tokens.json"; is_present(path)) read_added_tokens_file(path, settings);
  }
  // A role given by its spelling alone has the flags that the token has elsewhere.
  for (auto& [role, token] : settings.roles) {
    if (!settings.plain_roles.contains(role)) continue;
    for (const auto& [id, other] : settings.added)
      if (other.content == token.content) token = other;
  }
  return settings;
}

void set_role(Tokenizer::Pipeline& pipeline, const FolderSettings& settings, const std::string& role,
              NamedToken& named) {
  const auto it = settings.roles.find(role);
  if (it == settings.roles.end()) return;
  named.content = it->second.content;
  int32_t id = pipeline.added.find_id(named.content);
  if (id < 0) id = pipeline.model->vocabulary().find(named.content);
  if (id >= 0) named.id = id;
}

void apply_settings(Tokenizer::Pipeline& pipeline, const FolderSettings& settings) {
  std::set<std::string> named, known;
  for (const auto& [role, token] : settings.roles) named.insert(token.content);
  for (const auto& [id, token] : settings.added) {
    const AddedToken* present = pipeline.added.token(pipeline.added.find_id(token.content));
    if (present && *present == token) continue;
    AddedToken flagged = token;
    flagged.special |= named.contains(token.content);
    add_token(pipeline, flagged);
  }
  // Those that nothing has said anything about yet; said twice, the later flags hold.
  for (const auto& [id, token] : pipeline.added.tokens()) known.insert(token.content);
  const auto add_unknown = [&](const AddedToken& token) {
    if (!known.contains(token.content)) add_token(pipeline, token);
  };
  for (const char* role : kRoles)
    if (const auto it = settings.roles.find(role); it != settings.roles.end()) add_unknown(it->second);
  for (const AddedToken& token : settings.extra) add_unknown(token);
  set_role(pipeline, settings, "bos_token", pipeline.bos);
  set_role(pipeline, settings, "eos_token", pipeline.eos);
  set_role(pipeline, settings, "unk_token", pipeline.unk);
  set_role(pipeline, settings, "pad_token", pipeline.pad);
  // transformers leaves BPE alone: its spaces before punctuation are meant.
  const bool is_bpe = dynamic_cast<const Bpe*>(pipeline.model.get()) != nullptr;
  if (settings.clean_up && (!is_bpe || settings.clean_up_bpe))
    for (auto& rule : make_clean_up()) pipeline.decoders.push_back(std::move(rule));
  if (settings.present) pipeline.limits_by_default = false;
  pipeline.finish();
}

// bos and eos around the text, for files that cannot say so themselves.
void surround(Tokenizer::Pipeline& pipeline, bool add_bos, bool add_eos) {
  std::vector<std::pair<int32_t, std::string>> before, behind;
  if (add_bos && pipeline.bos.id) before.emplace_back(*pipeline.bos.id, pipeline.bos.content);
  if (add_eos && pipeline.eos.id) behind.emplace_back(*pipeline.eos.id, pipeline.eos.content);
  if (!before.empty() || !behind.empty()) pipeline.post_processor = make_template(std::move(before), std::move(behind));
  pipeline.finish();
}

std::filesystem::path find_tiktoken(const std::filesystem::path& folder) {
  if (is_present(folder / "tiktoken.model")) return folder / "tiktoken.model";
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".tiktoken") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found.empty() ? std::filesystem::path{} : found.front();
}

std::unique_ptr<Tokenizer::Pipeline> open_tiktoken(const std::filesystem::path& path, const std::string& content,
                                                   FolderSettings& settings) {
  auto pipeline = read_tiktoken(content, path.string(), settings.tokenizer_class);
  // Ids between those that the folder names are reserved, so that each token gets its own.
  const auto model_size = static_cast<int64_t>(pipeline->model->vocabulary().size());
  const int64_t last = settings.added.empty() ? -1 : settings.added.rbegin()->first;
  if (last - model_size > static_cast<int64_t>(AddedVocabulary::kMaxTokens))
    throw LoadError(path.string(), "the folder names a token with the id " + std::to_string(last) + ", more than " +
                                       std::to_string(AddedVocabulary::kMaxTokens) + " behind the last");
  for (int64_t id = model_size; id < last; ++id)
    if (!settings.added.contains(id))
      settings.added[id] = special_token("<|reserved_token_" + std::to_string(id) + "|>");
  apply_settings(*pipeline, settings);
  surround(*pipeline, settings.add_bos.value_or(false), settings.add_eos.value_or(false));
  return pipeline;
}

std::unique_ptr<Tokenizer::Pipeline> open_sentencepiece(const std::filesystem::path& path, const std::string& content,
                                                        FolderSettings& settings) {
  SentencePieceNames names;
  auto pipeline = read_sentencepiece(content, path.string(), settings.present, names);
  for (const auto& [role, content_of] : {std::pair{"bos_token", names.bos},
                                         {"eos_token", names.eos},
                                         {"unk_token", names.unk},
                                         {"pad_token", names.pad}})
    if (!content_of.empty()) settings.roles.try_emplace(role, special_token(content_of));
  if (settings.present) {
    // transformers' normalizer for these files adds no prefix, so that it finds normalized tokens in the text as given.
    for (auto& [id, token] : settings.added) token.normalized = false;
    apply_settings(*pipeline, settings);
  } else {
    for (const auto& [role, named] : {std::pair{"bos_token", &pipeline->bos},
                                      {"eos_token", &pipeline->eos},
                                      {"unk_token", &pipeline->unk},
                                      {"pad_token", &pipeline->pad}})
      set_role(*pipeline, settings, role, *named);
    pipeline->finish();
  }
  const bool is_llama = settings.tokenizer_class.starts_with("Llama") || settings.tokenizer_class.starts_with("Gemma");
  surround(*pipeline, settings.add_bos.value_or(is_llama), settings.add_eos.value_or(false));
  return pipeline;
}

}  // namespace

std::unique_ptr<Tokenizer::Pipeline> read_tokenizer_folder(const std::filesystem::path& folder) {
  FolderSettings settings = read_settings(folder);
  if (const auto path = folder / "tokenizer.json"; is_present(path)) {
    auto pipeline = read_tokenizer_json(read_file(path, kMaxBytes), path.string());
    apply_settings(*pipeline, settings);
    return pipeline;
  }
  if (const auto path = folder / "tokenizer.model"; is_present(path)) {
    const std::string content = read_file(path, kMaxBytes);
    return is_tiktoken(content) ? open_tiktoken(path, content, settings) : open_sentencepiece(path, content, settings);
  }
  if (const auto path = find_tiktoken(folder); !path.empty())
    return open_tiktoken(path, read_file(path, kMaxBytes), settings);
  if (const auto vocab = folder / "vocab.json", merges = folder / "merges.txt";
      is_present(vocab) && is_present(merges)) {
    auto pipeline =
        read_vocab_and_merges(read_file(vocab, kMaxBytes), vocab.string(), read_file(merges, kMaxBytes),
                              merges.string(), settings.tokenizer_class, settings.add_prefix_space.value_or(false));
    apply_settings(*pipeline, settings);
    surround(*pipeline, settings.add_bos.value_or(false), settings.add_eos.value_or(false));
    return pipeline;
  }
  throw LoadError(folder.string(),
                  "no tokenizer: neither tokenizer.json, tokenizer.model, *.tiktoken nor vocab.json with merges.txt");
}

}  // namespace hearth::text
