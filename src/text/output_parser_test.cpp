#include "text/output_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "base/file.h"

namespace hearth::text {
namespace {

// Vectors of tools/make_parser_fixtures.py: the first line holds the tools, each other one an answer and its meaning.
struct Vectors {
  Json tools;
  std::vector<Json> all;
};

const Vectors& vectors() {
  static const Vectors loaded = [] {
    Vectors v;
    std::istringstream lines(read_file(HEARTH_SOURCE_DIR "/src/text/testdata/output_vectors.jsonl"));
    std::string line;
    std::getline(lines, line);
    v.tools = Json::parse(line)["tools"];
    while (std::getline(lines, line)) v.all.push_back(Json::parse(line));
    return v;
  }();
  return loaded;
}

// What a reader of the stream sees, however it was cut: neighbouring pieces of one kind are one.
std::string run(const Json& vector, const std::vector<size_t>& cuts, ParsedOutput& result) {
  OutputParser parser(output_format(vector["format"].get<std::string>()), {.tools = &vectors().tools});
  const std::string text = vector["text"];
  std::vector<OutputEvent> events;
  const auto take = [&](std::vector<OutputEvent> more) {
    for (OutputEvent& event : more) {
      result.add(event);
      if (!events.empty() && events.back().kind == event.kind && event.kind <= OutputEvent::Kind::reasoning) {
        events.back().text += event.text;
      } else if (!events.empty() && events.back().kind == event.kind &&
                 event.kind == OutputEvent::Kind::call_arguments) {
        events.back().text += event.text;
      } else {
        events.push_back(std::move(event));
      }
    }
  };
  size_t begin = 0;
  for (size_t cut : cuts) {
    take(parser.feed(std::string_view(text).substr(begin, cut - begin)));
    begin = cut;
  }
  take(parser.feed(std::string_view(text).substr(begin)));
  take(parser.finish());
  std::string trace;
  for (const OutputEvent& e : events)
    trace += std::to_string(static_cast<int>(e.kind)) + "|" + std::to_string(e.call) + "|" + e.id + "|" + e.name + "|" +
             e.text + "|" + e.reason + "\n";
  return trace;
}

TEST(OutputParser, ReadsEveryVectorAsItWasMeant) {
  for (const Json& vector : vectors().all) {
    SCOPED_TRACE(vector["case"].get<std::string>() + ": " + vector["text"].get<std::string>());
    ParsedOutput result;
    run(vector, {}, result);
    EXPECT_EQ(result.reasoning, vector["reasoning"].get<std::string>());
    EXPECT_EQ(result.content, vector["content"].get<std::string>());
    EXPECT_EQ(result.malformed.size(), vector["malformed"].get<size_t>());
    Json calls = Json::array();
    for (const ToolCall& call : result.tool_calls)
      calls.push_back({{"name", call.name}, {"arguments", Json::parse(call.arguments)}});
    EXPECT_EQ(calls, vector["calls"]);
    if (!vector.contains("ids") || vector["ids"].is_null()) continue;
    for (size_t i = 0; i < result.tool_calls.size(); ++i)
      EXPECT_EQ(result.tool_calls[i].id, vector["ids"][i].get<std::string>());
  }
}

TEST(OutputParser, GivesTheSameEventsHoweverTheTextIsCut) {
  std::mt19937 random(7);
  for (const Json& vector : vectors().all) {
    SCOPED_TRACE(vector["case"].get<std::string>() + ": " + vector["text"].get<std::string>());
    const size_t size = vector["text"].get_ref<const std::string&>().size();
    ParsedOutput ignored;
    const std::string whole = run(vector, {}, ignored);
    for (size_t cut = 0; cut <= size; ++cut) ASSERT_EQ(run(vector, {cut}, ignored), whole) << "cut at " << cut;
    for (int round = 0; round < 4; ++round) {
      std::vector<size_t> cuts;
      for (size_t at = 0; at < size; at += 1 + random() % (round == 0 ? 1 : 7)) cuts.push_back(at);
      ASSERT_EQ(run(vector, cuts, ignored), whole);
    }
  }
}

TEST(OutputParser, StreamsArgumentsBeforeTheCallEnds) {
  for (const auto& [format, text] : std::vector<std::pair<std::string, std::string>>{
           {"hermes", R"(<tool_call>{"name": "f", "arguments": {"a": "long)"},
           {"kimi_k2",
            R"(<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1)"},
           {"harmony", R"(<|channel|>commentary to=functions.f<|message|>{"a": 1)"},
           {"pythonic", "<|tool_call_start|>[f(a=1, "},
           {"qwen3_coder", "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n<parameter=b>"}}) {
    OutputParser parser(output_format(format));
    std::string arguments;
    for (const OutputEvent& event : parser.feed(text))
      if (event.kind == OutputEvent::Kind::call_arguments) arguments += event.text;
    EXPECT_THAT(arguments, testing::StartsWith("{\"a\":")) << format;
  }
}

// Whoever takes the calls parses their arguments; a call of which that fails is none.
TEST(OutputParser, GivesNoArgumentsThatParseJsonRefuses) {
  const std::vector<std::pair<std::string, std::string>> formats = {
      {"hermes", R"(<tool_call>{"name": "f", "arguments": @}</tool_call>)"},
      {"deepseek_v3",
       "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>@<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
      {"kimi_k2",
       "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>@<|tool_call_end|>"
       "<|tool_calls_section_end|>"},
      {"mistral", R"([TOOL_CALLS][{"name": "f", "arguments": @}])"},
      {"mistral", "[TOOL_CALLS]f[ARGS]@"},
      {"llama3_json", R"(<|python_tag|>{"name": "f", "parameters": @})"},
      {"llama3_json", R"({"name": "f", "parameters": @})"},
      {"cohere", R"(<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "f", "parameters": @}]<|END_ACTION|>)"},
      {"command_r", "Action: ```json\n[{\"tool_name\": \"f\", \"parameters\": @}]```"},
      {"granite", R"(<|tool_call|>[{"name": "f", "arguments": @}])"},
      {"phi4", R"(<|tool_call|>[{"name": "f", "arguments": @}]<|/tool_call|>)"},
      {"nemotron", R"(<TOOLCALL>[{"name": "f", "arguments": @}]</TOOLCALL>)"},
      {"harmony", "<|channel|>commentary to=functions.f<|message|>@<|call|>"},
      {"pythonic", "<|tool_call_start|>[f(a=@)]<|tool_call_end|>"},
      {"qwen3_coder", "<tool_call>\n<function=f>\n<parameter=a>\n@\n</parameter>\n</function>\n</tool_call>"},
  };
  std::string keys, deep = std::string(63, '[') + std::string(63, ']');
  for (int i = 0; i < 1025; ++i) keys += (i > 0 ? ", \"k" : "\"k") + std::to_string(i) + "\": 1";
  const std::string refused[] = {R"({"n": 1e400})", R"({"n": -1E+999})",       R"({"n": 18446744073709551616})",
                                 "{" + keys + "}",  "{\"n\": [" + deep + "]}", "{\"n\": \"\xff\"}"};
  for (const auto& [format, pattern] : formats) {
    const auto parse = [&, &form = format, &text = pattern](const std::string& arguments) {
      const size_t at = text.find('@');
      return parse_output(output_format(form), std::string(text).replace(at, 1, arguments));
    };
    EXPECT_EQ(parse(R"({"n": 1e300})").tool_calls.size(), 1u) << format << pattern;
    for (const std::string& arguments : refused) {
      const ParsedOutput result = parse(arguments);
      SCOPED_TRACE(format + ": " + arguments.substr(0, 100));
      for (const ToolCall& call : result.tool_calls) EXPECT_NO_THROW(parse_json(call.arguments, "arguments"));
      EXPECT_EQ(result.tool_calls.size() + result.malformed.size(), 1u) << result.content;
    }
  }
}

TEST(OutputParser, KeepsTheDigitsOfLargeIntegers) {
  const auto arguments = [](const std::string& number) {
    const ParsedOutput result =
        parse_output(output_format("pythonic"), "<|tool_call_start|>[f(a=" + number + ")]<|tool_call_end|>");
    return result.tool_calls.empty() ? "none" : result.tool_calls[0].arguments;
  };
  EXPECT_EQ(arguments("18446744073709551615"), R"({"a": 18446744073709551615})");
  EXPECT_EQ(arguments("18446744073709551616"), "none");
  EXPECT_EQ(arguments("-9223372036854775809"), "none");
}

TEST(OutputParser, BeginsInReasoningWhenThePromptOpenedIt) {
  const OutputFormat format = output_format("hermes");
  EXPECT_TRUE(ends_in_reasoning(format, "<|im_start|>assistant\n<think>\n"));
  EXPECT_FALSE(ends_in_reasoning(format, "<think>\n\n</think>\n\n"));
  const ParsedOutput result = parse_output(format, "so...</think>Yes", {.starts_in_reasoning = true});
  EXPECT_EQ(result.reasoning, "so...");
  EXPECT_EQ(result.content, "Yes");
}

TEST(OutputParser, MadeIdsDependOnSeedAndNumberOnly) {
  const std::string text = R"([TOOL_CALLS][{"name": "f", "arguments": {}}, {"name": "f", "arguments": {}}])";
  const ParsedOutput a = parse_output(output_format("mistral"), text, {.id_seed = 1});
  const ParsedOutput b = parse_output(output_format("mistral"), text, {.id_seed = 2});
  ASSERT_EQ(a.tool_calls.size(), 2u);
  EXPECT_EQ(a.tool_calls[0].id.size(), 9u);
  EXPECT_NE(a.tool_calls[0].id, a.tool_calls[1].id);
  EXPECT_NE(a.tool_calls[0].id, b.tool_calls[0].id);
}

TEST(OutputFormat, IsDetectedFromTheTemplate) {
  EXPECT_EQ(detect_output_format("... <tool_call>\n{\"name\": <function-name> ...").name, "hermes");
  EXPECT_EQ(detect_output_format("<tool_call>\n<function=...").name, "qwen3_coder");
  EXPECT_EQ(detect_output_format("<tool_call>{name}<arg_key>").name, "glm47");
  EXPECT_EQ(detect_output_format("<|tool_calls_section_begin|>").name, "kimi_k2");
  EXPECT_EQ(detect_output_format("<|start|>assistant<|channel|>final<|message|>").name, "harmony");
  EXPECT_EQ(detect_output_format("[TOOL_CALLS]").name, "mistral");
  EXPECT_EQ(detect_output_format("{{ messages }}").name, "plain");
  // Formats that share a marker.
  const std::string dsml = "{% set d = '｜DSML｜' %}{{ '<' + d + ";
  EXPECT_EQ(detect_output_format(dsml + "'function_calls>' }}{{ message.tool_calls }}").name, "deepseek_v32");
  EXPECT_EQ(detect_output_format(dsml + "'tool_calls>' }}").name, "deepseek_v4");
  EXPECT_EQ(detect_output_format(dsml + "' calls>' }}{{ message.tool_calls }}").name, "deepseek_v41");
  EXPECT_EQ(detect_output_format("<tool_calls>[{\"name\": ...}]</tool_calls>").name, "tool_calls");
  EXPECT_EQ(detect_output_format("within <tool_call></tool_call>: <tool_calls>[ ... [BEGIN FINAL RESPONSE]").name,
            "apriel");
  EXPECT_EQ(detect_output_format("<tool_calls> ... <|extra_0|>").name, "hunyuan");
  EXPECT_EQ(detect_output_format("<tool_calls><tool_call>f<tool_sep><arg_key>").name, "hy_v3");
  EXPECT_EQ(detect_output_format("<function name=\"f\"><param name=\"p\"> <tool_sep>").name, "minicpm5");
  EXPECT_EQ(detect_output_format("<function=f>{...}</function>").name, "functionary_v31");
  EXPECT_EQ(detect_output_format("<seed:tool_call>\n<function=f>").name, "seed_oss");
  EXPECT_EQ(detect_output_format("]<]minimax[>[ ~ <tool_call> <mm:think>").name, "minimax_m3");
  EXPECT_EQ(detect_output_format("<minimax:tool_call> </think>").name, "minimax_m2");
  EXPECT_EQ(detect_output_format("<function_calls>f()</function_calls>").name, "olmo3");
  EXPECT_EQ(detect_output_format("make calls in a single JSON array").name, "xlam");
  EXPECT_EQ(detect_output_format("'<|open|>' + tag + '<|sep|>'").reasoning.size(), 1u);
  EXPECT_TRUE(detect_output_format("{{ messages }}").reasoning.empty());
  EXPECT_EQ(detect_output_format("<tool_call> </think>").reasoning.size(), 1u);
  EXPECT_THROW(output_format("nonsense"), std::invalid_argument);
}

}  // namespace
}  // namespace hearth::text
