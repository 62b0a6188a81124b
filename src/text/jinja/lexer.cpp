// A hand-written form of jinja2's regular expressions: text up to the next opening mark, then tokens up to the closing
// one, with brackets balanced so that "}}" inside a dict literal is not taken for the end.
#include "text/jinja/lexer.h"

#include <charconv>

#include "base/unicode.h"
#include "text/jinja/python_strings.h"
#include "text/template_error.h"

namespace hearth::text::jinja {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

struct Operator {
  std::string_view sign;
  TokenKind kind;
};

constexpr Operator kOperators[] = {
    {"//", TokenKind::kFloorDiv},   {"**", TokenKind::kPow},          {"==", TokenKind::kEqual},
    {"!=", TokenKind::kNotEqual},   {">=", TokenKind::kGreaterEqual}, {"<=", TokenKind::kLessEqual},
    {"+", TokenKind::kAdd},         {"-", TokenKind::kSub},           {"/", TokenKind::kDiv},
    {"*", TokenKind::kMul},         {"%", TokenKind::kMod},           {"~", TokenKind::kTilde},
    {"[", TokenKind::kLeftBracket}, {"]", TokenKind::kRightBracket},  {"(", TokenKind::kLeftParen},
    {")", TokenKind::kRightParen},  {"{", TokenKind::kLeftBrace},     {"}", TokenKind::kRightBrace},
    {">", TokenKind::kGreater},     {"<", TokenKind::kLess},          {"=", TokenKind::kAssign},
    {".", TokenKind::kDot},         {":", TokenKind::kColon},         {"|", TokenKind::kPipe},
    {",", TokenKind::kComma},       {";", TokenKind::kSemicolon},
};

// Line ends become "\n"; one at the very end goes (keep_trailing_newline is off).
std::string normalize_newlines(std::string_view source, bool drop_last) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (drop_last && !out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalize_newlines(source, true)) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) read_data();
    tokens_.push_back({TokenKind::kEnd, line_, ""});
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void error(const std::string& message) const { throw TemplateError(line_, message); }

  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  char peek(size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

  // Moves to `end`, counting lines.
  void advance_to(size_t end) {
    for (; at_ < end; ++at_) line_ += source_[at_] == '\n';
  }

  size_t skip_space_from(size_t at) const {
    while (at < source_.size()) {
      size_t next = at;
      if (!is_space(next_character(source_, next))) break;
      at = next;
    }
    return at;
  }

  void add(TokenKind kind, std::string text = "") { tokens_.push_back({kind, line_, std::move(text)}); }

  // Template text up to the next mark (or the end), then what the mark opens.
  void read_data() {
    size_t mark = at_;
    while (true) {
      mark = source_.find('{', mark);
      if (mark == std::string::npos) {
        add(TokenKind::kData, std::string(rest()));
        advance_to(source_.size());
        return;
      }
      const char kind = mark + 1 < source_.size() ? source_[mark + 1] : '\0';
      if (kind == '{' || kind == '%' || kind == '#') break;
      ++mark;
    }
    const char kind = source_[mark + 1];
    const char sign = mark + 2 < source_.size() ? source_[mark + 2] : '\0';
    add_text(std::string_view(source_).substr(at_, mark - at_), sign, kind != '{');
    advance_to(mark);
    size_t behind = mark + 2 + (sign == '-' || sign == '+' ? 1 : 0);
    if (kind == '%') {
      if (const size_t raw = match_raw_begin(behind)) {
        advance_to(raw);
        read_raw();
        return;
      }
    }
    advance_to(behind);
    line_starting_ = false;
    if (kind == '#') {
      read_comment();
    } else {
      add(kind == '{' ? TokenKind::kVariableBegin : TokenKind::kBlockBegin);
      read_code(kind == '{');
    }
  }

  // Data before a mark: '-' strips all white space, lstrip_blocks the indentation before a block.
  void add_text(std::string_view text, char sign, bool is_block) {
    if (sign == '-') {
      text = strip(text, Side::kRight);
    } else if (sign != '+' && is_block) {
      const size_t line_begin = text.rfind('\n') + 1;  // npos + 1 == 0
      const std::string_view indentation = text.substr(line_begin);
      if ((line_begin > 0 || line_starting_) && strip(indentation, Side::kBoth).empty())
        text = text.substr(0, line_begin);
    }
    if (!text.empty()) add(TokenKind::kData, std::string(text));
  }

  // Behind "{% raw %}" when that stands at `at` (behind its "{%" and sign), else 0.
  size_t match_raw_begin(size_t at) const {
    at = skip_space_from(at);
    if (source_.compare(at, 3, "raw") != 0) return 0;
    at = skip_space_from(at + 3);
    if (source_.compare(at, 3, "-%}") == 0) return skip_space_from(at + 3);
    return source_.compare(at, 2, "%}") == 0 ? at + 2 : 0;
  }

  // Where a closing mark "%}" or "#}" (with its sign) at `at` ends, trim_blocks applied; 0 when none stands there.
  size_t match_block_end(size_t at, char kind) const {
    const char close[] = {kind, '}'};
    const std::string_view mark(close, 2);
    if (at < source_.size() && source_[at] == '+') return source_.compare(at + 1, 2, mark) == 0 ? at + 3 : 0;
    if (at < source_.size() && source_[at] == '-')
      return source_.compare(at + 1, 2, mark) == 0 ? skip_space_from(at + 3) : 0;
    if (at + 2 > source_.size() || source_.compare(at, 2, mark) != 0) return 0;
    return at + 2 < source_.size() && source_[at + 2] == '\n' ? at + 3 : at + 2;
  }

  void finish_mark(size_t end) {
    advance_to(end);
    line_starting_ = end > 0 && source_[end - 1] == '\n';
  }

  void read_comment() {
    for (size_t at = at_; at < source_.size(); ++at) {
      if (const size_t end = match_block_end(at, '#')) {
        finish_mark(end);
        return;
      }
    }
    error("Missing end of comment tag");
  }

  void read_raw() {
    line_starting_ = source_[at_ - 1] == '\n';
    for (size_t mark = source_.find("{%", at_); mark != std::string::npos; mark = source_.find("{%", mark + 1)) {
      size_t at = mark + 2;
      const char sign = at < source_.size() ? source_[at] : '\0';
      if (sign == '-' || sign == '+') ++at;
      at = skip_space_from(at);
      if (source_.compare(at, 6, "endraw") != 0) continue;
      const size_t end = match_block_end(skip_space_from(at + 6), '%');
      if (end == 0) continue;
      add_text(std::string_view(source_).substr(at_, mark - at_), sign, true);
      finish_mark(end);
      return;
    }
    error("Missing end of raw directive");
  }

  void read_code(bool variable) {
    std::string open;  // closing brackets awaited
    while (true) {
      if (open.empty()) {
        if (const size_t end = match_code_end(variable)) {
          add(variable ? TokenKind::kVariableEnd : TokenKind::kBlockEnd);
          finish_mark(end);
          return;
        }
      }
      if (at_ >= source_.size()) return;  // the parser says what is missing
      if (const size_t behind = skip_space_from(at_); behind > at_) {
        advance_to(behind);
        continue;
      }
      read_token(open);
    }
  }

  size_t match_code_end(bool variable) const {
    if (!variable) return match_block_end(at_, '%');
    if (rest().starts_with("-}}")) return skip_space_from(at_ + 3);
    return rest().starts_with("}}") ? at_ + 2 : 0;
  }

  void read_token(std::string& open) {
    const char c = peek();
    if (is_digit(c)) {
      read_number();
    } else if (c == '\'' || c == '"') {
      read_string(c);
    } else if (c == '_' || ((c | 32) >= 'a' && (c | 32) <= 'z') || static_cast<unsigned char>(c) >= 0x80) {
      read_name();
    } else {
      read_operator(open);
    }
  }

  void read_name() {
    size_t end = at_;
    while (end < source_.size()) {
      size_t next = end;
      const char32_t code = next_character(source_, next);
      const bool part = code < 0x80
                            ? code == '_' || is_digit(source_[end]) || ((code | 32) >= 'a' && (code | 32) <= 'z')
                            : has_class(code, kIdentifierPart | kAlpha | kNumeric);
      if (!part) break;
      end = next;
    }
    const std::string_view name = std::string_view(source_).substr(at_, end - at_);
    if (name.empty()) fail_character();
    if (!is_identifier(name)) error("Invalid character in identifier");
    add(TokenKind::kName, std::string(name));
    advance_to(end);
  }

  [[noreturn]] void fail_character() const {
    size_t end = at_;
    next_character(source_, end);
    error("unexpected char '" + source_.substr(at_, end - at_) + "' at " + std::to_string(at_));
  }

  void read_operator(std::string& open) {
    for (const Operator& op : kOperators) {
      if (!rest().starts_with(op.sign)) continue;
      const char c = op.sign[0];
      if (op.sign.size() == 1) {
        if (c == '(' || c == '[' || c == '{') {
          open += c == '(' ? ')' : c == '[' ? ']' : '}';
        } else if (c == ')' || c == ']' || c == '}') {
          if (open.empty()) error(std::string("unexpected '") + c + "'");
          if (open.back() != c) error(std::string("unexpected '") + c + "', expected '" + open.back() + "'");
          open.pop_back();
        }
      }
      add(op.kind);
      advance_to(at_ + op.sign.size());
      return;
    }
    fail_character();
  }

  // The end of digits that single underscores may separate, from `at`; `at` itself when there are none.
  template <typename IsDigit>
  size_t digits_end(size_t at, IsDigit&& digit) const {
    size_t end = at;
    while (true) {
      const size_t next = end > at && end < source_.size() && source_[end] == '_' ? end + 1 : end;
      if (next >= source_.size() || !digit(source_[next])) return end;
      end = next + 1;
    }
  }

  std::string without_underscores(size_t begin, size_t end) const {
    std::string out;
    for (size_t i = begin; i < end; ++i)
      if (source_[i] != '_') out += source_[i];
    return out;
  }

  // Behind the float that begins here, or 0.
  size_t match_float() const {
    if (at_ > 0 && source_[at_ - 1] == '.') return 0;
    const size_t whole = digits_end(at_, is_digit);
    size_t end = whole;
    if (end < source_.size() && source_[end] == '.') {
      const size_t fraction = digits_end(end + 1, is_digit);
      if (fraction > end + 1) end = fraction;
    }
    size_t exponent = end;
    if (exponent < source_.size() && (source_[exponent] | 32) == 'e') {
      ++exponent;
      if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) ++exponent;
      const size_t digits = digits_end(exponent, is_digit);
      if (digits > exponent) return digits;
    }
    return end > whole ? end : 0;
  }

  void read_number() {
    if (const size_t end = match_float()) {
      const std::string digits = without_underscores(at_, end);
      Token token{TokenKind::kFloat, line_, ""};
      const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), token.real);
      if (result.ec != std::errc()) token.real = beyond_range(digits);
      tokens_.push_back(token);
      advance_to(end);
      return;
    }
    int base = 10;
    size_t begin = at_, end = 0;
    const char letter = static_cast<char>(peek(1) | 32);
    if (peek() == '0' && (letter == 'b' || letter == 'o' || letter == 'x')) {
      base = letter == 'b' ? 2 : letter == 'o' ? 8 : 16;
      const auto digit = [&](char c) { return base == 16 ? is_hex(c) : c >= '0' && c < '0' + base; };
      begin = at_ + 2;
      if (begin < source_.size() && source_[begin] == '_') ++begin;
      end = digits_end(begin, digit);
      if (end == begin) end = 0;
    }
    if (end == 0) {
      base = 10;
      begin = at_;
      // A number that begins with zero is all zeros.
      end = peek() == '0' ? digits_end(at_, [](char c) { return c == '0'; }) : digits_end(at_, is_digit);
    }
    const std::string digits = without_underscores(begin, end);
    Token token{TokenKind::kInteger, line_, ""};
    if (std::from_chars(digits.data(), digits.data() + digits.size(), token.integer, base).ec != std::errc())
      error("integer " + digits + " is too large: templates compute with 64-bit integers");
    tokens_.push_back(token);
    advance_to(end);
  }

  void read_string(char quote) {
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) fail_character();
    const std::string_view inside = std::string_view(source_).substr(at_ + 1, end - at_ - 1);
    add(TokenKind::kString, unescape(inside));
    advance_to(end + 1);
  }

  // Python's "unicode-escape", as jinja2 applies it.
  std::string unescape(std::string_view text) const {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      if (text[at] != '\\') {
        out += text[at++];
        continue;
      }
      if (++at == text.size()) error("\\ at end of string");
      read_escape(text, at, out);
    }
    return out;
  }

  void read_escape(std::string_view text, size_t& at, std::string& out) const {
    constexpr std::string_view kLetters = "abfnrtv\\'\"", kMeanings = "\a\b\f\n\r\t\v\\'\"";
    const char c = text[at];
    if (const size_t i = kLetters.find(c); i != std::string_view::npos) {
      out += kMeanings[i];
      ++at;
    } else if (c == '\n') {
      ++at;
    } else if (c >= '0' && c <= '7') {
      int value = 0;
      for (int i = 0; i < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++i)
        value = value * 8 + (text[at++] - '0');
      append_utf8(out, static_cast<char32_t>(value));
    } else if (c == 'x' || c == 'u' || c == 'U') {
      ++at;
      read_hex_escape(text, at, c == 'x' ? 2 : c == 'u' ? 4 : 8, out);
    } else if (c == 'N') {
      error("\\N{...} escapes are not supported");
    } else if (static_cast<unsigned char>(c) < 0x80) {
      out += {'\\', c};
      ++at;
    } else {
      // jinja2 turns "é" into "\xe9" before it resolves escapes, so that "\é" becomes "\\xe9": a backslash and text.
      append_backslashed(out, next_character(text, at));
    }
  }

  void read_hex_escape(std::string_view text, size_t& at, int digits, std::string& out) const {
    char32_t code = 0;
    for (int i = 0; i < digits; ++i, ++at) {
      if (at >= text.size() || !is_hex(text[at])) error("truncated \\x, \\u or \\U escape");
      code = code * 16 + static_cast<char32_t>(is_digit(text[at]) ? text[at] - '0' : (text[at] | 32) - 'a' + 10);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) error("illegal Unicode character");
    append_utf8(out, code);
  }

  static void append_backslashed(std::string& out, char32_t code) {
    constexpr char kHex[] = "0123456789abcdef";
    const int digits = code < 0x100 ? 2 : code < 0x10000 ? 4 : 8;
    out += {'\\', digits == 2 ? 'x' : digits == 4 ? 'u' : 'U'};
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHex[(code >> shift) & 15];
  }

  const std::string source_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // the last mark ended a line
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

std::string describe(TokenKind kind) {
  for (const Operator& op : kOperators)
    if (op.kind == kind) return std::string(op.sign);
  switch (kind) {
    case TokenKind::kData: return "template data / text";
    case TokenKind::kVariableBegin: return "begin of print statement";
    case TokenKind::kVariableEnd: return "end of print statement";
    case TokenKind::kBlockBegin: return "begin of statement block";
    case TokenKind::kBlockEnd: return "end of statement block";
    case TokenKind::kName: return "name";
    case TokenKind::kString: return "string";
    case TokenKind::kInteger: return "integer";
    case TokenKind::kFloat: return "float";
    default: return "end of template";
  }
}

std::string describe(const Token& token) { return token.kind == TokenKind::kName ? token.text : describe(token.kind); }

}  // namespace hearth::text::jinja
