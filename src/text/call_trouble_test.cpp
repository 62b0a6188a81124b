// What models get wrong when they call, and what must come of it: vectors of tools/make_trouble_fixtures.py, each
// trouble through every format of its kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "text/output_parser.h"

namespace hearth::text {
namespace {

struct Troubles {
  Json tools;
  std::vector<Json> all;
};

const Troubles& troubles() {
  static const Troubles loaded = [] {
    Troubles t;
    std::istringstream lines(read_file(HEARTH_SOURCE_DIR "/src/text/testdata/output_troubles.jsonl"));
    std::string line;
    std::getline(lines, line);
    t.tools = Json::parse(line)["tools"];
    while (std::getline(lines, line)) t.all.push_back(Json::parse(line));
    return t;
  }();
  return loaded;
}

std::string text_of(const Json& vector) { return vector.value("text", ""); }

// In pieces of `step` bytes, the first of `first`.
ParsedOutput parse(const Json& vector, const Json& tools, size_t first, size_t step) {
  OutputParser parser(output_format(vector["format"].get<std::string>()), {.tools = &tools});
  const std::string text = text_of(vector);
  ParsedOutput result;
  for (size_t at = 0, size = first; at < text.size(); at += size, size = step)
    for (const OutputEvent& event : parser.feed(std::string_view(text).substr(at, size))) result.add(event);
  for (const OutputEvent& event : parser.finish()) result.add(event);
  return result;
}

ParsedOutput parse(const Json& vector, const Json& tools = troubles().tools) {
  return parse(vector, tools, std::string::npos, std::string::npos);
}

std::string shown(const ParsedOutput& output) {
  Json json = {{"reasoning", output.reasoning}, {"content", output.content}};
  for (const ToolCall& call : output.tool_calls)
    json["calls"].push_back({call.id, call.name, call.arguments, call.repaired});
  for (const MalformedCall& call : output.malformed) json["malformed"].push_back({call.text, call.reason});
  return json.dump(1);
}

TEST(CallTrouble, ReadsEachAsItWasMeant) {
  for (const Json& vector : troubles().all) {
    SCOPED_TRACE(vector.dump());
    const ParsedOutput output = parse(vector);
    EXPECT_EQ(output.reasoning, vector.value("reasoning", ""));
    EXPECT_EQ(output.content, vector.value("content", ""));
    Json calls = Json::array();
    for (const ToolCall& call : output.tool_calls) {
      calls.push_back({{"name", call.name}, {"arguments", Json::parse(call.arguments)}});
      EXPECT_EQ(call.repaired, vector.value("repaired", false));
    }
    EXPECT_EQ(calls, vector.value("calls", Json::array()));
  }
}

TEST(CallTrouble, ReadsTheSameHoweverTheTextIsCut) {
  for (const Json& vector : troubles().all) {
    SCOPED_TRACE(vector.dump());
    const std::string whole = shown(parse(vector));
    const size_t size = text_of(vector).size();
    for (const size_t step : {1, 3}) ASSERT_EQ(shown(parse(vector, troubles().tools, step, step)), whole) << step;
    const size_t stride = 1 + size / 150;
    for (size_t cut = 1; cut < size; cut += stride)
      ASSERT_EQ(shown(parse(vector, troubles().tools, cut, size)), whole) << "cut at " << cut;
  }
}

TEST(CallTrouble, NothingIsACallWhereNoToolsWereOffered) {
  const std::string marks[] = {"<think>", "<longcat_think>", "[THINK]", "<|START_THINKING|>", "<|channel"};
  size_t tried = 0;
  for (const Json& vector : troubles().all) {
    SCOPED_TRACE(vector.dump());
    const std::string text = text_of(vector);
    const ParsedOutput output = parse(vector, Json::array());
    EXPECT_TRUE(output.tool_calls.empty());
    if (std::any_of(std::begin(marks), std::end(marks), [&](const auto& m) { return text.find(m) != text.npos; }))
      continue;
    EXPECT_EQ(output.content, text);
    ++tried;
  }
  EXPECT_GT(tried, 400u);
}

TEST(CallTrouble, LeavesCallsAloneThatAnthropicsShapeDoesNotOffer) {
  const Json tools = Json::parse(R"([{"name": "save", "input_schema": {"properties": {"path": {"type": "string"}}}}])");
  const auto parse = [&](const std::string& name) {
    const std::string call = "<tool_call>\n{\"name\": \"" + name + "\", \"arguments\": {}}\n</tool_call>";
    return parse_output(output_format("hermes"), call, {.tools = &tools});
  };
  EXPECT_EQ(parse("save").tool_calls.size(), 1u);
  const ParsedOutput other = parse("erase");
  EXPECT_TRUE(other.tool_calls.empty());
  EXPECT_EQ(other.content, "<tool_call>\n{\"name\": \"erase\", \"arguments\": {}}\n</tool_call>");
  EXPECT_THAT(other.malformed.at(0).reason, testing::HasSubstr("erase"));
}

// Readers of the stream parse the joined pieces.
TEST(CallTrouble, StreamsRepairedArgumentsAsJson) {
  OutputParser parser(output_format("hermes"), {.tools = &troubles().tools});
  std::string arguments;
  const std::string begun = "<tool_call>{'name': 'save', 'arguments': {'path': 'a\tb', 'text': None";
  for (const OutputEvent& event : parser.feed(begun))
    arguments += event.kind == OutputEvent::Kind::call_arguments ? event.text : "";
  EXPECT_EQ(arguments, R"({"path": "a\tb", "text": )");
  bool repaired = false;
  for (const OutputEvent& event : parser.feed("</tool_call>")) {
    if (event.kind == OutputEvent::Kind::call_arguments) arguments += event.text;
    repaired = repaired || event.repaired;
  }
  EXPECT_EQ(arguments, R"({"path": "a\tb", "text": null})");
  EXPECT_TRUE(repaired);
}

// What begins like a call a thousand times must not be read a thousand times over: this takes a second, not hours.
TEST(CallTrouble, TakesTimeInProportionToTheText) {
  const std::string units[] = {"{",
                               " ",
                               "[",
                               "```json\n",
                               "```\n{",
                               "{\"name\": \"save\", \"arguments\": {",
                               "{\"arguments\": {\"a\": \"",
                               "<tool_call>{\"name\": \"save\", \"arguments\": {\"a\": \"",
                               "<think><tool_call>",
                               "<think><tool_call>{\"a\": \"</think>",
                               "<tool_call>",
                               "<tool_call>\n<function=save>\n<parameter=text>\n",
                               "</parameter>",
                               "<function=save><parameter=text></function></tool_call>",
                               "[save(path=",
                               "[TOOL_CALLS]",
                               "<tools>",
                               "<tool_call>save<arg_key>text</arg_key><arg_value></tool_call>",
                               "</parameter>          "};
  const std::string starts[] = {"", "<tool_call>", "<tool_call>\n<function=save>\n<parameter=text>\n", "<think>"};
  for (const char* format : {"hermes", "qwen3_coder", "glm47", "llama3_json", "llama4_pythonic", "mistral"})
    for (const std::string& start : starts)
      for (const std::string& unit : units) {
        std::string text = start;
        while (text.size() < 50'000) text += unit;
        const ParsedOutput output = parse_output(output_format(format), text, {.tools = &troubles().tools});
        EXPECT_LE(output.content.size() + output.reasoning.size(), text.size());
      }
}

TEST(CallTrouble, OnlyTheEndOfThePromptOpensReasoning) {
  for (const std::string name : {"hermes", "mistral", "gemma4", "cohere", "longcat", "harmony"}) {
    SCOPED_TRACE(name);
    const OutputFormat format = output_format(name);
    const std::string start = format.reasoning.at(0).start, end = format.reasoning.at(0).end;
    EXPECT_TRUE(ends_in_reasoning(format, "<user>Hi<assistant>" + start));
    EXPECT_TRUE(ends_in_reasoning(format, "<user>What is " + start + "?<assistant>" + start + "\n\n"));
    EXPECT_FALSE(ends_in_reasoning(format, "<user>What is " + start + "?<assistant>"));
    EXPECT_FALSE(ends_in_reasoning(format, "<system>Use " + start + "\n<user>Hi<assistant>\n"));
    EXPECT_FALSE(ends_in_reasoning(format, "<user>Hi<assistant>" + start + "\n\n" + end + "\n\n"));
    EXPECT_FALSE(ends_in_reasoning(format, "<user>Hi<assistant>"));
  }
}

TEST(CallTrouble, AnAnswerThatIsToBeContinuedGoesOnWhereItStands) {
  const OutputFormat format = output_format("hermes");
  const auto goes_on = [&](const std::string& opened, const std::string& begun) {
    return ends_in_reasoning(format, "<user>Say <think>.<assistant>" + opened + begun, begun);
  };
  EXPECT_TRUE(goes_on("", "<think>Let me see"));
  EXPECT_TRUE(goes_on("<think>\n", "Let me see"));
  EXPECT_TRUE(goes_on("", "<think>\n"));
  EXPECT_FALSE(goes_on("", "Let me see"));
  EXPECT_FALSE(goes_on("", "<think>Yes.</think>\n\nSo"));
  EXPECT_FALSE(goes_on("<think>\n\n</think>\n\n", "So"));
}

}  // namespace
}  // namespace hearth::text
