// Which grammar reads which syntax. Some syntaxes are known only when the region's first bytes have arrived.
#include "text/calls/call_grammar.h"

#include "text/calls/json_calls.h"
#include "text/calls/literal_calls.h"
#include "text/calls/nested_calls.h"
#include "text/calls/section_calls.h"
#include "text/calls/tagged_calls.h"
#include "text/calls/xtml_calls.h"

namespace hearth::text {

namespace {

using Trim = TaggedCalls::Style::Trim;
using Header = SectionCalls::Style::Header;
using Grammar = std::unique_ptr<CallGrammar>;

// Waits for the region's first byte that is not white space (behind a bracket, the two first), which tells the grammar.
class ChosenByFirstBytes : public CallGrammar {
 public:
  using Choice = Grammar (*)(std::string_view first, const CallContext& context);
  ChosenByFirstBytes(Choice choose, const CallContext& context) : choose_(choose), context_(context) {}

  CallStatus push(char c) override {
    if (grammar_ != nullptr) return pass(grammar_->push(c));
    if (is_space(c)) return CallStatus::more;
    first_ += c;
    return first_ == "[" ? CallStatus::more : choose();
  }
  CallStatus finish() override {
    if (grammar_ == nullptr && first_.empty()) return fail("the answer ended before the call");
    if (grammar_ == nullptr) {
      if (const CallStatus status = choose(); status != CallStatus::more) return status;
    }
    return pass(grammar_->finish());
  }
  std::string_view rest() const override { return grammar_->rest(); }

 private:
  CallStatus choose() {
    grammar_ = choose_(first_, context_);
    CallStatus status = CallStatus::more;
    for (char c : first_)
      if (status == CallStatus::more) status = pass(grammar_->push(c));
    return status;
  }
  CallStatus pass(CallStatus status) { return status == CallStatus::failed ? fail(grammar_->reason()) : status; }

  Choice choose_;
  CallContext context_;
  std::string first_;
  Grammar grammar_;
};

// JSON between two marks, the first of which the grammar reads. Behind a fence may stand what it holds: ```json
class WrappedJson : public CallGrammar {
 public:
  explicit WrappedJson(const CallContext& context)
      : open_(context.region.start),
        json_({.end = context.region.end, .weak = context.region.weak, .repair = context.repair}, context.sink) {}

  CallStatus push(char c) override {
    if (in_json_) return pass(json_.push(c));
    head_ += c;
    if (head_.size() <= open_.size()) return open_.starts_with(head_) ? CallStatus::more : fail("not a call");
    if (c == '{' || c == '[') {
      const std::string_view word = trim(std::string_view(head_).substr(open_.size(), head_.size() - open_.size() - 1));
      if (!names_json(word)) return fail("not JSON");
      in_json_ = true;
      return pass(json_.push(c));
    }
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return is_space(c) || (word && head_.size() < kLongestHead) ? CallStatus::more : fail("not JSON");
  }
  CallStatus finish() override { return in_json_ ? pass(json_.finish()) : fail("the answer ended before the call"); }
  std::string_view rest() const override { return json_.rest(); }

 private:
  static constexpr size_t kLongestHead = 32;
  static bool names_json(std::string_view word) {
    for (const char* name : {"", "json", "JSON", "tool_call", "tool_calls", "tool", "function_call"})
      if (word == name) return true;
    return false;
  }
  CallStatus pass(CallStatus status) { return status == CallStatus::failed ? fail(json_.reason()) : status; }

