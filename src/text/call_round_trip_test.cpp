// What a template writes of a tool call, the parser of the template's format reads back. The answers are transformers'
// renderings (tools/make_call_fixtures.py), which the engine here must give, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "text/call_check.h"
#include "text/chat_template.h"
#include "text/deepseek_encoder.h"
#include "text/output_parser.h"

namespace hearth::text {
namespace {

const Json& fixtures() {
  static const Json loaded = load_json(HEARTH_SOURCE_DIR "/src/text/testdata/call_templates.json");
  return loaded;
}

const std::string& source_of(const Json& one) {
  return fixtures()["sources"][one["source"].get<size_t>()].get_ref<const std::string&>();
}

const std::string& prompt_of(const Json& one) {
  return fixtures()["prompts"][one["prompt"].get<size_t>()].get_ref<const std::string&>();
}

Json calls_of(const Json& message) {
  Json calls = Json::array();
  for (const Json& call : message["tool_calls"])
    calls.push_back({{"name", call["function"]["name"]}, {"arguments", call["function"]["arguments"]}});
  return calls;
}

Json calls_of(const ParsedOutput& output) {
  Json calls = Json::array();
  for (const ToolCall& call : output.tool_calls)
    calls.push_back({{"name", call.name}, {"arguments", parse_json(call.arguments, "arguments")}});
  return calls;
}

std::string without_space(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

TEST(CallRoundTrip, ReadsBackWhatEveryTemplateWrites) {
  std::map<std::string, size_t> of_format;
  for (const Json& one : fixtures()["cases"]) {
    SCOPED_TRACE(one["format"].get<std::string>() + ", " + one["case"].get<std::string>());
    const OutputFormat format = detect_output_format(source_of(one));
    ASSERT_EQ(format.name, one["format"].get<std::string>());
    const std::string prompt = prompt_of(one), answer = one["answer"];
    const ParsedOutput output = parse_output(
        format, answer, {.tools = &fixtures()["tools"], .starts_in_reasoning = ends_in_reasoning(format, prompt)});
    EXPECT_EQ(calls_of(output), calls_of(one["message"])) << answer;
    EXPECT_TRUE(output.malformed.empty());
    const std::string content = one["message"]["content"];
    const bool written = without_space(answer).find(without_space(content)) != std::string::npos;  // some leave it out
    EXPECT_EQ(without_space(output.content), written ? without_space(content) : "") << answer;
    ++of_format[format.name];
  }
  EXPECT_EQ(of_format.size(), output_format_names().size() - 2)
      << "all but plain and deepseek_v32, which has no template";
  for (const auto& [format, count] : of_format) EXPECT_GE(count, 6u) << format;
}

// DeepSeek V3.2 has an encoder in place of a template: the same calls, thinking and not.
TEST(CallRoundTrip, ReadsBackWhatTheBuiltInEncoderWrites) {
  const OutputFormat format = output_format("deepseek_v32");
  size_t count = 0;
  for (const Json& one : fixtures()["cases"]) {
    if (one["format"] != "hermes") continue;
    Json message = one["message"];
    for (Json& call : message["tool_calls"]) call["function"]["arguments"] = call["function"]["arguments"].dump();
    for (const bool thinking : {false, true}) {
      SCOPED_TRACE(one["case"].get<std::string>() + (thinking ? ", thinking" : ""));
      const Json system = {{"role", "system"}, {"content", "Help."}}, options = {{"enable_thinking", thinking}};
      Json asked = Json::array({system, fixtures()["user"]}), answered = asked;
      answered.push_back(message);
      Json asking = options;
      asking["add_generation_prompt"] = true;
      const std::string prompt = encode_deepseek_v32(asked, fixtures()["tools"], asking);
      std::string answer = encode_deepseek_v32(answered, fixtures()["tools"], options);
      ASSERT_TRUE(answer.starts_with(prompt)) << answer;
      answer.erase(0, prompt.size());
      answer.resize(answer.rfind("<｜end▁of▁sentence｜>"));
      const ParsedOutput output = parse_output(
          format, answer, {.tools = &fixtures()["tools"], .starts_in_reasoning = ends_in_reasoning(format, prompt)});
      EXPECT_EQ(calls_of(output), calls_of(one["message"])) << answer;
      EXPECT_TRUE(output.malformed.empty());
      EXPECT_EQ(without_space(output.content), without_space(message["content"]));
      EXPECT_EQ(output.reasoning, thinking ? message.value("reasoning_content", "") : "");
      ++count;
    }
  }
  EXPECT_GE(count, 20u);
}

// Some templates cannot write what they are given: two calls in a turn that ends with the first, quotes in strings.
TEST(CallCheck, ReadsBackTheCallsOfEveryTemplate) {
  using Result = CallCheck::Case::Result;
  const std::map<std::string, std::string> cannot = {{"harmony", "two calls"}, {"llama4_pythonic", "code"}};
  for (const Json& source : fixtures()["sources"]) {
    const CallCheck check = check_calls(ChatTemplate(source.get<std::string>(), "<s>", "</s>"));
    for (const CallCheck::Case& one : check.cases) {
      const auto found = cannot.find(check.format);
      const bool expected = found == cannot.end() || found->second != one.name;
      EXPECT_EQ(one.result == Result::read_back || one.result == Result::refused, expected)
          << check.format << ", " << one.name << ": " << one.detail;
    }
    EXPECT_EQ(check.verdict == CallCheck::Verdict::read_back, !cannot.contains(check.format)) << check.format;
  }
}

TEST(CallCheck, SaysWhenCallsAreLeftOutOrNotUnderstood) {
  const auto verdict = [](const std::string& assistant) {
    return check_calls(ChatTemplate("{% for m in messages %}{% if m.role == 'assistant' %}" + assistant +
                                    "{% else %}{{ m.content }}{% endif %}{% endfor %}"))
        .verdict;
  };
  EXPECT_EQ(verdict("{{ m.content }}"), CallCheck::Verdict::no_calls);
  EXPECT_EQ(
      verdict("{% for c in m.tool_calls or [] %}<<{{ c.function.name }} {{ c.function.arguments }}>>{% endfor %}"),
      CallCheck::Verdict::not_read_back);
  const std::string twice =
      "{% for c in m.tool_calls or [] %}<tool_call>{{ c.function|tojson }}</tool_call>"
      "<tool_call>{{ c.function|tojson }}</tool_call>{% endfor %}";
  EXPECT_EQ(verdict(twice), CallCheck::Verdict::not_read_back);
  EXPECT_EQ(verdict("{% for c in m.tool_calls or [] %}<tool_call>{{ c.function|tojson }}</tool_call>{% endfor %}"),
            CallCheck::Verdict::read_back);
  EXPECT_EQ(
      verdict("{% for c in (m.tool_calls or [])[:1] %}<tool_call>{{ c.function|tojson }}</tool_call>{% endfor %}"),
      CallCheck::Verdict::read_back);
  EXPECT_EQ(verdict("{{ raise_exception('no answers here') }}"), CallCheck::Verdict::not_read_back);
}

TEST(CallRoundTrip, RendersTheConversationsAsTransformersDoes) {
  for (const Json& one : fixtures()["cases"]) {
    const ChatTemplate chat(source_of(one), "<s>", "</s>");
    const Json messages = Json::array({fixtures()["user"], one["message"]});
    const std::string rendered = chat.render(messages, fixtures()["tools"], Json());
    EXPECT_TRUE(rendered.starts_with(prompt_of(one) + one["answer"].get<std::string>()))
        << one["format"] << ", " << one["case"];
  }
}

}  // namespace
}  // namespace hearth::text
