#include "text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.h"

namespace hearth::text {
namespace {

using testing::HasSubstr;

const Json kNone;
const Json kHello = Json::parse(R"([{"role": "user", "content": "Hello"}])");

std::string render(const std::string& source, const Json& messages = kHello, const Json& extra = kNone) {
  return ChatTemplate(source, "<s>", "</s>").render(messages, kNone, extra);
}

// The error of a template that must fail.
std::string failure(const std::string& source, const TemplateLimits& limits = {}) {
  try {
    return "no error but: " + ChatTemplate(source, "", "", limits).render(kHello, kNone, kNone);
  } catch (const TemplateError& error) {
    return error.what();
  }
}

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("chat_template_test_" + std::to_string(reinterpret_cast<uintptr_t>(this)))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// --- Against transformers ---

TEST(ChatTemplate, RendersEveryStyleAsTransformersDoes) {
  const Json fixtures = load_json(HEARTH_SOURCE_DIR "/src/text/testdata/templates.json");
  size_t compared = 0;
  for (const Json& style : fixtures["templates"]) {
    for (const Json& row : style["cases"]) {
      const Json& messages = fixtures["chats"][row[0].get<std::string>()];
      const Json& options = fixtures["options"][row[2].get<size_t>()];
      const std::string where = style["name"].get<std::string>() + " " + row.dump();
      std::optional<RenderedChat> rendered;
      try {
        rendered = ChatTemplate(style["source"], "<s>", "</s>")
                       .render_with_spans(messages, row[1] == 1 ? fixtures["tools"] : kNone, options);
      } catch (const std::exception& error) {
        EXPECT_EQ(row.size(), 3u) << where << ": " << error.what();
      }
      if (!rendered) continue;
      ASSERT_GT(row.size(), 3u) << where << " must fail but gave " << rendered->text;
      EXPECT_EQ(rendered->text, fixtures["texts"][row[3].get<size_t>()].get<std::string>()) << where;
      EXPECT_EQ(Json(rendered->generation_spans), row.size() > 4 ? row[4] : Json::array()) << where;
      ++compared;
    }
  }
  EXPECT_GT(compared, 1000u);
}

TEST(ChatTemplate, EvaluatesExpressionsAsPythonDoes) {
  const Json fixtures = load_json(HEARTH_SOURCE_DIR "/src/text/testdata/template_expressions.json");
  for (const Json& one : fixtures["cases"]) {
    const std::string source = one[0];
    if (one[1].is_null()) {
      EXPECT_THROW(render(source, fixtures["messages"]), TemplateError) << source;
    } else {
      EXPECT_EQ(render(source, fixtures["messages"]), one[1].get<std::string>()) << source;
    }
  }
}

// --- Messages and options ---

TEST(ChatTemplate, DropsEntriesThatAreNull) {
  const Json messages = Json::parse(R"([{"role": "user", "content": null}])");
  EXPECT_EQ(render("{{ messages[0].content is defined }}", messages), "False");
}

TEST(ChatTemplate, PassesReasoningUnderTheNamesThatTemplatesRead) {
  const Json messages = Json::parse(R"([{"role": "assistant", "content": "c", "reasoning": "r"}])");
  EXPECT_EQ(render("{{ messages[0].thinking }}{{ messages[0].reasoning_content }}", messages), "rr");
}

TEST(ChatTemplate, HandsEveryOptionToTheTemplate) {
  EXPECT_EQ(render("{{ effort }}{{ bos_token }}{{ add_generation_prompt }}{{ documents }}", kHello,
                   Json::parse(R"({"effort": "low", "bos_token": "B", "add_generation_prompt": true})")),
            "lowBTrueNone");
}

TEST(ChatTemplate, EndsInsideTheFinalMessage) {
  const std::string source = "{% for m in messages %}[{{ m.content|trim }}]{% endfor %}";
  const Json messages = Json::parse(R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b  "}])");
  EXPECT_EQ(render(source, messages, Json::parse(R"({"continue_final_message": true})")), "[a][b");
}

TEST(ChatTemplate, RefusesToContinueAndToBeginAtOnce) {
  EXPECT_THROW(render("{{ messages[0].content }}", kHello,
                      Json::parse(R"({"continue_final_message": true, "add_generation_prompt": true})")),
               std::invalid_argument);
}

TEST(ChatTemplate, RefusesMessagesThatAreNone) {
  EXPECT_THROW(render("x", Json::array()), std::invalid_argument);
  EXPECT_THROW(render("x", Json::object()), std::invalid_argument);
  EXPECT_THROW(render("x", Json::parse("[1]")), std::invalid_argument);
}

TEST(ChatTemplate, TakesAnotherTemplateInstead) {
  EXPECT_EQ(render("a", kHello, Json::parse(R"({"chat_template": "b{{ bos_token }}"})")), "b<s>");
}

// --- Folders ---

TEST(ChatTemplate, IsNothingForAFolderWithoutOne) {
  Folder folder;
  EXPECT_FALSE(ChatTemplate::load(folder.path()));
  folder.write("tokenizer_config.json", "{}");
  EXPECT_FALSE(ChatTemplate::load(folder.path()));
}

TEST(ChatTemplate, PrefersTheJinjaFileToTheConfig) {
  Folder folder;
  folder.write("tokenizer_config.json",
               R"({"chat_template": "config", "bos_token": {"content": "<b>"}, "pad_token": null})");
  EXPECT_EQ(ChatTemplate::load(folder.path())->render(kHello, kNone, kNone), "config");
  folder.write("chat_template.jinja", "file {{ bos_token }} {{ pad_token is defined }}");
  EXPECT_EQ(ChatTemplate::load(folder.path())->render(kHello, kNone, kNone), "file <b> False");
}

TEST(ChatTemplate, ChoosesAmongNamedTemplates) {
  Folder folder;
  folder.write("tokenizer_config.json",
               R"({"chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]})");
  const auto chat = ChatTemplate::load(folder.path());
  EXPECT_EQ(chat->render(kHello, kNone, kNone), "D");
  EXPECT_EQ(chat->render(kHello, Json::array(), kNone), "T");
  EXPECT_EQ(chat->render(kHello, kNone, Json::parse(R"({"chat_template": "tool_use"})")), "T");
  EXPECT_EQ(chat->names(), (std::vector<std::string>{"default", "tool_use"}));
}

