#include "text/jinja/html.h"

#include <charconv>

#include "base/unicode.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

namespace {

struct Entity {
  std::string_view name;
  std::string_view text;
};

constexpr Entity kEntities[] = {{"amp;", "&"},  {"lt;", "<"},        {"gt;", ">"},      {"quot;", "\""},
                                {"apos;", "'"}, {"nbsp;", "\u00a0"}, {"amp", "&"},      {"lt", "<"},
                                {"gt", ">"},    {"quot", "\""},      {"nbsp", "\u00a0"}};

// Reads "#39;" or "#x27;" (the semicolon may be missing) at text[at]; appends the character. False when none is there.
bool read_numeric(std::string_view text, size_t& at, std::string& out) {
  size_t digits = at + 1;
  const bool hex = digits < text.size() && (text[digits] | 32) == 'x';
  if (hex) ++digits;
  uint32_t code = 0;
  const char* const begin = text.data() + digits;
  const auto result = std::from_chars(begin, text.data() + text.size(), code, hex ? 16 : 10);
  if (result.ptr == begin) return false;
  at = static_cast<size_t>(result.ptr - text.data());
  if (at < text.size() && text[at] == ';') ++at;
  const bool invalid = result.ec != std::errc() || code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
  append_utf8(out, invalid ? 0xfffd : code);
  return true;
}

}  // namespace

std::string unescape_html(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '&') {
      out += text[at++];
      continue;
    }
    ++at;
    if (at < text.size() && text[at] == '#') {
      if (!read_numeric(text, at, out)) out += '&';
      continue;
    }
    bool known = false;
    for (const Entity& entity : kEntities) {
      if (!text.substr(at).starts_with(entity.name)) continue;
      out += entity.text;
      at += entity.name.size();
      known = true;
      break;
    }
    if (!known) out += '&';
  }
  return out;
}

std::string strip_tags(std::string_view text) {
  std::string kept;
  size_t at = 0;
  for (size_t start; (start = text.find('<', at)) != std::string_view::npos;) {
    const bool comment = text.substr(start).starts_with("<!--");
    const size_t end = comment ? text.find("-->", start + 4) : text.find('>', start);
    if (end == std::string_view::npos) break;
    kept.append(text, at, start - at);
    at = end + (comment ? 3 : 1);
  }
  kept.append(text, at, text.size() - at);
  std::string joined;
  for (const std::string_view word : split_space(kept, -1, false)) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return unescape_html(joined);
}

Value make_dict_from_keys(Runtime& runtime, const Args& args) {
  const auto [keys, value] = bind(args, "fromkeys", {"iterable", "value"}, 1, 2);
  const Value dict = runtime.dict();
  for (const Value key : collect(runtime, keys))
    dict.dict_data()->set(runtime, key, value.is_missing() ? Value::none() : value);
  return dict;
}

}  // namespace hearth::text::jinja
