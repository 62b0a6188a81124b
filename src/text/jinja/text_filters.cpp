// Filters on text.
#include <algorithm>

#include "base/unicode.h"
#include "text/jinja/filters.h"
#include "text/jinja/html.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

namespace {

template <std::string (*Function)(std::string_view)>
Value mapped_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "filter");
  const Value text = soft_str(runtime, input);
  runtime.charge_bytes(text.text()->size * (characters(*text.text()) == text.text()->size ? 4 : 32));
  return runtime.string(Function(text.view()), text.is_markup());
}

bool separates_words(char32_t code) {
  return is_space(code) || code == '-' || code == '(' || code == '{' || code == '[' || code == '<';
}

// Each word's first character in upper, the rest in lower case; words end at spaces and opening brackets.
std::string title_words(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const bool separator = separates_words(next_character(text, at));
    const size_t first_end = at;
    for (size_t next = at; next < text.size(); at = next)
      if (separates_words(next_character(text, next)) != separator) break;
    out += upper(text.substr(begin, first_end - begin));
    out += lower(text.substr(first_end, at - first_end));
  }
  return out;
}

Value string_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "string");
  return soft_str(runtime, input);
}

Value safe_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "safe");
  return Value::string(to_str(runtime, input).text(), true);
}

Value escape_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "escape");
  return escape(runtime, input);
}

Value forceescape_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "forceescape");
  return escape(runtime, to_str(runtime, input));
}

Value striptags_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "striptags");
  const std::string_view text = to_view(runtime, input);
  runtime.charge_bytes(text.size() * 4);
  return runtime.string(strip_tags(text));
}

Value method_filter(Runtime& runtime, Value text, std::string_view method, std::span<const Value> arguments) {
  return find_attribute(text, method)->method(runtime, text, {arguments, {}});
}

Value trim_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [chars] = bind(args, "trim", {"chars"});
  const Value text = soft_str(runtime, input);
  if (!chars.is_missing()) return method_filter(runtime, text, "strip", {&chars, 1});
  runtime.charge_bytes(text.view().size());
  return runtime.borrow(strip(text.view(), Side::kBoth), text.is_markup());
}

Value center_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [width] = bind(args, "center", {"width"});
  const Value otherwise = Value::integer(80);
  return method_filter(runtime, soft_str(runtime, input), "center", {width.is_missing() ? &otherwise : &width, 1});
}

Value replace_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [old, fresh, count] = bind(args, "replace", {"old", "new", "count"}, 2);
  const bool all = count.is_missing() || count.is(Kind::kNone);
  const int64_t limit = all ? -1 : to_index(runtime, count, "replace");
  return replace_text(runtime, to_str(runtime, input), to_view(runtime, old), to_view(runtime, fresh), limit);
}

Value format_filter(Runtime& runtime, Value input, const Args& args) {
  if (!args.positional.empty() && !args.keywords.empty())
    fail("can't handle positional and keyword arguments at the same time");
  const Value text = soft_str(runtime, input);
  if (args.keywords.empty()) return printf_format(runtime, text, runtime.tuple(args.positional));
  const Value mapping = runtime.dict();
  for (const Keyword& keyword : args.keywords)
    mapping.dict_data()->set(runtime, runtime.borrow(keyword.name), keyword.value);
  return printf_format(runtime, text, mapping);
}

Value indent_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [width, first, blank] = bind(args, "indent", {"width", "first", "blank"});
  if (!input.is_string()) {
    if (input.is(Kind::kUndefined)) fail_undefined(runtime, input);
    fail("unsupported operand type(s) for +=: '" + std::string(type_name(input)) + "' and 'str'");
  }
  std::string_view indentation = "    ";
  if (!width.is_missing() && width.is_string()) {
    indentation = width.view();
  } else if (!width.is_missing()) {
    indentation = arithmetic(runtime, Arithmetic::kMultiply, runtime.borrow(" "), width).view();
  }
  const bool markup = input.is_markup();
  const Value wide = runtime.borrow(indentation, markup);
  const bool blank_too = !blank.is_missing() && truthy(runtime, blank);
  runtime.step(count_possible_breaks(input.view()) / 8);
  const std::string text = std::string(input.view()) + "\n";
  const auto lines = split_lines(text, false);
  if (indentation.size() * lines.size() > runtime.limits().bytes) fail("indent(): the result is too long");
  std::string out;
  if (!first.is_missing() && truthy(runtime, first)) out += wide.view();
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) {
      out += '\n';
      if (blank_too || !lines[i].empty()) out += wide.view();
    }
    out += lines[i];
  }
  return runtime.string(out, markup);
}