TEST(ChatTemplate, TellsTheFormatOfAnswers) {
  Folder folder;
  const std::string templates =
      R"("chat_template": [{"name": "default", "template": "D"}, {"name": "tool_use", "template": "{{ tools }}[TOOL_CALLS]"}])";
  folder.write("tokenizer_config.json", "{" + templates + "}");
  EXPECT_EQ(ChatTemplate::load(folder.path())->output_format().name, "mistral");
  EXPECT_TRUE(ChatTemplate::load(folder.path())->takes_tools());
  folder.write("tokenizer_config.json", R"({"tool_parser_type": "json_tools", )" + templates + "}");
  EXPECT_EQ(ChatTemplate::load(folder.path())->output_format().name, "hermes");
  folder.write("tokenizer_config.json", R"({"tool_parser_type": "of tomorrow", )" + templates + "}");
  EXPECT_EQ(ChatTemplate::load(folder.path())->output_format().name, "mistral");
  folder.write("tokenizer_config.json", R"({"chat_template_type": "deepseek_v32"})");
  EXPECT_EQ(ChatTemplate::load(folder.path())->output_format().name, "deepseek_v32");
  EXPECT_FALSE(ChatTemplate("{{ messages }}").takes_tools());
}

TEST(ChatTemplate, ReadsAdditionalTemplates) {
  Folder folder;
  folder.write("chat_template.jinja", "main");
  folder.write("additional_chat_templates/rag.jinja", "rag");
  const auto chat = ChatTemplate::load(folder.path());
  EXPECT_EQ(chat->render(kHello, kNone, Json::parse(R"({"chat_template": "rag"})")), "rag");
}

TEST(ChatTemplate, ReadsTheOldJsonFileLast) {
  Folder folder;
  folder.write("chat_template.json", R"({"chat_template": "old"})");
  EXPECT_EQ(ChatTemplate::load(folder.path())->render(kHello, kNone, kNone), "old");
}

TEST(ChatTemplate, NamesFileAndLineOfATemplateThatDoesNotParse) {
  Folder folder;
  folder.write("chat_template.jinja", "line one\n{% if %}");
  try {
    ChatTemplate::load(folder.path());
    FAIL();
  } catch (const LoadError& error) {
    EXPECT_THAT(error.what(), HasSubstr("chat_template.jinja"));
    EXPECT_THAT(error.what(), HasSubstr("line 2"));
  }
}

// --- Errors and limits ---

