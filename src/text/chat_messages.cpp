#include "text/chat_messages.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text {

void refuse_chat(const std::string& reason) { throw std::invalid_argument("[chat template] " + reason); }

namespace {

using jinja::DictData;
using jinja::Kind;
using jinja::Runtime;
using jinja::Value;

// Names under which reasoning is passed; the first is what templates read.
constexpr std::string_view kReasoningFields[] = {"reasoning_content", "thinking", "reasoning"};
// The space tells whether the template kept the spaces at the message's end.
constexpr std::string_view kMark = "CONTINUE_FINAL_MESSAGE_TAG ";

bool is_reasoning_field(std::string_view key) {
  return std::find(std::begin(kReasoningFields), std::end(kReasoningFields), key) != std::end(kReasoningFields);
}

// Most messages are: without nulls, which are dropped, and reasoning, which goes by several names.
bool stays_as_it_is(const Json& message) {
  const auto& entries = message.get_ref<const Json::object_t&>();
  return std::none_of(entries.begin(), entries.end(),
                      [](const auto& entry) { return entry.second.is_null() || is_reasoning_field(entry.first); });
}

Value prepare_message(Runtime& runtime, const Json& message) {
  if (!message.is_object()) refuse_chat("every message must be an object");
  if (stays_as_it_is(message)) return runtime.from_json(message);
  const auto& entries = message.get_ref<const Json::object_t&>();
  const Json* reasoning = nullptr;
  for (const std::string_view field : kReasoningFields) {
    const auto found = entries.find(std::string(field));
    if (reasoning == nullptr && found != entries.end() && !found->second.is_null()) reasoning = &found->second;
  }
  const Value prepared = runtime.dict();
  DictData& dict = *prepared.dict_data();
  if (reasoning != nullptr) dict.append(runtime, runtime.borrow("thinking"), runtime.from_json(*reasoning));
  for (const auto& [key, value] : entries) {
    if (value.is_null()) continue;
    if (reasoning != nullptr && key == "thinking") {
      dict.set(runtime, runtime.borrow(key), runtime.from_json(value));
    } else {
      dict.append(runtime, runtime.borrow(key), runtime.from_json(value));
    }
  }
  if (reasoning != nullptr) dict.set(runtime, runtime.borrow("reasoning_content"), runtime.from_json(*reasoning));
  return prepared;
}

Value marked(Runtime& runtime, Value text) {
  if (!text.is_string()) refuse_chat("continue_final_message needs text to continue");
  return runtime.string(std::string(text.view()) + std::string(kMark));
}

// A list of content blocks with the last text marked; that text goes to `before`.
Value marked_blocks(Runtime& runtime, Value content, std::string& before) {
  std::vector<Value> blocks = jinja::collect(runtime, content);
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    if (!block->is(Kind::kDict)) continue;
    const Value* text = block->dict_data()->find(runtime, "text");
    if (text == nullptr) continue;
    const Value changed = runtime.dict();
    for (const jinja::Entry& entry : block->dict_data()->entries(runtime))
      changed.dict_data()->set(runtime, entry.key, entry.value);
    changed.dict_data()->set(runtime, runtime.borrow("text"), marked(runtime, *text));
    before = std::string(text->view());
    *block = changed;
    return runtime.list(blocks);
  }
  refuse_chat("continue_final_message is set but the final message has no text to continue");
}

}  // namespace

Value prepare_messages(Runtime& runtime, const Json& messages) {
  if (!messages.is_array()) refuse_chat("messages must be an array");
  if (messages.empty()) refuse_chat("the conversation is empty: at least one message is needed");
  std::vector<Value> prepared;
  prepared.reserve(messages.size());
  for (const Json& message : messages) prepared.push_back(prepare_message(runtime, message));
  return runtime.list(prepared);
}

std::string mark_final_message(Runtime& runtime, Value messages, std::string_view field, std::string_view source) {
  DictData& message = *messages.list_data()->items(runtime).back().dict_data();
  const Value* found = message.find(runtime, field);
  if (found == nullptr)
    refuse_chat("continue_final_message is set but the final message has no \"" + std::string(field) +
                "\" to continue");
  const Value content = *found;
  // Reasoning is there under several names; whichever the template reads carries the mark.
  std::vector<std::string_view> fields{field};
  if (is_reasoning_field(field)) {
    fields.clear();
    for (const std::string_view name : kReasoningFields) {
      const Value* own = message.find(runtime, name);
      if (own != nullptr && jinja::equals(runtime, *own, content)) fields.push_back(name);
    }
  }
  const auto is_read = [&](std::string_view name) { return source.find(name) != std::string_view::npos; };
  if (std::none_of(fields.begin(), fields.end(), is_read))
    refuse_chat("continue_final_message is set to \"" + std::string(field) +
                "\" but the chat template does not read that field");
  std::string before;
  Value changed;
  if (content.is_sequence()) {
    changed = marked_blocks(runtime, content, before);
  } else {
    changed = marked(runtime, content);
    before = std::string(content.view());
  }
  for (const std::string_view name : fields) message.set(runtime, runtime.borrow(name), changed);
  return before;
}

void cut_at_mark(std::string& prompt, std::string_view final_message) {
  const std::string_view bare = jinja::strip(kMark, jinja::Side::kBoth);
  const size_t mark = prompt.rfind(bare);
  const bool there = prompt.find(jinja::strip(final_message, jinja::Side::kBoth)) != std::string::npos;
  if (mark == std::string::npos || !there)
    refuse_chat(
        "continue_final_message is set but the final message does not appear in the prompt that the template makes");
  const bool spaces_kept = prompt.compare(mark, kMark.size(), kMark) == 0;
  prompt.resize(mark);
  if (!spaces_kept) prompt.resize(jinja::strip(prompt, jinja::Side::kRight).size());
}

}  // namespace hearth::text