Value truncate_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [length_arg, kill, end_arg, leeway_arg] = bind(args, "truncate", {"length", "killwords", "end", "leeway"});
  const int64_t wanted = length_arg.is_missing() ? 255 : to_index(runtime, length_arg, "truncate");
  const Value end = end_arg.is_missing() ? runtime.borrow("...") : end_arg;
  const bool default_leeway = leeway_arg.is_missing() || leeway_arg.is(Kind::kNone);
  const int64_t leeway = default_leeway ? 5 : to_index(runtime, leeway_arg, "truncate");
  const int64_t end_size = length(runtime, end);
  if (wanted < end_size) fail("expected length >= " + std::to_string(end_size) + ", got " + std::to_string(wanted));
  if (leeway < 0) fail("expected leeway >= 0, got " + std::to_string(leeway));
  const int64_t size = length(runtime, input);
  if (size <= wanted || size - wanted <= leeway) return input;
  const Value cut = get_slice(runtime, input, Value(), Value::integer(wanted - end_size), Value());
  if (!kill.is_missing() && truthy(runtime, kill)) return arithmetic(runtime, Arithmetic::kAdd, cut, end);
  if (!cut.is_string()) fail("'" + std::string(type_name(cut)) + "' object has no attribute 'rsplit'");
  const std::string_view kept = split(cut.view(), " ", 1, true).front();
  return arithmetic(runtime, Arithmetic::kAdd, runtime.borrow(kept, cut.is_markup()), end);
}

Value wordcount_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "wordcount");
  const std::string_view text = soft_str(runtime, input).view();
  runtime.charge_bytes(text.size() * 8);
  int64_t words = 0;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const char32_t code = next_character(text, at);
    const bool part = code == '_' || has_class(code, kAlpha | kDecimal | kDigit | kNumeric);
    words += part && !inside;
    inside = part;
  }
  return Value::integer(words);
}

void append_quoted(std::string& out, std::string_view text, bool query) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte < 0x80 && std::isalnum(byte)) || c == '_' || c == '.' || c == '-' || c == '~';
    if (plain || (c == '/' && !query)) {
      out += c;
    } else if (c == ' ' && query) {
      out += '+';
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

Value urlencode_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "urlencode");
  std::string out;
  if (input.is_string() || try_iterate(runtime, input) == nullptr) {
    append_quoted(out, to_view(runtime, input), false);
    return runtime.string(out);
  }
  const auto add = [&](Value key, Value value) {
    if (!out.empty()) out += '&';
    append_quoted(out, to_view(runtime, key), true);
    out += '=';
    append_quoted(out, to_view(runtime, value), true);
  };
  if (input.is(Kind::kDict)) {
    for (const Entry& entry : input.dict_data()->entries(runtime)) add(entry.key, entry.value);
  } else {
    for (const Value item : collect(runtime, input)) {
      const std::vector<Value> pair = collect(runtime, item);
      if (pair.size() != 2) fail("urlencode(): expected pairs");
      add(pair[0], pair[1]);
    }
  }
  return runtime.string(out);
}

Value xmlattr_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [autospace] = bind(args, "xmlattr", {"autospace"});
  if (input.is(Kind::kUndefined)) fail_undefined(runtime, input);
  if (!input.is(Kind::kDict)) fail("'" + std::string(type_name(input)) + "' object has no attribute 'items'");
  std::string out;
  for (const Entry& entry : input.dict_data()->entries(runtime)) {
    if (entry.value.is(Kind::kNone) || entry.value.is(Kind::kUndefined)) continue;
    if (!entry.key.is_string())
      fail("expected string or bytes-like object, got '" + std::string(type_name(entry.key)) + "'");
    if (entry.key.view().find_first_of(" \t\n\r\f\v/>=") != std::string_view::npos)
      fail("Invalid character in attribute name: " + std::string(entry.key.view()));
    if (!out.empty()) out += ' ';
    out += escape(runtime, entry.key).view();
    out += "=\"";
    out += escape(runtime, entry.value).view();
    out += '"';
  }
  if (!out.empty() && (autospace.is_missing() || truthy(runtime, autospace))) out.insert(out.begin(), ' ');
  return runtime.string(out);
}

constexpr FilterEntry kTextFilters[] = {
    {"capitalize", mapped_filter<capitalize>},
    {"center", center_filter},
    {"e", escape_filter},
    {"escape", escape_filter},
    {"forceescape", forceescape_filter},
    {"format", format_filter},
    {"indent", indent_filter},
    {"lower", mapped_filter<lower>},
    {"replace", replace_filter},
    {"safe", safe_filter},
    {"string", string_filter},
    {"striptags", striptags_filter},
    {"title", mapped_filter<title_words>},
    {"tojson", tojson_filter},
    {"trim", trim_filter},
    {"truncate", truncate_filter},
    {"upper", mapped_filter<upper>},
    {"urlencode", urlencode_filter},
    {"wordcount", wordcount_filter},
    {"xmlattr", xmlattr_filter},
};

}  // namespace

std::span<const FilterEntry> text_filters() { return kTextFilters; }

}  // namespace hearth::text::jinja
