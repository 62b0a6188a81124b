#include "cli/answer_printer.h"

#include <gmock/gmock.h>

namespace hearth::cli {
namespace {

// What is printed of an answer that arrives a byte at a time.
std::string printed(const std::string& answer, bool dim = false) {
  std::string out;
  AnswerPrinter printer([&](const std::string& text) { out += text; }, dim);
  text::OutputParser parser(text::output_format("hermes"));
  for (const char c : answer) printer.show(parser.feed({&c, 1}));
  printer.show(parser.finish());
  printer.finish();
  return out;
}

TEST(AnswerPrinter, LeavesPlainAnswersAsTheyAre) {
  EXPECT_EQ(printed(" Hello,\n\nworld "), " Hello,\n\nworld \n");
  EXPECT_EQ(printed("Hello\n"), "Hello\n");
  EXPECT_EQ(printed(""), "");
}

TEST(AnswerPrinter, LabelsReasoningAndWhatFollowsIt) {
  EXPECT_EQ(printed("<think>\nTwo\nlines.\n</think>\n\nYes."), "[thinking] Two\nlines.\n[answer] Yes.\n");
  EXPECT_EQ(printed("<think>\n\n</think>\n\nYes."), "[answer] Yes.\n");
  EXPECT_EQ(printed("<think>Hm</think>Yes", true), "\x1b[2m[thinking] Hm\x1b[22m\n[answer] Yes\n");
}

TEST(AnswerPrinter, PrintsCallsOnLinesOfTheirOwn) {
  const std::string call = R"(<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>)";
  EXPECT_EQ(printed("See:" + call + "\n" + call), "See:\n[call] f({\"a\": 1})\n[call] f({\"a\": 1})\n");
}

TEST(AnswerPrinter, PrintsWhatIsNoCallWithTheReason) {
  EXPECT_THAT(printed("<tool_call>nonsense {</tool_call>"), ::testing::StartsWith("[no call: "));
  EXPECT_THAT(printed("<tool_call>nonsense {</tool_call>"),
              ::testing::HasSubstr("<tool_call>nonsense {</tool_call>\n"));
}

}  // namespace
}  // namespace hearth::cli
