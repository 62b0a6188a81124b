#include "text/calls/literal.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/unicode.h"
#include "text/calls/call_grammar.h"

namespace hearth::text {

namespace {

constexpr int kDeepestLiteral = 64;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == '+' || static_cast<unsigned char>(c) >= 0x80;
}

// Recursive descent; every function returns false on the first thing it does not know.
class Reader {
 public:
  Reader(std::string_view text, const LiteralStyle& style) : text_(text), style_(style) {}

  bool whole(Json& out) {
    if (!value(out, 0)) return false;
    skip();
    return at_ == text_.size();
  }

 private:
  void skip() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool eat(std::string_view part) {
    if (part.empty() || text_.substr(at_, part.size()) != part) return false;
    at_ += part.size();
    return true;
  }

  bool value(Json& out, int depth) {
    skip();
    if (depth > kDeepestLiteral || at_ >= text_.size()) return false;
    if (starts_string()) return strings(out);
    const char c = text_[at_];
    if (c == '[') return sequence(out, ']', depth);
    if (c == '(') return parenthesis(out, depth);
    if (c == '{') return object(out, depth);
    return word(out);
  }

  bool starts_string() const {
    const std::string_view rest = text_.substr(at_);
    if (rest.empty()) return false;
    if (rest[0] == '"' || rest[0] == '\'') return true;
    if (!style_.string_mark.empty() && rest.starts_with(style_.string_mark)) return true;
    return rest.size() > 1 && (rest[0] == 'r' || rest[0] == 'u') && (rest[1] == '"' || rest[1] == '\'');
  }

  // Adjacent strings join, as in Python.
  bool strings(Json& out) {
    std::string joined;
    while (starts_string()) {
      if (!string(joined)) return false;
      skip();
    }
    out = std::move(joined);
    return true;
  }

  bool string(std::string& out) {
    if (eat(style_.string_mark)) {
      const size_t end = text_.find(style_.string_mark, at_);
      if (end == std::string_view::npos) return false;
      out += text_.substr(at_, end - at_);
      at_ = end + style_.string_mark.size();
      return true;
    }
    const bool raw = text_[at_] == 'r';
    if (text_[at_] == 'r' || text_[at_] == 'u') ++at_;
    const char quote = text_[at_];
    const std::string triple(3, quote);
    const std::string_view close =
        text_.substr(at_).starts_with(triple) ? std::string_view(triple) : std::string_view(triple).substr(0, 1);
    at_ += close.size();
    while (at_ < text_.size()) {
      if (eat(close)) return true;
      if (text_[at_] == '\\' && !raw) {
        if (!escape(out)) return false;
      } else {
        out += text_[at_++];
      }
    }
    return false;
  }

  bool escape(std::string& out) {
    if (++at_ >= text_.size()) return false;
    const char c = text_[at_++];
    static constexpr std::string_view kNames = "abfnrtv\\'\"/";
    static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\'\"/";
    if (const size_t i = kNames.find(c); i != std::string_view::npos) {
      out += kValues[i];
      return true;
    }
    if (c == '\n') return true;  // a continued line
    if (c == 'x') return code_point(2, out);
    if (c == 'u') return code_point(4, out);
    if (c == 'U') return code_point(8, out);
    out += '\\';  // Python keeps escapes that it does not know
    out += c;
    return true;
  }

  bool hex(int digits, uint32_t& code) {
    if (at_ + static_cast<size_t>(digits) > text_.size()) return false;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, begin + digits, code, 16);
    if (error != std::errc{} || end != begin + digits) return false;
    at_ += static_cast<size_t>(digits);
    return true;
  }

  bool code_point(int digits, std::string& out) {
    uint32_t code = 0, low = 0;
    if (!hex(digits, code)) return false;
    if (code >= 0xd800 && code < 0xdc00 && eat("\\u") && hex(4, low) && low >= 0xdc00 && low < 0xe000)
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    append_utf8(out, code);
    return true;
  }

  bool sequence(Json& out, char close, int depth) {
    ++at_;
    out = Json::array();
    for (;;) {
      skip();
      if (at_ < text_.size() && text_[at_] == close) return ++at_, true;
      if (!value(out.emplace_back(), depth + 1)) return false;
      skip();
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
      } else if (at_ >= text_.size() || text_[at_] != close) {
        return false;
      }
    }
  }

  // (1) is 1; (1,) and (1, 2) are tuples.
  bool parenthesis(Json& out, int depth) {
    const size_t begin = at_;
    if (!sequence(out, ')', depth)) return false;
    const std::string_view inside = trim(text_.substr(begin + 1, at_ - begin - 2));
    if (out.size() == 1 && !inside.ends_with(',')) {
      Json only = std::move(out[0]);
      out = std::move(only);
    }
    return true;
  }

  bool object(Json& out, int depth) {
    ++at_;
    out = Json::object();
    for (;;) {
      skip();
      if (at_ < text_.size() && text_[at_] == '}') return ++at_, true;
      std::string name;
      if (out.size() >= JsonLimits{}.keys || !key(name)) return false;
      skip();
      if (!eat(":")) return false;
      if (!value(out[name], depth + 1)) return false;
      skip();
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
      } else if (at_ >= text_.size() || text_[at_] != '}') {
        return false;
      }
    }
  }

  bool key(std::string& name) {
    if (starts_string()) return string(name);
    if (!style_.bare_keys) return false;
    while (at_ < text_.size() && is_word(text_[at_])) name += text_[at_++];
    return !name.empty();
  }

  bool word(Json& out) {
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const std::string_view w = text_.substr(begin, at_ - begin);
    if (w == "None" || w == "null") return out = nullptr, true;
    if (w == "True" || w == "true") return out = true, true;
    if (w == "False" || w == "false") return out = false, true;
    return number(w, out);
  }

  static bool number(std::string_view w, Json& out) {
    std::string digits;
    for (char c : w)
      if (c != '_') digits += c;
    std::string_view d = digits;
    if (d.starts_with('+')) d.remove_prefix(1);
    if (d.empty() || !(d[0] == '-' || d[0] == '.' || (d[0] >= '0' && d[0] <= '9'))) return false;
    const std::optional<Json> read = read_number(d);
    if (read) out = *read;
    return read.has_value();
  }

  std::string_view text_;
  const LiteralStyle& style_;
  size_t at_ = 0;
};

}  // namespace

std::optional<Json> parse_literal(std::string_view text, const LiteralStyle& style) {
  Json value;
  if (!Reader(text, style).whole(value)) return std::nullopt;
  return value;
}

std::optional<Json> read_number(std::string_view digits) {
  const char *begin = digits.data(), *end = digits.data() + digits.size();
  int64_t integer = 0;
  if (const auto r = std::from_chars(begin, end, integer); r.ec == std::errc{} && r.ptr == end) return Json(integer);
  uint64_t large = 0;
  if (const auto r = std::from_chars(begin, end, large); r.ec == std::errc{} && r.ptr == end) return Json(large);
  if (digits.find_first_not_of("0123456789", digits.starts_with('-') ? 1 : 0) == digits.npos) return std::nullopt;
  double real = 0;
  if (const auto r = std::from_chars(begin, end, real); r.ec != std::errc{} || r.ptr != end || !std::isfinite(real))
    return std::nullopt;
  return Json(real);
}

std::optional<Json> parse_json_value(std::string_view text) {
  try {
    return parse_json(text, "value");
  } catch (const LoadError&) {
    return std::nullopt;
  }
}

}  // namespace hearth::text
