// The command line as a user meets it: what it refuses, in how many lines, with which exit status.
#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "cli/commands.h"

namespace hearth::cli {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  int status;
  std::string out, error;
};

Outcome run_captured(const Arguments& arguments) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int status = run(arguments);
  return {status, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

void expect_refusal(const Arguments& arguments, const std::string& culprit) {
  const Outcome outcome = run_captured(arguments);
  EXPECT_EQ(outcome.status, 2) << ::testing::PrintToString(arguments);
  EXPECT_THAT(outcome.error, HasSubstr(culprit));
  EXPECT_THAT(outcome.error, ::testing::StartsWith("hearth: "));
  EXPECT_EQ(std::count(outcome.error.begin(), outcome.error.end(), '\n'), 1) << outcome.error;
  EXPECT_EQ(outcome.out, "");
}

TEST(CommandLine, RefusesUnknownCommandsAndOptionsInOneLine) {
  expect_refusal({"sing"}, "sing");
  expect_refusal({"generate", "--bogus"}, "--bogus");
  expect_refusal({"bench", "extra"}, "extra");
  expect_refusal({"perplexity", "--model", "x"}, "--data-path");
}

TEST(CommandLine, RefusesValuesThatAreNoNumbersOrOutOfRange) {
  expect_refusal({"generate", "--max-tokens", "many"}, "--max-tokens");
  expect_refusal({"generate", "--max-tokens", "99999999999999999999"}, "--max-tokens");
  expect_refusal({"generate", "--max-tokens", "-2"}, "--max-tokens");
  expect_refusal({"generate", "--max-tokens"}, "--max-tokens");
  expect_refusal({"generate", "--temp", "-1"}, "temperature");
  expect_refusal({"generate", "--temp", "nan"}, "temperature");
  expect_refusal({"generate", "--top-p", "1.5"}, "top_p");
  expect_refusal({"generate", "--top-k", "-1"}, "top_k");
  expect_refusal({"generate", "--xtc-threshold", "0.7"}, "xtc_threshold");
  expect_refusal({"generate", "--seed", "-1"}, "--seed");
  expect_refusal({"generate", "--threads", "-3"}, "--threads");
  expect_refusal({"generate", "--prefill-step-size", "0"}, "--prefill-step-size");
  expect_refusal({"generate", "--max-kv-size", "-5"}, "--max-kv-size");
  expect_refusal({"generate", "--logit-bias", "[1]"}, "--logit-bias");
  expect_refusal({"generate", "--logit-bias", "{"}, "--logit-bias");
  expect_refusal({"generate", "--top-logprobs", "3"}, "--json");
  expect_refusal({"bench", "-p", "0"}, "--prompt-tokens");
  expect_refusal({"verify", "--tokens", "3"}, "--tokens");
  expect_refusal({"verify", "--isa", "abacus"}, "abacus");
  expect_refusal({"verify", "--across-isas", "--isa", "scalar"}, "--isa");
  expect_refusal({"perplexity", "--data-path", "x", "--sequence-length", "1"}, "--sequence-length");
  expect_refusal({"convert", "--gguf", "x", "--dtype", "int3"}, "--dtype");
}

TEST(CommandLine, ChecksTheCallsOfATemplateFile) {
  const std::string file = ::testing::TempDir() + "check.jinja";
  const auto check = [&](const std::string& calls) {
    write_file_atomically(file,
                          "{% for m in messages %}{{ m.role + ': ' + (m.content or '') }}" + calls + "{% endfor %}");
    return run_captured({"template", "--template", file, "--check"});
  };
  const Outcome good =
      check("{% for c in m.tool_calls or [] %}<tool_call>{{ c.function|tojson }}</tool_call>{% endfor %}");
  EXPECT_EQ(good.status, 0) << good.out;
  EXPECT_THAT(good.out, ::testing::StartsWith("format: hermes\none call: read back\n"));
  const Outcome none = check("");
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.out, HasSubstr("This template writes no calls"));
  const Outcome unknown = check("{% for c in m.tool_calls or [] %}!{{ c.function.name }}!\x1b{% endfor %}");
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.out, HasSubstr("one call: not read back (the template writes \"assistant: !get_weather!"));
  EXPECT_THAT(unknown.out, HasSubstr("Calls of this template cannot be read back.\n"));
  EXPECT_EQ(unknown.out.find('\x1b'), std::string::npos);
  expect_refusal({"template", "--template", file, "--model", "x"}, "--model");
  expect_refusal({"template", "--template", file, "--diff"}, "--diff");
  expect_refusal({"template", "--template", file, "--check", "--jsonl"}, "--jsonl");
  expect_refusal({"template", "--template", "/absent/file", "--check"}, "/absent/file");
}