  std::string open_, head_;
  bool in_json_ = false;
  JsonCalls json_;
};

Grammar json(const CallContext& context, bool id_comes_last = false) {
  return std::make_unique<JsonCalls>(JsonCalls::Style{.end = context.region.end,
                                                      .weak = context.region.weak,
                                                      .id_comes_last = id_comes_last,
                                                      .repair = context.repair},
                                     context.sink);
}

Grammar tagged(TaggedCalls::Style style, const CallContext& context) {
  style.region_start = context.region.start;
  style.region_end = context.region.end;
  style.repair = context.repair;
  return std::make_unique<TaggedCalls>(std::move(style), context.tools, context.sink);
}

// A name, then <PREFIXarg_key>k</PREFIXarg_key><PREFIXarg_value>v</PREFIXarg_value> for each argument.
Grammar argument_pairs(const std::string& prefix, const CallContext& context) {
  return tagged({.call_open = "",
                 .name_end = "",
                 .key_open = "<" + prefix + "arg_key>",
                 .key_end = "</" + prefix + "arg_key>",
                 .value_open = "<" + prefix + "arg_value>",
                 .value_end = "</" + prefix + "arg_value>",
                 .call_close = "",
                 .trim = Trim::all,
                 .untyped = Untyped::literal},
                context);
}

Grammar function_tags(const CallContext& context) {
  return tagged({.call_open = "<function=",
                 .name_end = ">",
                 .key_open = "<parameter=",
                 .key_end = ">",
                 .value_open = "",
                 .value_end = "</parameter>",
                 .call_close = "</function>",
                 .trim = Trim::newline,
                 .untyped = Untyped::text},
                context);
}

// <PREFIXinvoke name="f"><PREFIXparameter name="a">v</PREFIXparameter></PREFIXinvoke>
TaggedCalls::Style invoke_tags(const std::string& prefix, Trim trim) {
  return {.call_open = "<" + prefix + "invoke name=",
          .name_end = ">",
          .key_open = "<" + prefix + "parameter name=",
          .key_end = ">",
          .value_open = "",
          .value_end = "</" + prefix + "parameter>",
          .call_close = "</" + prefix + "invoke>",
          .trim = trim,
          .untyped = Untyped::text};
}

// A value's type stands in its tag. V4.1 has a space before the names of all tags.
Grammar dsml(const CallContext& context) {
  const bool spaced = context.region.start.starts_with("<｜DSML｜ ");
  TaggedCalls::Style style = invoke_tags(spaced ? "｜DSML｜ " : "｜DSML｜", Trim::none);
  style.string_attribute = true;
  return tagged(std::move(style), context);
}

// Each call stands between marks of its own.
Grammar steptml(const CallContext& context) {
  TaggedCalls::Style style = invoke_tags("steptml:", Trim::newline);
  style.call_open = "<｜tool_call_begin｜>function<｜tool_sep｜>" + style.call_open;
  style.call_close += "<｜tool_call_end｜>";
  return tagged(std::move(style), context);
}

// The region begins with the call's name and ends with the call.
Grammar minicpm(const CallContext& context) {
  return tagged({.call_open = "",
                 .name_end = ">",
                 .key_open = "<param name=",
                 .key_end = ">",
                 .value_open = "",
                 .value_end = "</param>",
                 .call_close = "</function>",
                 .trim = Trim::newline,
                 .untyped = Untyped::text,
                 .xml_text = true},
                context);
}

// Tencent's Hy3: argument pairs, the name between <tool_call> and <tool_sep>. All tags end as the region's end does.
Grammar hunyuan(const CallContext& context) {
  const std::string rest = context.region.end.substr(std::string_view("</tool_calls").size());
  return tagged({.call_open = "<tool_call" + rest,
                 .name_end = "<tool_sep" + rest,
                 .key_open = "<arg_key" + rest,
                 .key_end = "</arg_key" + rest,
                 .value_open = "<arg_value" + rest,
                 .value_end = "</arg_value" + rest,
                 .call_close = "</tool_call" + rest,
                 .trim = Trim::all,
                 .untyped = Untyped::literal},
                context);
}

Grammar inside_tool_call_tag(std::string_view first, const CallContext& context) {
  if (first[0] == '{' || first[0] == '[') return json(context);
  return first[0] == '<' ? function_tags(context) : argument_pairs("", context);
}

Grammar inside_longcat(std::string_view first, const CallContext& context) {
  return first[0] == '{' || first[0] == '[' ? json(context) : argument_pairs("longcat_", context);
}

Grammar after_mistral_mark(std::string_view first, const CallContext& context) {
  if (first[0] == '{' || first[0] == '[') return json(context, /*id_comes_last=*/true);
  return std::make_unique<SectionCalls>(SectionCalls::Style{.call_begin = "",
                                                            .separator = "[ARGS]",
                                                            .call_end = "",
                                                            .section_end = "",
                                                            .header = Header::mistral,
                                                            .repair = context.repair},
                                        context.sink);
}

// f(a=1, b="x"), in brackets and separated by commas, or one a line.
Grammar python_calls(bool list, const CallContext& context) {
  return std::make_unique<LiteralCalls>(LiteralCalls::Style{.prefix = "",
                                                            .open = '(',
                                                            .assign = '=',
                                                            .close = ')',
                                                            .string_mark = "",
                                                            .list = list,
                                                            .end = context.region.end,
                                                            .repair = context.repair},
                                        context.tools, context.sink);
}

Grammar pythonic(std::string_view first, const CallContext& context) {
  return first == "{" || first == "[{" ? json(context) : python_calls(true, context);
}

Grammar braces(const char* string_mark, const CallContext& context) {
  return std::make_unique<LiteralCalls>(LiteralCalls::Style{.prefix = "call:",
                                                            .open = '{',
                                                            .assign = ':',
                                                            .close = '}',
                                                            .string_mark = string_mark,
                                                            .end = context.region.end,
                                                            .repair = context.repair},
                                        context.tools, context.sink);
}

Grammar section(SectionCalls::Style style, const CallContext& context) {
  style.section_end = context.region.end;
  style.repair = context.repair;
  return std::make_unique<SectionCalls>(std::move(style), context.sink);
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::unique_ptr<CallGrammar> make_call_grammar(const CallContext& context) {
  switch (context.region.syntax) {
    case CallSyntax::tool_call_tag: return std::make_unique<ChosenByFirstBytes>(inside_tool_call_tag, context);
    case CallSyntax::longcat: return std::make_unique<ChosenByFirstBytes>(inside_longcat, context);
    case CallSyntax::mistral: return std::make_unique<ChosenByFirstBytes>(after_mistral_mark, context);
    case CallSyntax::pythonic: return std::make_unique<ChosenByFirstBytes>(pythonic, context);
    case CallSyntax::wrapped_json: return std::make_unique<WrappedJson>(context);
    case CallSyntax::json: return json(context);
    case CallSyntax::json_by_name:
      return std::make_unique<JsonCalls>(
          JsonCalls::Style{.end = context.region.end, .by_name = true, .repair = context.repair}, context.sink);
    case CallSyntax::pythonic_lines: return python_calls(false, context);
    case CallSyntax::dsml: return dsml(context);
    case CallSyntax::minimax: return tagged(invoke_tags("", Trim::all), context);
    case CallSyntax::steptml: return steptml(context);
    case CallSyntax::minicpm: return minicpm(context);
    case CallSyntax::hunyuan: return hunyuan(context);
    case CallSyntax::xtml: return std::make_unique<XtmlCalls>(context);
    case CallSyntax::nested: return std::make_unique<NestedCalls>("]<]minimax[>[", context);
    case CallSyntax::function_json:
      return section({.call_begin = "", .separator = ">", .call_end = "</function>", .header = Header::name}, context);
    case CallSyntax::gemma: return braces("<|\"|>", context);
    case CallSyntax::function_gemma: return braces("<escape>", context);
    case CallSyntax::kimi:
      return section({.call_begin = "<|tool_call_begin|>",
                      .separator = "<|tool_call_argument_begin|>",
                      .call_end = "<|tool_call_end|>",
                      .header = Header::kimi},
                     context);
    case CallSyntax::deepseek:
      return section({.call_begin = "<｜tool▁call▁begin｜>",
                      .separator = "<｜tool▁sep｜>",
                      .call_end = "<｜tool▁call▁end｜>",
                      .header = Header::deepseek},
                     context);
  }
  return json(context);
}

}  // namespace hearth::text
