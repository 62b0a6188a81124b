// str's methods as a template calls them: arguments bound as Python binds them, characters counted, Markup kept and its
// arguments escaped where markupsafe does so.
#include <algorithm>

#include "base/unicode.h"
#include "text/jinja/html.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

namespace {

bool given(Value value) { return !value.is_missing() && !value.is(Kind::kNone); }

std::string_view string_argument(Runtime& runtime, Value value, std::string_view method) {
  if (value.is_string()) return value.view();
  if (value.is(Kind::kUndefined)) {
    fail(std::string(method) + "(): argument must be str, not Undefined");
  }
  fail(std::string(method) + "(): argument must be str, not " + std::string(type_name(value)));
  (void)runtime;
}

// Characters beyond ASCII are looked up in tables: about 50 ns each.
void charge_mapping(Runtime& runtime, const StringData& text) {
  runtime.charge_bytes(text.size * (characters(text) == text.size ? 4 : 32));
}

// Searching from the right compares at every place.
void charge_backward_search(Runtime& runtime, std::string_view text, std::string_view piece) {
  runtime.charge_bytes(text.size() * std::min<size_t>(piece.size(), 256));
}

// An argument that Markup escapes before use.
std::string_view escaped_argument(Runtime& runtime, Value self, Value value, std::string_view method) {
  string_argument(runtime, value, method);
  return self.is_markup() ? escape(runtime, value).view() : value.view();
}

constexpr size_t kLongText = 1 << 20;

// Counts the pieces of a long text before they are listed, 16 bytes each: lines or words may be empty or a letter long.
void charge_pieces(Runtime& runtime, std::string_view text) {
  if (text.size() > kLongText) runtime.step(count_possible_breaks(text));
}

Value same_type(Runtime& runtime, Value self, std::string_view text) { return runtime.string(text, self.is_markup()); }

Value pieces(Runtime& runtime, Value self, const std::vector<std::string_view>& parts) {
  ListData* out = runtime.make<ListData>();
  out->count = parts.size();
  runtime.step(parts.size());
  out->values = runtime.make_array<Value>(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) out->values[i] = runtime.borrow(parts[i], self.is_markup());
  return Value::list(out);
}

template <std::string (*Function)(std::string_view)>
Value mapped_method(Runtime& runtime, Value self, const Args& args) {
  refuse_arguments(args, "method");
  charge_mapping(runtime, *self.text());
  return same_type(runtime, self, Function(self.view()));
}

template <bool (*Function)(std::string_view)>
Value tested(Runtime& runtime, Value self, const Args& args) {
  refuse_arguments(args, "method");
  runtime.charge_bytes(self.text()->size * 8);
  return Value::boolean(Function(self.view()));
}

template <unsigned Classes>
bool every(std::string_view text) {
  return all_have(text, Classes);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_printable(std::string_view text) { return text.empty() || all_have(text, kPrintable); }

template <Side Where>
Value stripped(Runtime& runtime, Value self, const Args& args) {
  const auto [chars] = bind(args, "strip", {"chars"}, 0, 1);
  runtime.charge_bytes(self.text()->size);
  if (!given(chars)) return runtime.borrow(strip(self.view(), Where), self.is_markup());
  const std::string_view set = string_argument(runtime, chars, "strip");
  runtime.charge_bytes(self.text()->size * set.size());
  return runtime.borrow(strip(self.view(), Where, set), self.is_markup());
}

template <bool FromRight>
Value split_method(Runtime& runtime, Value self, const Args& args) {
  const auto [separator, limit] = bind(args, "split", {"sep", "maxsplit"});
  const int64_t most = limit.is_missing() ? -1 : to_index(runtime, limit, "split");
  runtime.charge_search(self.text()->size);
  if (!given(separator)) {
    charge_pieces(runtime, self.view());
    return pieces(runtime, self, split_space(self.view(), most, FromRight));
  }
  const std::string_view by = string_argument(runtime, separator, "split");
  if (by.empty()) fail("empty separator");
  if (self.text()->size > kLongText) runtime.step(count(self.view(), by));
  if (FromRight) charge_backward_search(runtime, self.view(), by);
  return pieces(runtime, self, split(self.view(), by, most, FromRight));
}

Value splitlines_method(Runtime& runtime, Value self, const Args& args) {
  const auto [keep] = bind(args, "splitlines", {"keepends"});
  const bool keep_ends = !keep.is_missing() && to_index(runtime, keep, "splitlines") != 0;
  runtime.charge_bytes(self.text()->size * 4);
  charge_pieces(runtime, self.view());
  return pieces(runtime, self, split_lines(self.view(), keep_ends));
}

template <bool FromRight>
Value partition_method(Runtime& runtime, Value self, const Args& args) {
  const auto [separator] = bind(args, "partition", {"sep"}, 1, 1);
  const std::string_view by = string_argument(runtime, separator, "partition"), text = self.view();
  if (by.empty()) fail("empty separator");
  runtime.charge_bytes(text.size());
  if (FromRight) charge_backward_search(runtime, text, by);
  const size_t at = FromRight ? text.rfind(by) : find(text, by);
  const auto part = [&](std::string_view piece) { return runtime.borrow(piece, self.is_markup()); };
  if (at == std::string_view::npos)
    return FromRight ? runtime.tuple({part(""), part(""), part(text)})
                     : runtime.tuple({part(text), part(""), part("")});
  return runtime.tuple({part(text.substr(0, at)), part(by), part(text.substr(at + by.size()))});
}

// The part of the text that optional start and end arguments select, and where it begins in characters.
struct Window {
  std::string_view text;
  int64_t first;
  bool valid;  // false when start lies behind the end
};

Window window(Runtime& runtime, Value self, Value start, Value end) {
  const auto size = static_cast<int64_t>(characters(*self.text()));
  const auto index = [&](Value value, int64_t otherwise) {
    if (!given(value)) return otherwise;
    int64_t at = to_index(runtime, value, "slice indices must be integers or None");
    if (at < 0) at = std::max<int64_t>(at + size, 0);
    return at;
  };
  const int64_t first = index(start, 0), last = std::min(index(end, size), size);
  if (first > last) return {{}, first, false};
  return {substring(runtime, self, static_cast<size_t>(first), static_cast<size_t>(last)).view(), first, true};
}

enum class Missing { kMinusOne, kError };

template <bool FromRight, Missing Answer>
Value find_method(Runtime& runtime, Value self, const Args& args) {
  const auto [piece, start, end] = bind(args, "find", {"sub", "start", "end"}, 1, 3);
  const std::string_view wanted = string_argument(runtime, piece, "find");
  runtime.charge_search(self.text()->size);
  const Window part = window(runtime, self, start, end);
  if (FromRight) charge_backward_search(runtime, part.text, wanted);
  const size_t at = !part.valid ? std::string_view::npos
                    : FromRight ? part.text.rfind(wanted)
                                : find(part.text, wanted);
  if (at != std::string_view::npos)
    return Value::integer(part.first + static_cast<int64_t>(count_characters(part.text.substr(0, at))));
  if (Answer == Missing::kError) fail("substring not found");
  return Value::integer(-1);
}

Value count_method(Runtime& runtime, Value self, const Args& args) {
  const auto [piece, start, end] = bind(args, "count", {"sub", "start", "end"}, 1, 3);
  const std::string_view wanted = string_argument(runtime, piece, "count");
  runtime.charge_search(self.text()->size);
  const Window part = window(runtime, self, start, end);
  return Value::integer(part.valid ? static_cast<int64_t>(count(part.text, wanted)) : 0);
}

template <bool AtStart>
Value affix_method(Runtime& runtime, Value self, const Args& args) {
  const auto [affix, start, end] = bind(args, AtStart ? "startswith" : "endswith", {"affix", "start", "end"}, 1, 3);
  const Window part = window(runtime, self, start, end);
  const auto matches = [&](std::string_view text) {
    runtime.charge_bytes(std::min(text.size(), part.text.size()));
    return part.valid && (AtStart ? part.text.starts_with(text) : part.text.ends_with(text));
  };
  if (!affix.is(Kind::kTuple))
    return Value::boolean(matches(string_argument(runtime, affix, AtStart ? "startswith" : "endswith")));
  for (Value one : affix.list_data()->items(runtime))
    if (matches(string_argument(runtime, one, "startswith"))) return Value::boolean(true);
  return Value::boolean(false);
}

Value replace_method(Runtime& runtime, Value self, const Args& args) {
  const auto [old, fresh, limit] = bind(args, "replace", {"old", "new", "count"}, 2, 3);
  const std::string_view from = string_argument(runtime, old, "replace");
  const std::string_view to = escaped_argument(runtime, self, fresh, "replace");
  const int64_t most = limit.is_missing() ? -1 : to_index(runtime, limit, "replace");
  return replace_text(runtime, self, from, to, most);
}

template <bool Prefix>
Value remove_affix(Runtime& runtime, Value self, const Args& args) {
  const auto [affix] = bind(args, "removeprefix", {"affix"}, 1, 1);
  const std::string_view piece = string_argument(runtime, affix, "removeprefix");
  std::string_view text = self.view();
  runtime.charge_bytes(std::min(text.size(), piece.size()));
  if (Prefix && text.starts_with(piece)) text.remove_prefix(piece.size());
  if (!Prefix && text.ends_with(piece)) text.remove_suffix(piece.size());
  return runtime.borrow(text, self.is_markup());
}

enum class Justify { kLeft, kRight, kCenter };

template <Justify How>
Value justify_method(Runtime& runtime, Value self, const Args& args) {
  const auto [width, fill] = bind(args, "center", {"width", "fillchar"}, 1, 2);
  const int64_t wanted = to_index(runtime, width, "center");
  std::string_view filler = " ";
  if (!fill.is_missing()) {
    filler = escaped_argument(runtime, self, fill, "center");
    if (count_characters(filler) != 1) fail("The fill character must be exactly one character long");
  }
  const auto size = static_cast<int64_t>(characters(*self.text()));
  if (wanted <= size) return self;
  const int64_t margin = wanted - size;
  // CPython's rounding of the left half.
  const int64_t left = How == Justify::kLeft ? 0 : How == Justify::kRight ? margin : margin / 2 + (margin & wanted & 1);
  const auto repeat = [&](int64_t times) {
    return arithmetic(runtime, Arithmetic::kMultiply, runtime.borrow(filler), Value::integer(times)).view();
  };
  const std::string_view before = repeat(left);
  const Value begun = runtime.concat(before, self.view());
  return runtime.concat(begun.view(), repeat(margin - left), self.is_markup());
}

Value zfill_method(Runtime& runtime, Value self, const Args& args) {
  const auto [width] = bind(args, "zfill", {"width"}, 1, 1);
  const int64_t wanted = to_index(runtime, width, "zfill"), size = static_cast<int64_t>(characters(*self.text()));
  if (wanted <= size) return self;
  const int64_t fill = wanted - size;
  const std::string_view text = self.view();
  const bool sign = !text.empty() && (text[0] == '+' || text[0] == '-');
  const Value zeros = arithmetic(runtime, Arithmetic::kMultiply, runtime.borrow("0"), Value::integer(fill));
  const Value begun = runtime.concat(sign ? text.substr(0, 1) : "", zeros.view());
  return runtime.concat(begun.view(), text.substr(sign ? 1 : 0), self.is_markup());
}

Value expandtabs_method(Runtime& runtime, Value self, const Args& args) {
  const auto [size] = bind(args, "expandtabs", {"tabsize"});
  const int64_t stop = size.is_missing() ? 8 : to_index(runtime, size, "expandtabs");
  std::string out;
  int64_t column = 0;
  const std::string_view text = self.view();
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t code = next_character(text, at);
    if (code == '\t') {
      const int64_t spaces = stop > 0 ? stop - column % stop : 0;
      if (static_cast<size_t>(spaces) > runtime.limits().bytes - std::min(out.size(), runtime.limits().bytes))
        fail("expandtabs(): the result is too long");
      out.append(static_cast<size_t>(spaces), ' ');
      column += spaces;
      continue;
    }
    out.append(text, begin, at - begin);
    column = code == '\n' || code == '\r' ? 0 : column + 1;
  }
  return same_type(runtime, self, out);
}

Value join_method(Runtime& runtime, Value self, const Args& args) {
  const auto [iterable] = bind(args, "join", {"iterable"}, 1, 1);
  if (try_iterate(runtime, iterable) == nullptr) fail("can only join an iterable");
  std::string out;
  bool first = true;
  for (Value item : collect(runtime, iterable)) {
    if (!first) out += self.view();
    first = false;
    if (self.is_markup()) {
      out += escape(runtime, item).view();
    } else if (item.is_string()) {
      out += item.view();
    } else {
      fail("sequence item: expected str instance, " + std::string(type_name(item)) + " found");
    }
    if (out.size() > runtime.limits().bytes) fail("join(): the result is too long");
  }
  return same_type(runtime, self, out);
}

Value translate_method(Runtime& runtime, Value self, const Args& args) {
  const auto [table] = bind(args, "translate", {"table"}, 1, 1);
  if (!table.is(Kind::kDict)) fail("translate(): only dict tables are supported");
  std::string out;
  const std::string_view text = self.view();
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t code = next_character(text, at);
    const Value* to = table.dict_data()->find(runtime, Value::integer(code));
    if (to == nullptr) {
      out.append(text, begin, at - begin);
    } else if (to->is_string()) {
      out += to->view();
    } else if (to->is_integral()) {
      const int64_t mapped_to = to->as_int();
      if (mapped_to < 0 || mapped_to > 0x10ffff) fail("character mapping must be in range(0x110000)");
      append_utf8(out, static_cast<char32_t>(mapped_to));
    } else if (!to->is(Kind::kNone)) {
      fail("character mapping must return integer, None or str");
    }
    runtime.step();
    if (out.size() > runtime.limits().bytes / 8) fail("translate(): the result is too long");
  }
  return same_type(runtime, self, out);
}

