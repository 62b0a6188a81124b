#include "text/calls/call_grammar.h"

#include "text/calls/json_calls.h"
#include "text/calls/literal_calls.h"
#include "text/calls/section_calls.h"
#include "text/calls/tagged_calls.h"

namespace hearth::text {

namespace {

using Trim = TaggedCalls::Style::Trim;
using Header = SectionCalls::Style::Header;

// Waits for the region's first byte that is not white space, which tells the grammar.
class ChosenByFirstByte : public CallGrammar {
 public:
  using Choice = std::unique_ptr<CallGrammar> (*)(char first, std::string_view end, const Json* tools, CallSink& sink);
  ChosenByFirstByte(Choice choose, std::string_view end, const Json* tools, CallSink& sink)
      : choose_(choose), end_(end), tools_(tools), sink_(sink) {}

  CallStatus push(char c) override {
    if (grammar_ == nullptr) {
      if (is_space(c)) return CallStatus::more;
      grammar_ = choose_(c, end_, tools_, sink_);
    }
    return pass(grammar_->push(c));
  }
  CallStatus finish() override {
    if (grammar_ == nullptr) return fail("the answer ended before the call");
    return pass(grammar_->finish());
  }

 private:
  CallStatus pass(CallStatus status) { return status == CallStatus::failed ? fail(grammar_->reason()) : status; }