TEST(ChatTemplate, SaysLineAndReasonWhenTheTemplateRefuses) {
  EXPECT_EQ(failure("\n\n{{ raise_exception('roles must alternate') }}"), "template line 3: roles must alternate");
  EXPECT_EQ(failure("a\n{{ nothing.more }}"), "template line 2: 'nothing' is undefined");
  EXPECT_EQ(failure("{% macro f() %}\n{{ none + 1 }}{% endmacro %}\n{{ f() }}"),
            "template line 2: unsupported operand type(s) for +: 'NoneType' and 'int'");
}

TEST(ChatTemplate, StopsTemplatesThatWouldRunForever) {
  const std::string loop = "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}";
  EXPECT_THAT(failure(loop), HasSubstr("steps"));
  EXPECT_THAT(failure(loop, {.steps = 1000}), HasSubstr("more than 1000 steps"));
  EXPECT_THAT(failure("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), HasSubstr("deep"));
  EXPECT_THAT(failure("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"), HasSubstr("deep"));
  EXPECT_THAT(failure("{% set ns = namespace(x=[1]) %}{% for i in range(99999) %}{% set ns.x = ns.x|map('string') %}"
                      "{% endfor %}{{ ns.x|list }}"),
              HasSubstr("recursion"));
}

TEST(ChatTemplate, StopsTemplatesThatWouldFillTheMemory) {
  EXPECT_THAT(failure("{{ range(10 ** 9) }}"), HasSubstr("Range too big"));
  EXPECT_THAT(failure("{{ 'a' * 10 ** 12 }}"), HasSubstr("bytes"));
  EXPECT_THAT(failure("{% set ns = namespace(s='a' * 1000) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}"
                      "{% endfor %}"),
              HasSubstr("bytes"));
  EXPECT_THAT(failure("{{ 'a'|center(10 ** 13) }}"), HasSubstr("bytes"));
  EXPECT_THAT(failure("{% for i in range(1000) %}{{ 'x' * 1000 }}{% endfor %}", {.output_bytes = 5000}),
              HasSubstr("writes more than 5000 bytes"));
}

TEST(ChatTemplate, RefusesSourcesNestedTooDeeply) {
  const auto repeat = [](const std::string& piece) {
    std::string out;
    for (int i = 0; i < 50'000; ++i) out += piece;
    return out;
  };
  EXPECT_THAT(failure("{{ " + repeat("(")), HasSubstr("deeply"));
  EXPECT_THAT(failure("{{ " + repeat("not ") + "1 }}"), HasSubstr("deeply"));
  EXPECT_THAT(failure("{{ 1" + repeat("+1") + " }}"), HasSubstr("too long"));
  EXPECT_THAT(failure(repeat("{% if 1 %}")), HasSubstr("deeply"));
}

TEST(ChatTemplate, RefusesWhatIsNotUtf8) { EXPECT_THAT(failure("\xff"), HasSubstr("UTF-8")); }

TEST(ChatTemplate, KeepsTheSandboxShut) {
  EXPECT_EQ(render("{{ ''.__class__ }}{{ ''.__class__ is defined }}"), "False");
  EXPECT_THAT(failure("{{ [].append(1) }}"), HasSubstr("unsafe"));
  EXPECT_THAT(failure("{{ {}.update({}) }}"), HasSubstr("unsafe"));
  EXPECT_THAT(failure("{{ ''.__class__.mro() }}"), HasSubstr("unsafe"));
  EXPECT_THAT(failure("{{ namespace(_x=1) }}"), HasSubstr("underscore"));
  EXPECT_THAT(failure("{% include 'x' %}"), HasSubstr("no loader"));
}

// --- The built-in encoder ---

TEST(DeepseekEncoder, RendersAsMlxLmDoes) {
  const Json fixtures = load_json(HEARTH_SOURCE_DIR "/src/text/testdata/deepseek_v32.json");
  Folder folder;
  folder.write("tokenizer_config.json", R"({"chat_template_type": "deepseek_v32"})");
  const auto chat = ChatTemplate::load(folder.path());
  for (const Json& one : fixtures) {
    if (one["text"].is_null()) {
      EXPECT_THROW(chat->render(one["messages"], one["tools"], one["options"]), std::invalid_argument) << one.dump();
    } else {
      EXPECT_EQ(chat->render(one["messages"], one["tools"], one["options"]), one["text"].get<std::string>())
          << one.dump();
    }
  }
  EXPECT_GT(fixtures.size(), 20u);
}

}  // namespace
}  // namespace hearth::text