TEST(CommandLine, NamesTheModelFolderThatIsAbsent) {
  for (const char* command : {"generate", "chat", "bench", "verify", "tokenize", "template"})
    expect_refusal({command, "--model", "/absent/folder"}, "/absent/folder");
}

TEST(CommandLine, HelpsWithEveryCommand) {
  const std::string list = run_captured({"--help"}).out;
  for (const char* command :
       {"generate", "chat", "bench", "perplexity", "verify", "convert", "tokenize", "template", "parse"}) {
    EXPECT_THAT(list, HasSubstr(command));
    const Outcome help = run_captured({command, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr("Examples:\n  "));
    EXPECT_EQ(help.error, "");
  }
}

TEST(CommandLine, ShowsVersionAndInstructionSet) {
  const Outcome outcome = run_captured({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, ::testing::MatchesRegex("hearth [0-9.]+ \\((scalar|avx2|avx512|avx512bf16), .*\\)\n"));
}

TEST(CommandLine, TakesSeveralValuesOfAList) {
  std::vector<std::string> stops;
  int number = 0;
  CommandLine line("test", "", "");
  line.option("--stop,-s", stops, "");
  line.option("--number,-n", number, "");
  EXPECT_TRUE(line.parse({"--stop", "[END]", "a,b", "--number", "-1", "-s", "--", "--stop=x"}));
  EXPECT_THAT(stops, ::testing::ElementsAre("[END]", "a,b", "--", "x"));
  EXPECT_EQ(number, -1);
}

TEST(CommandLine, TakesTheLastValueOfAnOptionGivenTwice) {
  int number = 0;
  std::optional<float> part;
  std::string text, path;
  std::vector<std::string> stops;
  bool on = false;
  CommandLine line("test", "", "");
  line.option("--number,-n", number, "");
  line.option("--part", part, "");
  line.option("--text", text, "");
  line.required("--path", path, "");
  line.option("--stop", stops, "");
  line.flag("--on", on, "");
  line.ignored_option("--unused");
  EXPECT_TRUE(line.parse({"-n",
                          "1",
                          "--part",
                          "0.5",
                          "--number=2",
                          "--text",
                          "[a]",
                          "--path",
                          "x",
                          "--path",
                          "y",
                          "--on",
                          "--text",
                          "[b]",
                          "--on",
                          "--part=0.25",
                          "--stop",
                          "s",
                          "--stop",
                          "t",
                          "--trust-remote-code",
                          "--trust-remote-code",
                          "--unused",
                          "1",
                          "--unused",
                          "2"}));
  EXPECT_EQ(number, 2);
  EXPECT_EQ(part, 0.25f);
  EXPECT_EQ(text, "[b]");
  EXPECT_EQ(path, "y");
  EXPECT_TRUE(on);
  EXPECT_THAT(stops, ::testing::ElementsAre("s", "t"));  // a list keeps all
}

TEST(CommandLine, TakesValuesThatLookLikeOptions) {
  std::string prompt;
  CommandLine line("test", "", "");
  line.option("--prompt,-p", prompt, "");
  for (const char* value : {"-", "--prompt", "-x", "- a list", ""}) {
    EXPECT_TRUE(line.parse({"--prompt", value}));
    EXPECT_EQ(prompt, value);
  }
}

}  // namespace
}  // namespace hearth::cli
