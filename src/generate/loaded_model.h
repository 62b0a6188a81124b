// Everything a model folder holds that generation needs, opened once: the model, its tokenizer, its chat template.
//
// Threads: tokenizer and chat template may be used from many threads; the model by one engine at a time.
// Lifetime: engines and conversations keep a reference; the LoadedModel outlives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/output_parser.h"

namespace hearth::models {
class Model;
}
namespace hearth::text {
class ChatTemplate;
class Tokenizer;
}  // namespace hearth::text
namespace hearth::weights {
class ResidentWeights;
}

namespace hearth::generate {

struct LoadedModel {
  std::filesystem::path folder;
  std::string model_type;  // as config.json says
  std::unique_ptr<models::Model> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::unique_ptr<const text::ChatTemplate> chat_template;  // null: the folder has none
  std::vector<int32_t> stop_tokens;  // end-of-sequence tokens of generation_config.json, config.json or the tokenizer
  std::vector<std::string> notes;    // sentences about the files that whoever runs the model should know
  int context_length = 0;            // tokens; 0: not stated
  size_t weight_bytes = 0;           // of the weight files
  double load_seconds = 0;
  std::unique_ptr<weights::ResidentWeights> resident_weights;  // at work in the background

  LoadedModel();
  LoadedModel(LoadedModel&&) noexcept;
  LoadedModel& operator=(LoadedModel&&) noexcept;
  ~LoadedModel();
};

// Opens a model folder. Weights are mapped, not read. Throws LoadError naming file and key.
LoadedModel load(const std::filesystem::path& folder);

// Tokens of a raw text, as it stands. `special` adds what the tokenizer puts around a text, unless the text
// begins with the BOS token already. Throws RequestError when `text` is not UTF-8.
std::vector<int32_t> encode_text(const LoadedModel& model, std::string_view text, bool special = true);

// How a conversation is put into the chat template.
struct ChatOptions {
  // The last message is an assistant's beginning that the model goes on from.
  bool continue_final_message = false;
  bool opens_answer = true;     // else the template opens a new answer; false: the prompt ends with the last message
  std::string extra_json = {};  // an object of further template variables, e.g. {"enable_thinking": false}; "": none
};

// A conversation as a text for the model. messages: an array of {"role", "content", ...}; tools: an array or null.
// Without a chat template the contents are joined by newlines as raw text, as mlx-lm does for such models.
// Throws RequestError when the template takes no tools but there are some, or a text is not UTF-8; as
// ChatTemplate::render does when the template refuses the messages.
std::string render_chat(const LoadedModel& model, const Json& messages, const Json& tools,
                        const ChatOptions& options = {});

// The tokens of what render_chat gave.
std::vector<int32_t> encode_rendered(const LoadedModel& model, std::string_view prompt);

// Both in one.
std::vector<int32_t> encode_chat(const LoadedModel& model, const Json& messages, const Json& tools,
                                 const ChatOptions& options = {});

// Splits the answer to a rendered prompt into content, reasoning and tool calls. `tools` as given to render_chat:
// without tools nothing is a call. `id_seed`: see OutputParserOptions. `begun`: the text of the final message if the
// prompt is to be continued there. Without a chat template everything is content.
text::OutputParser answer_parser(const LoadedModel& model, std::string_view prompt, const Json& tools,
                                 uint64_t id_seed = 0, std::string_view begun = "");

// Tokens of one user message, with a system prompt unless it is "".
std::vector<int32_t> encode_message(const LoadedModel& model, std::string_view user, std::string_view system = "",
                                    const ChatOptions& options = {});

// An end-of-sequence token by its text or its number, as --extra-eos-token takes it.
// Throws RequestError when the tokenizer knows no such token.
int32_t token_id(const LoadedModel& model, std::string_view token);

}  // namespace hearth::generate