Value maketrans_method(Runtime& runtime, Value, const Args& args) {
  const auto [from, to, drop] = bind(args, "maketrans", {"x", "y", "z"}, 1, 3);
  const Value table = runtime.dict();
  const auto code_of = [&](Value key) {
    size_t at = 0;
    if (count_characters(key.view()) != 1) fail("string keys in translate table must be of length 1");
    return Value::integer(next_character(key.view(), at));
  };
  if (to.is_missing()) {
    if (!from.is(Kind::kDict)) fail("if you give only one argument to maketrans it must be a dict");
    for (const Entry& entry : from.dict_data()->entries(runtime))
      table.dict_data()->set(runtime, entry.key.is_string() ? code_of(entry.key) : entry.key, entry.value);
    return table;
  }
  const std::string_view source = string_argument(runtime, from, "maketrans");
  const std::string_view target = string_argument(runtime, to, "maketrans");
  if (count_characters(source) != count_characters(target))
    fail("the first two maketrans arguments must have equal length");
  for (size_t i = 0, j = 0; i < source.size();) {
    const Value key = Value::integer(next_character(source, i));
    table.dict_data()->set(runtime, key, Value::integer(next_character(target, j)));
  }
  if (!drop.is_missing()) {
    const std::string_view dropped = string_argument(runtime, drop, "maketrans");
    for (size_t i = 0; i < dropped.size();)
      table.dict_data()->set(runtime, Value::integer(next_character(dropped, i)), Value::none());
  }
  return table;
}