  Choice choose_;
  std::string end_;
  const Json* tools_;
  CallSink& sink_;
  std::unique_ptr<CallGrammar> grammar_;
};

std::unique_ptr<CallGrammar> json(std::string_view end, CallSink& sink) {
  return std::make_unique<JsonCalls>(JsonCalls::Style{.end = std::string(end)}, sink);
}

// A name, then <PREFIXarg_key>k</PREFIXarg_key><PREFIXarg_value>v</PREFIXarg_value> for each argument.
std::unique_ptr<CallGrammar> argument_pairs(const std::string& prefix, std::string_view end, const Json* tools,
                                            CallSink& sink) {
  return std::make_unique<TaggedCalls>(TaggedCalls::Style{.call_open = "",
                                                          .name_end = "",
                                                          .key_open = "<" + prefix + "arg_key>",
                                                          .key_end = "</" + prefix + "arg_key>",
                                                          .value_open = "<" + prefix + "arg_value>",
                                                          .value_end = "</" + prefix + "arg_value>",
                                                          .call_close = "",
                                                          .region_end = std::string(end),
                                                          .trim = Trim::all,
                                                          .untyped = Untyped::literal},
                                       tools, sink);
}

std::unique_ptr<CallGrammar> inside_tool_call_tag(char first, std::string_view end, const Json* tools, CallSink& sink) {
  if (first == '{' || first == '[') return json(end, sink);
  if (first == '<')
    return std::make_unique<TaggedCalls>(TaggedCalls::Style{.call_open = "<function=",
                                                            .name_end = ">",
                                                            .key_open = "<parameter=",
                                                            .key_end = ">",
                                                            .value_open = "",
                                                            .value_end = "</parameter>",
                                                            .call_close = "</function>",
                                                            .region_end = std::string(end),
                                                            .trim = Trim::newline,
                                                            .untyped = Untyped::text},
                                         tools, sink);
  return argument_pairs("", end, tools, sink);
}

std::unique_ptr<CallGrammar> inside_longcat(char first, std::string_view end, const Json* tools, CallSink& sink) {
  if (first == '{' || first == '[') return json(end, sink);
  return argument_pairs("longcat_", end, tools, sink);
}

std::unique_ptr<CallGrammar> after_mistral_mark(char first, std::string_view end, const Json*, CallSink& sink) {
  if (first == '{' || first == '[')
    return std::make_unique<JsonCalls>(JsonCalls::Style{.end = std::string(end), .id_comes_last = true}, sink);
  return std::make_unique<SectionCalls>(
      SectionCalls::Style{
          .call_begin = "", .separator = "[ARGS]", .call_end = "", .section_end = "", .header = Header::mistral},
      sink);
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::unique_ptr<CallGrammar> make_call_grammar(CallSyntax syntax, std::string_view end, const Json* tools,
                                               CallSink& sink) {
  const std::string region_end(end);
  switch (syntax) {
    case CallSyntax::tool_call_tag: return std::make_unique<ChosenByFirstByte>(inside_tool_call_tag, end, tools, sink);
    case CallSyntax::longcat: return std::make_unique<ChosenByFirstByte>(inside_longcat, end, tools, sink);
    case CallSyntax::mistral: return std::make_unique<ChosenByFirstByte>(after_mistral_mark, end, tools, sink);
    case CallSyntax::json: return json(end, sink);
    case CallSyntax::kimi:
      return std::make_unique<SectionCalls>(SectionCalls::Style{.call_begin = "<|tool_call_begin|>",
                                                                .separator = "<|tool_call_argument_begin|>",
                                                                .call_end = "<|tool_call_end|>",
                                                                .section_end = region_end,
                                                                .header = Header::kimi},
                                            sink);
    case CallSyntax::deepseek:
      return std::make_unique<SectionCalls>(SectionCalls::Style{.call_begin = "<｜tool▁call▁begin｜>",
                                                                .separator = "<｜tool▁sep｜>",
                                                                .call_end = "<｜tool▁call▁end｜>",
                                                                .section_end = region_end,
                                                                .header = Header::deepseek},
                                            sink);
    case CallSyntax::dsml:
      return std::make_unique<TaggedCalls>(TaggedCalls::Style{.call_open = "<｜DSML｜invoke name=\"",
                                                              .name_end = "\">",
                                                              .key_open = "<｜DSML｜parameter name=\"",
                                                              .key_end = "\">",
                                                              .value_open = "",
                                                              .value_end = "</｜DSML｜parameter>",
                                                              .call_close = "</｜DSML｜invoke>",
                                                              .region_end = region_end,
                                                              .trim = Trim::newline,
                                                              .untyped = Untyped::text,
                                                              .string_attribute = true},
                                           tools, sink);
    case CallSyntax::minimax:
      return std::make_unique<TaggedCalls>(TaggedCalls::Style{.call_open = "<invoke name=",
                                                              .name_end = ">",
                                                              .key_open = "<parameter name=",
                                                              .key_end = ">",
                                                              .value_open = "",
                                                              .value_end = "</parameter>",
                                                              .call_close = "</invoke>",
                                                              .region_end = region_end,
                                                              .trim = Trim::all,
                                                              .untyped = Untyped::text},
                                           tools, sink);
    case CallSyntax::pythonic:
      return std::make_unique<LiteralCalls>(LiteralCalls::Style{.prefix = "",
                                                                .open = '(',
                                                                .assign = '=',
                                                                .close = ')',
                                                                .string_mark = "",
                                                                .list = true,
                                                                .end = region_end},
                                            tools, sink);
    case CallSyntax::gemma:
      return std::make_unique<LiteralCalls>(
          LiteralCalls::Style{
              .prefix = "call:", .open = '{', .assign = ':', .close = '}', .string_mark = "<|\"|>", .end = region_end},
          tools, sink);
    case CallSyntax::function_gemma:
      return std::make_unique<LiteralCalls>(LiteralCalls::Style{.prefix = "call:",
                                                                .open = '{',
                                                                .assign = ':',
                                                                .close = '}',
                                                                .string_mark = "<escape>",
                                                                .end = region_end},
                                            tools, sink);
  }
  return json(end, sink);
}

std::unique_ptr<CallGrammar> make_bare_grammar(OutputFormat::Bare bare, const Json* tools, CallSink& sink) {
  if (bare == OutputFormat::Bare::pythonic)
    return std::make_unique<LiteralCalls>(LiteralCalls::Style{.prefix = "",
                                                              .open = '(',
                                                              .assign = '=',
                                                              .close = ')',
                                                              .string_mark = "",
                                                              .list = true,
                                                              .end = "",
                                                              .known = tools},
                                          tools, sink);
  return std::make_unique<JsonCalls>(JsonCalls::Style{.end = "", .known = tools, .bare = true}, sink);
}

}  // namespace hearth::text
