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

TEST(ChatTemplate, ReadsFoldersWithManyKeys) {
  std::string config = "{";
  for (int i = 0; i < 80'000; ++i) config += "\"k" + std::to_string(i) + "\": [], ";
  Folder folder;
  folder.write("tokenizer_config.json", config + R"("bos_token": "<s>", "chat_template": "{{ bos_token }}!"})");
  EXPECT_EQ(ChatTemplate::load(folder.path())->render(kHello, kNone, kNone), "<s>!");
  folder.write("tokenizer_config.json", R"({"bos_token": 5, "chat_template": "x"})");
  EXPECT_THAT([&] { ChatTemplate::load(folder.path()); },
              testing::ThrowsMessage<LoadError>(HasSubstr("tokenizer_config.json: bos_token: ")));
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

// Work that one expression does, however few statements there are.
TEST(ChatTemplate, ChargesWhatAnExpressionDoes) {
  const auto loop = [](const std::string& set, const std::string& work) {
    return "{% set x = " + set + " %}{% for i in range(9999) %}{% for j in range(9) %}{% set y = " + work +
           " %}{% endfor %}{% endfor %}";
  };
  const std::string list = "[messages|length] * 1000000", text = "'a' * (30000000 * messages|length)";
  const std::string calls[] = {
      loop(list, "x.count(2)"),
      loop(text, "x[::messages|length + 1]"),
      loop(text, "{x: 1}[x]"),
      loop(text, "x is lower"),
      loop(text, "x.startswith(x)"),
      loop(text, "x.removeprefix(x)"),
      loop(text, "x|int(messages)"),
      loop(text, "'%.0s' % x"),
      "{{ ('\\n' * 100000000).splitlines()|length }}",
      "{{ ('a ' * 60000000).split()|length }}",
      "{{ ('a' * 120000000).split('a')|length }}",
      "{% set n = namespace() %}{% set n.a = n %}{{ ([n] * 200)|map(attribute='a' + '.a' * 1000000)|list|length }}",
  };
  for (const std::string& source : calls)
    EXPECT_THAT(failure(source, {.steps = 2'000'000}), HasSubstr("steps")) << source;
}

TEST(ChatTemplate, DoesHostileWorkInTimeThatGrowsWithIt) {
  EXPECT_EQ(failure("{% set x = [[[[0] * 1000] * 1000] * 1000] * 1000 %}{{ x|length }}"), "no error but: 1000");
  const auto repeat = [](int count, const auto& piece) {
    std::string out;
    for (int i = 0; i < count; ++i) out += (i > 0 ? "," : "") + piece(std::to_string(i));
    return out;
  };
  const auto name = [](const std::string& i) { return "p" + i; };
  EXPECT_THAT(failure("{% macro f(" + repeat(150'000, name) + ") %}{% endmacro %}"), HasSubstr("too many variables"));
  EXPECT_THAT(failure("{% macro f(a, b, a) %}{% endmacro %}"), HasSubstr("duplicate argument 'a'"));
  const auto keyword = [](const std::string& i) { return "k" + i + "=1"; };
  EXPECT_EQ(failure("{{ dict(" + repeat(100'000, keyword) + ")|length }}"), "no error but: 100000");
  EXPECT_THAT(failure("{{ dict(a=1, a=2) }}"), HasSubstr("keyword argument repeated: a"));
  EXPECT_EQ(failure("{{ '{:0100000,}'.format(messages|length)|length }}"), "no error but: 100001");
  EXPECT_EQ(failure("{{ '{:08,}|{:09,}|{:05,}|{:+09_.1f}'.format(12, 1234, 123456, 1.5) }}"),
            "no error but: 0,000,012|0,001,234|123,456|+00_001.5");
  EXPECT_THAT(failure("{{ '%.*d' % (4000000000, 5) }}"), HasSubstr("precision too big"));
  EXPECT_EQ(failure("{{ (('-' * 400000)|wordwrap(2))|length }}"), "no error but: 599999");
}

TEST(ChatTemplate, FindsManyGenerationSpansInOnePass) {
  std::string source;
  for (int i = 0; i < 30'000; ++i) source += "\u00e9{% generation %}\u00e9{% endgeneration %}";
  const RenderedChat rendered = ChatTemplate(source, "", "").render_with_spans(kHello, kNone, kNone);
  ASSERT_EQ(rendered.generation_spans.size(), 30'000u);
  EXPECT_EQ(rendered.generation_spans.back(), (std::pair<size_t, size_t>(119'998, 120'000)));
}

TEST(ChatTemplate, ComputesWithTheLargestNumbersAsPythonDoes) {
  EXPECT_EQ(render("{{ (-9223372036854775807 - 1) in range(0, -3, -1) }}"), "False");
  EXPECT_EQ(
      render("{{ 9223372036854775807 in range(-9223372036854775807, 9223372036854775807, 9000000000000000000) }}"),
      "False");
  EXPECT_EQ(render("{{ range(-9223372036854775807, 9223372036854775807, 4611686018427387904)|list|last }}"),
            "4611686018427387905");
  EXPECT_THAT(failure("{{ range(0, 9223372036854775807, 4611686018427387904)[0:] }}"), HasSubstr("overflow"));
  EXPECT_EQ(render("{{ range(0, 9223372036854775807, 4611686018427387904)[0:1] }}"),
            "range(0, 4611686018427387904, 4611686018427387904)");
  EXPECT_EQ(render("{{ 'ab'.zfill(-9223372036854775807 - 1) }}"), "ab");
  EXPECT_EQ(render("{{ -1e20|filesizeformat }} {{ -0.5|filesizeformat }}"), "-100000000000000000000 Bytes 0 Bytes");
  EXPECT_EQ(render("{{ 1E-999 }} {{ 1e-999 }} {{ 1E999 }} {{ 0.0E999 }} {{ '1E-999'|float }}"), "0.0 0.0 inf 0.0 0.0");
  EXPECT_THAT(failure("{{ '%*d' % (-9223372036854775807 - 1, 5) }}"), HasSubstr("width too big"));
  EXPECT_EQ(render("{{ '%*d|%*s|' % (-3, 5, -1, '') }}"), "5  | |");
}

TEST(ChatTemplate, SlicesByCharacters) {
  EXPECT_EQ(render("{{ 'h\u00e9l\u20acl\u00f6'[::-1] }} {{ 'h\u00e9l\u20acl\u00f6'[1::2] }}"),
            "\u00f6l\u20acl\u00e9h \u00e9\u20ac\u00f6");
  EXPECT_EQ(render("{{ 'abcdef'[-2::-2] }} {{ 'abcdef'[4:1:-1] }}"), "eca edc");
}

TEST(ChatTemplate, GivesLongDatesRoom) {
  EXPECT_THAT(render("{{ strftime_now('%c' * 2000)|length > 30000 }}"), "True");
  EXPECT_EQ(render("[{{ strftime_now('') }}]"), "[]");
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
      EXPECT_THROW(chat->render(one["messages"], one["tools"], one["options"]), RequestError) << one.dump();
    } else {
      EXPECT_EQ(chat->render(one["messages"], one["tools"], one["options"]), one["text"].get<std::string>())
          << one.dump();
    }
  }
  EXPECT_GT(fixtures.size(), 20u);
}

}  // namespace
}  // namespace hearth::text