Value encode_method(Runtime&, Value, const Args&) { fail("encode(): templates have no bytes"); }

Value format_method(Runtime& runtime, Value self, const Args& args) { return brace_format(runtime, self, args); }

Value format_map_method(Runtime& runtime, Value self, const Args& args) {
  const auto [mapping] = bind(args, "format_map", {"mapping"}, 1, 1);
  if (!mapping.is(Kind::kDict)) fail("format_map(): the argument must be a dict");
  std::vector<Keyword> keywords;
  for (const Entry& entry : mapping.dict_data()->entries(runtime))
    if (entry.key.is_string()) keywords.push_back({entry.key.view(), entry.value});
  return brace_format(runtime, self, {{}, keywords});
}

Value escape_method(Runtime& runtime, Value, const Args& args) {
  const auto [text] = bind(args, "escape", {"s"}, 1);
  return escape(runtime, text);
}

Value striptags_method(Runtime& runtime, Value self, const Args& args) {
  refuse_arguments(args, "striptags");
  return runtime.string(strip_tags(self.view()));
}

Value unescape_method(Runtime& runtime, Value self, const Args& args) {
  refuse_arguments(args, "unescape");
  return runtime.string(unescape_html(self.view()));
}

constexpr Attribute kStringAttributes[] = {
    {"__add__"},
    {"__contains__"},
    {"__getitem__"},
    {"__getnewargs__"},
    {"__iter__"},
    {"__len__"},
    {"__mod__"},
    {"__mul__"},
    {"__rmod__"},
    {"__rmul__"},
    {"capitalize", mapped_method<capitalize>},
    {"casefold", mapped_method<casefold>},
    {"center", justify_method<Justify::kCenter>},
    {"count", count_method},
    {"encode", encode_method},
    {"endswith", affix_method<false>},
    {"expandtabs", expandtabs_method},
    {"find", find_method<false, Missing::kMinusOne>},
    {"format", format_method},
    {"format_map", format_map_method},
    {"index", find_method<false, Missing::kError>},
    {"isalnum", tested<every<kAlpha | kDecimal | kDigit | kNumeric>>},
    {"isalpha", tested<every<kAlpha>>},
    {"isascii", tested<is_ascii>},
    {"isdecimal", tested<every<kDecimal>>},
    {"isdigit", tested<every<kDigit>>},
    {"isidentifier", tested<is_identifier>},
    {"islower", tested<is_lower>},
    {"isnumeric", tested<every<kNumeric>>},
    {"isprintable", tested<is_printable>},
    {"isspace", tested<every<kSpace>>},
    {"istitle", tested<is_title>},
    {"isupper", tested<is_upper>},
    {"join", join_method},
    {"ljust", justify_method<Justify::kLeft>},
    {"lower", mapped_method<lower>},
    {"lstrip", stripped<Side::kLeft>},
    {"maketrans", maketrans_method},
    {"partition", partition_method<false>},
    {"removeprefix", remove_affix<true>},
    {"removesuffix", remove_affix<false>},
    {"replace", replace_method},
    {"rfind", find_method<true, Missing::kMinusOne>},
    {"rindex", find_method<true, Missing::kError>},
    {"rjust", justify_method<Justify::kRight>},
    {"rpartition", partition_method<true>},
    {"rsplit", split_method<true>},
    {"rstrip", stripped<Side::kRight>},
    {"split", split_method<false>},
    {"splitlines", splitlines_method},
    {"startswith", affix_method<true>},
    {"strip", stripped<Side::kBoth>},
    {"swapcase", mapped_method<swapcase>},
    {"title", mapped_method<title>},
    {"translate", translate_method},
    {"upper", mapped_method<upper>},
    {"zfill", zfill_method},
};

constexpr Attribute kMarkupAttributes[] = {
    {"__html__"},
    {"__html_format__"},
    {"escape", escape_method},
    {"striptags", striptags_method},
    {"unescape", unescape_method},
};

}  // namespace

Value replace_text(Runtime& runtime, Value self, std::string_view old, std::string_view fresh, int64_t limit) {
  const std::string_view text = self.view();
  runtime.charge_search(text.size());
  if (!old.empty() && find(text, old) == std::string_view::npos) return self;
  const size_t places = old.empty() ? text.size() + 1 : text.size() / old.size();
  if (fresh.size() > old.size() && places > 1000) {  // measure before making something huge
    const size_t found = count(text, old);
    const size_t times = limit < 0 ? found : std::min(found, static_cast<size_t>(limit));
    if (times > runtime.limits().bytes / fresh.size()) fail("replace(): the result is too long");
  }
  return same_type(runtime, self, replace(text, old, fresh, limit));
}

std::span<const Attribute> string_attributes() { return kStringAttributes; }
std::span<const Attribute> markup_attributes() { return kMarkupAttributes; }

}  // namespace hearth::text::jinja
