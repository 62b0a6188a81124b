// Any bytes as a chat template, over one conversation: must render or fail with a TemplateError, in bounded time.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  static const Json messages = Json::parse(
      R"([{"role": "system", "content": "S é"}, {"role": "user", "content": [{"type": "text", "text": "t"}]},
          {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1.5}}}]}])");
  static const Json tools = Json::parse(R"([{"type": "function", "function": {"name": "f", "parameters": {}}}])");
  static const Json options = Json::parse(R"({"x": "text", "n": 3, "l": [1, "a", null], "d": {"a": 1, "b": {}}})");
  const text::TemplateLimits limits{.steps = 100'000, .bytes = size_t{16} << 20, .output_bytes = size_t{1} << 20};
  try {
    const text::ChatTemplate parsed(std::string(reinterpret_cast<const char*>(data), size), "<s>", "</s>", limits);
    parsed.render_with_spans(messages, tools, options);
  } catch (const text::TemplateError&) {
  }
  return 0;
}
