// Python's two formatting languages: "%s %5.2f" % values and "{} {name:>8}".format(...).
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/python_format.h"
#include "base/unicode.h"
#include "text/jinja/filters.h"
#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

namespace {

constexpr int64_t kWidest = 1'000'000;  // of a field, in characters
constexpr int64_t kMostDigits = 1'000;  // after the point

// A number's digits by printf's rules for e, f, g (Python's own writing is the same).
std::string float_digits(double value, char type, int64_t precision) {
  if (precision > kMostDigits) fail("format: precision too big");
  const bool upper_case = type >= 'A' && type <= 'Z';
  const char kind = static_cast<char>(type | 32);
  const double magnitude = std::fabs(value);
  std::string out;
  if (std::isnan(value)) {
    out = "nan";
  } else if (std::isinf(value)) {
    out = "inf";
  } else {
    std::string buffer(static_cast<size_t>(precision) + 400, '\0');
    const auto format = kind == 'e'   ? std::chars_format::scientific
                        : kind == 'f' ? std::chars_format::fixed
                                      : std::chars_format::general;
    const int digits = kind == 'g' && precision == 0 ? 1 : static_cast<int>(precision);
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude, format, digits).ptr;
    out.assign(buffer.data(), end);
  }
  return upper_case ? upper(out) : out;
}

std::string integer_digits(uint64_t magnitude, int base, bool upper_case) {
  char digits[72];
  const auto end = std::to_chars(digits, digits + sizeof digits, magnitude, base).ptr;
  std::string out(digits, end);
  return upper_case ? upper(out) : out;
}

uint64_t magnitude_of(Value value) {
  if (value.is(Kind::kHuge)) return value.as_huge();
  const int64_t number = value.as_int();
  return number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
}

bool is_negative(Value value) {
  if (value.is(Kind::kHuge)) return false;
  if (value.is(Kind::kFloat)) return std::signbit(value.as_real()) && !std::isnan(value.as_real());
  return value.as_int() < 0;
}

double number_as_double(Value value) {
  if (value.is(Kind::kFloat)) return value.as_real();
  if (value.is(Kind::kHuge)) return static_cast<double>(value.as_huge());
  return static_cast<double>(value.as_int());
}

// --- "%" ---

struct PrintfSpec {
  bool left = false, plus = false, space = false, zero = false, alternate = false;
  int64_t width = -1, precision = -1;
  char type = 0;
};

class Printf {
 public:
  Printf(Runtime& runtime, Value format, Value arguments)
      : runtime_(runtime), format_(format.view()), markup_(format.is_markup()), arguments_(arguments) {
    if (arguments.is(Kind::kTuple)) {
      values_ = arguments.list_data()->items(runtime);
    } else {
      values_ = {&arguments_, 1};
      mapping_ = !arguments.is_string() && (arguments.is(Kind::kDict) || arguments.is(Kind::kList) ||
                                            arguments.is(Kind::kRange) || arguments.is(Kind::kUndefined));
    }
  }

  Value run() {
    while (at_ < format_.size()) {
      const size_t mark = format_.find('%', at_);
      out_ += format_.substr(at_, mark - at_);
      if (mark == std::string_view::npos) break;
      at_ = mark + 1;
      read_conversion();
      if (out_.size() > runtime_.limits().bytes) fail("%: the result is too long");
    }
    if (next_ < values_.size() && !mapping_) fail("not all arguments converted during string formatting");
    return runtime_.string(out_, markup_);
  }

 private:
  char next_char() {
    if (at_ >= format_.size()) fail("incomplete format");
    return format_[at_++];
  }

  Value next_value() {
    if (next_ >= values_.size()) fail("not enough arguments for format string");
    return values_[next_++];
  }

  int64_t read_number(char& c, std::string_view what) {
    if (c == '*') {
      const Value value = next_value();
      if (!value.is_integral()) fail("* wants int");
      if (value.as_int() > kWidest) fail(std::string(what) + " too big");
      c = next_char();
      return std::max(value.as_int(), -kWidest - 1);
    }
    int64_t number = 0;
    while (c >= '0' && c <= '9') {
      number = number * 10 + (c - '0');
      if (number > kWidest) fail(std::string(what) + " too big");
      c = next_char();
    }
    return number;
  }

  void read_conversion() {
    Value value;
    char c = next_char();
    if (c == '(') {
      value = read_key();
      c = next_char();
    }
    PrintfSpec spec;
    for (;; c = next_char()) {
      if (c == '-')
        spec.left = true;
      else if (c == '+')
        spec.plus = true;
      else if (c == ' ')
        spec.space = true;
      else if (c == '0')
        spec.zero = true;
      else if (c == '#')
        spec.alternate = true;
      else
        break;
    }
    if (c == '*' || (c >= '0' && c <= '9')) {
      spec.width = read_number(c, "width");
      spec.left |= spec.width < 0;
      spec.width = std::abs(spec.width);
    }
    if (spec.width > kWidest) fail("width too big");
    if (c == '.') {
      c = next_char();
      spec.precision = std::max<int64_t>(read_number(c, "precision"), 0);
    }
    if (c == 'h' || c == 'l' || c == 'L') c = next_char();
    spec.type = c;
    if (c == '%') {
      out_ += '%';
      return;
    }
    if (value.is_missing()) value = next_value();
    convert(spec, value);
  }

  Value read_key() {
    int depth = 1;
    const size_t begin = at_;
    while (depth > 0) {
      if (at_ >= format_.size()) fail("incomplete format key");
      const char c = format_[at_++];
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    if (!mapping_) fail("format requires a mapping");
    const Value key = runtime_.borrow(format_.substr(begin, at_ - begin - 1));
    if (arguments_.is(Kind::kUndefined)) fail_undefined(runtime_, arguments_);
    const Value* found = arguments_.is(Kind::kDict) ? arguments_.dict_data()->find(runtime_, key) : nullptr;
    if (found == nullptr) fail("key not found: '" + std::string(key.view()) + "'");
    next_ = values_.size();
    return *found;
  }

  void convert(const PrintfSpec& spec, Value value) {
    switch (spec.type) {
      case 's':
      case 'r':
      case 'a': pad(spec, clipped(spec, text_of(spec.type, value)), 0); break;
      case 'c': pad(spec, character_of(value), 0); break;
      case 'd':
      case 'i':
      case 'u':
      case 'o':
      case 'x':
      case 'X': convert_integer(spec, value); break;
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': convert_float(spec, value); break;
      default: fail("unsupported format character '" + std::string(1, spec.type) + "'");
    }
  }

  std::string text_of(char type, Value value) {
    std::string text;
    if (type == 's') {
      append_str(runtime_, text, value);
    } else {
      append_repr(runtime_, text, value);
      if (type == 'a') text = to_ascii(text);
    }
    runtime_.charge_bytes(text.size());
    if (!markup_ || (type == 's' && value.is_markup())) return text;
    std::string escaped;
    append_escaped(escaped, text);
    return escaped;
  }

  static std::string to_ascii(std::string_view text) {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const char32_t code = next_character(text, at);
      if (code < 0x80) {
        out += static_cast<char>(code);
        continue;
      }
      const std::string digits = integer_digits(code, 16, false);
      const size_t width = code < 0x100 ? 2 : code < 0x10000 ? 4 : 8;
      out += code < 0x100 ? "\\x" : code < 0x10000 ? "\\u" : "\\U";
      out += std::string(width - digits.size(), '0') + digits;
    }
    return out;
  }

  static std::string clipped(const PrintfSpec& spec, std::string text) {
    if (spec.precision < 0) return text;
    size_t at = 0;
    for (int64_t i = 0; i < spec.precision && at < text.size(); ++i) next_character(text, at);
    text.resize(at);
    return text;
  }

  std::string character_of(Value value) {
    std::string text;
    if (value.is_integral()) {
      if (value.as_int() < 0 || value.as_int() > 0x10ffff) fail("%c arg not in range(0x110000)");
      append_utf8(text, static_cast<char32_t>(value.as_int()));
      return text;
    }
    if (!value.is_string() || characters(*value.text()) != 1) fail("%c requires int or char");
    return std::string(value.view());
  }

  std::string sign_of(const PrintfSpec& spec, bool negative) const {
    return negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  }

  void convert_integer(const PrintfSpec& spec, Value value) {
    if (value.is(Kind::kUndefined)) fail_undefined(runtime_, value);
    const bool decimal = spec.type == 'd' || spec.type == 'i' || spec.type == 'u';
    if (decimal && value.is(Kind::kFloat)) {
      const double real = std::trunc(value.as_real());
      if (!(std::fabs(real) < 0x1p63)) fail("%d format: the number is out of range");
      value = Value::integer(static_cast<int64_t>(real));
    }
    if (!value.is_integral() && !value.is(Kind::kHuge))
      fail(std::string("%") + spec.type + " format: a real number is required, not " + std::string(type_name(value)));
    const int base = decimal ? 10 : spec.type == 'o' ? 8 : 16;
    std::string digits = integer_digits(magnitude_of(value), base, spec.type == 'X');
    const auto wanted = static_cast<size_t>(std::max<int64_t>(spec.precision, 0));
    if (wanted > digits.size()) digits.insert(0, wanted - digits.size(), '0');
    std::string prefix = sign_of(spec, is_negative(value));
    if (spec.alternate && base != 10) prefix += base == 8 ? "0o" : spec.type == 'X' ? "0X" : "0x";
    const size_t prefix_size = prefix.size();
    pad(spec, prefix + digits, prefix_size);
  }

  void convert_float(const PrintfSpec& spec, Value value) {
    if (value.is(Kind::kUndefined)) fail_undefined(runtime_, value);
    if (!value.is_number()) fail("must be real number, not " + std::string(type_name(value)));
    if (spec.alternate) fail("the # flag is not supported for floats");
    const double real = number_as_double(value);
    const std::string prefix = sign_of(spec, std::signbit(real) && !std::isnan(real));
    pad(spec, prefix + float_digits(real, spec.type, spec.precision < 0 ? 6 : spec.precision), prefix.size());
  }

  // `fixed`: how many characters stay left of zero padding; only numbers pad with zeros.
  void pad(const PrintfSpec& spec, const std::string& text, size_t fixed) {
    const auto size = static_cast<int64_t>(count_characters(text));
    const auto missing = static_cast<size_t>(std::max<int64_t>(spec.width - size, 0));
    const bool numeric = spec.type != 's' && spec.type != 'r' && spec.type != 'a' && spec.type != 'c';
    if (spec.left) {
      out_ += text + std::string(missing, ' ');
    } else if (spec.zero && numeric) {
      out_ += text.substr(0, fixed) + std::string(missing, '0') + text.substr(fixed);
    } else {
      out_ += std::string(missing, ' ') + text;
    }
  }

  Runtime& runtime_;
  const std::string_view format_;
  const bool markup_;
  const Value arguments_;
  std::span<const Value> values_;
  bool mapping_ = false;
  size_t at_ = 0, next_ = 0;
  std::string out_;
};

// --- "{}" ---

struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', type = 0, grouping = 0;
  bool alternate = false, zero = false;
  int64_t width = -1, precision = -1;
};

int64_t read_digits(std::string_view text, size_t& at) {
  int64_t number = -1;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = std::max<int64_t>(number, 0) * 10 + (text[at] - '0');
    if (number > kWidest) fail("Too many decimal digits in format string");
  }
  return number;
}

bool is_align(char c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

Spec parse_spec(std::string_view text) {
  Spec spec;
  size_t at = 0;
  bool fill_given = false;
  if (!text.empty()) {
    size_t second = 0;
    next_character(text, second);
    if (second < text.size() && is_align(text[second])) {
      spec.fill = std::string(text.substr(0, second));
      spec.align = text[second];
      at = second + 1;
      fill_given = true;
    } else if (is_align(text[0])) {
      spec.align = text[0];
      at = 1;
    }
  }
  const auto take = [&](char c) {
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  };
  if (at < text.size() && (text[at] == '+' || text[at] == '-' || text[at] == ' ')) spec.sign = text[at++];
  spec.alternate = take('#');
  if (!fill_given && take('0')) {
    spec.fill = "0";
    spec.zero = true;
    if (spec.align == 0) spec.align = '=';
  }
  spec.width = read_digits(text, at);
  if (take(',')) spec.grouping = ',';
  if (take('_')) {
    if (spec.grouping != 0) fail("Cannot specify both ',' and '_'.");
    spec.grouping = '_';
  }
  if (take('.')) {
    spec.precision = read_digits(text, at);
    if (spec.precision < 0) fail("Format specifier missing precision");
  }
  if (text.size() - at > 1) fail("Invalid format specifier");
  if (at < text.size()) spec.type = text[at];
  return spec;
}

std::string padded(const Spec& spec, const std::string& text, size_t fixed, char default_align) {
  const auto size = static_cast<int64_t>(count_characters(text));
  const int64_t missing = std::max<int64_t>(spec.width - size, 0);
  const char align = spec.align == 0 ? default_align : spec.align;
  const auto fill = [&](int64_t count) {
    std::string out;
    for (int64_t i = 0; i < count; ++i) out += spec.fill;
    return out;
  };
  switch (align) {
    case '<': return text + fill(missing);
    case '^': return fill(missing / 2) + text + fill(missing - missing / 2);
    case '=': return text.substr(0, fixed) + fill(missing) + text.substr(fixed);
    default: return fill(missing) + text;
  }
}

// Separators every `size` digits before the point. With zero padding the zeros are grouped, too, up to the width.
std::string grouped(const Spec& spec, std::string whole, size_t size, size_t others) {
  if (spec.grouping == 0) return whole;
  const auto with_separators = [&](const std::string& digits) {
    std::string out;
    for (size_t i = 0; i < digits.size(); ++i) {
      if (i > 0 && (digits.size() - i) % size == 0) out += spec.grouping;
      out += digits[i];
    }
    return out;
  };
  if (spec.fill == "0" && spec.align == '=') {
    size_t count = whole.size();
    const auto is_short = [&] {
      const size_t separators = count == 0 ? 0 : (count - 1) / size;
      return static_cast<int64_t>(count + separators + others) < spec.width;
    };
    while (is_short()) ++count;
    whole.insert(0, count - whole.size(), '0');
  }
  return with_separators(whole);
}

[[noreturn]] void fail_code(char type, Value value) {
  fail("Unknown format code '" + std::string(1, type) + "' for object of type '" + std::string(type_name(value)) + "'");
}

std::string sign_text(const Spec& spec, bool negative) {
  if (negative) return "-";
  return spec.sign == '-' ? "" : std::string(1, spec.sign);
}

std::string format_float(const Spec& spec, Value value) {
  if (spec.alternate) fail("the # flag is not supported for floats");
  double real = number_as_double(value);
  char type = spec.type;
  std::string digits;
  if (type == 0) {
    if (spec.precision < 0) {
      digits = python_repr_float(std::fabs(real));
    } else {
      digits = float_digits(real, 'g', std::max<int64_t>(spec.precision, 1));
      if (std::isfinite(real) && digits.find_first_of(".e") == std::string::npos) {
        // With a point to add, Python turns to exponents one digit earlier.
        if (static_cast<int64_t>(digits.size()) >= std::max<int64_t>(spec.precision, 1)) {
          digits = float_digits(real, 'e', std::max<int64_t>(spec.precision, 1) - 1);
          const size_t e = digits.find('e');
          size_t end = digits.find('.') == std::string::npos ? e : digits.find_last_not_of('0', e - 1) + 1;
          if (end > 0 && digits[end - 1] == '.') --end;
          digits = digits.substr(0, end) + digits.substr(e);
        } else {
          digits += ".0";
        }
      }
    }
  } else {
    const bool percent = type == '%';
    if (percent) {
      real *= 100;
      type = 'f';
    }
    digits = float_digits(real, type == 'n' ? 'g' : type, spec.precision < 0 ? 6 : spec.precision);
    if (percent) digits += '%';
  }
  const std::string sign = sign_text(spec, std::signbit(real) && !std::isnan(real));
  const size_t whole = std::min(digits.find_first_not_of("0123456789"), digits.size());
  const std::string rest = digits.substr(whole);
  return padded(spec, sign + grouped(spec, digits.substr(0, whole), 3, sign.size() + rest.size()) + rest, sign.size(),
                '>');
}

std::string format_integer(const Spec& spec, Value value) {
  const char type = spec.type == 0 || spec.type == 'n' ? 'd' : spec.type;
  if (std::string_view("eEfFgG%").find(type) != std::string_view::npos) return format_float(spec, value);
  if (std::string_view("bcdoxX").find(type) == std::string_view::npos) fail_code(type, value);
  if (spec.precision >= 0) fail("Precision not allowed in integer format specifier");
  if (type == 'c') {
    if (spec.sign != '-') fail("Sign not allowed with integer format specifier 'c'");
    const int64_t code = value.is(Kind::kHuge) ? -1 : value.as_int();
    if (code < 0 || code > 0x10ffff) fail("%c arg not in range(0x110000)");
    std::string text;
    append_utf8(text, static_cast<char32_t>(code));
    return padded(spec, text, 0, '<');
  }
  const int base = type == 'b' ? 2 : type == 'o' ? 8 : type == 'd' ? 10 : 16;
  if (spec.grouping == ',' && base != 10) fail(std::string("Cannot specify ',' with '") + type + "'.");
  std::string prefix = sign_text(spec, is_negative(value));
  if (spec.alternate && base != 10) prefix += std::string("0") + type;
  const std::string digits = integer_digits(magnitude_of(value), base, type == 'X');
  return padded(spec, prefix + grouped(spec, digits, base == 10 ? 3 : 4, prefix.size()), prefix.size(), '>');
}

std::string format_text(const Spec& spec, std::string_view text, Value value) {
  if (spec.type != 0 && spec.type != 's') fail_code(spec.type, value);
  if (spec.sign != '-') fail("Sign not allowed in string format specifier");
  if (spec.alternate) fail("Alternate form (#) not allowed in string format specifier");
  if (spec.grouping != 0) fail(std::string("Cannot specify '") + spec.grouping + "' with 's'.");
  if (spec.align == '=' && !spec.zero) fail("'=' alignment not allowed in string format specifier");
  size_t end = text.size();
  if (spec.precision >= 0) {
    end = 0;
    for (int64_t i = 0; i < spec.precision && end < text.size(); ++i) next_character(text, end);
  }
  Spec plain = spec;
  if (spec.align == '=') plain.align = '<';
  return padded(plain, std::string(text.substr(0, end)), 0, '<');
}

// format(value, spec).
std::string format_value(Runtime& runtime, Value value, std::string_view spec) {
  std::string text;
  if (spec.empty()) {
    append_str(runtime, text, value);
    return text;
  }
  switch (value.kind()) {
    case Kind::kString: return format_text(parse_spec(spec), value.view(), value);
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kHuge: return format_integer(parse_spec(spec), value);
    case Kind::kFloat: {
      const Spec parsed = parse_spec(spec);
      if (parsed.type != 0 && std::string_view("eEfFgGn%").find(parsed.type) == std::string_view::npos)
        fail_code(parsed.type, value);
      return format_float(parsed, value);
    }
    default: fail("unsupported format string passed to " + std::string(type_name(value)) + ".__format__");
  }
}

class BraceFormat {
 public:
  BraceFormat(Runtime& runtime, bool markup, const Args& args) : runtime_(runtime), markup_(markup), args_(args) {}

  std::string run(std::string_view format, int depth) {
    if (depth > 2) fail("Max string recursion exceeded");
    std::string out;
    for (size_t at = 0; at < format.size();) {
      const char c = format[at++];
      const bool doubled = at < format.size() && format[at] == c;
      if (c != '{' && c != '}') {
        out += c;
      } else if (doubled) {
        out += c;
        ++at;
      } else if (c == '}') {
        fail("Single '}' encountered in format string");
      } else {
        out += read_field(format, at, depth);
      }
      if (out.size() > runtime_.limits().bytes) fail("format(): the result is too long");
    }
    return out;
  }

 private:
  // The field that begins behind its '{'; moves `at` behind its '}'.
  std::string read_field(std::string_view format, size_t& at, int depth) {
    size_t end = at;
    for (int open = 1;; ++end) {
      if (end >= format.size()) fail("expected '}' before end of string");
      open += format[end] == '{' ? 1 : format[end] == '}' ? -1 : 0;
      if (open == 0) break;
    }
    std::string_view field = format.substr(at, end - at);
    at = end + 1;
    size_t name_end = 0;
    bool bracket = false;
    for (; name_end < field.size(); ++name_end) {
      if (field[name_end] == '[') bracket = true;
      if (field[name_end] == ']') bracket = false;
      if (!bracket && (field[name_end] == '!' || field[name_end] == ':')) break;
    }
    Value value = lookup(field.substr(0, name_end));
    field.remove_prefix(name_end);
    if (field.starts_with('!')) {
      if (field.size() < 2) fail("unmatched '{' in format spec");
      value = converted(value, field[1]);
      field.remove_prefix(2);
      if (!field.empty() && field[0] != ':') fail("expected ':' after conversion specifier");
    }
    const std::string spec = field.empty() ? "" : run(field.substr(1), depth + 1);
    if (!markup_) return format_value(runtime_, value, spec);
    if (value.is_markup() && !spec.empty()) fail("Unsupported format specification for Markup.");
    const std::string text = format_value(runtime_, value, spec);
    if (value.is_markup()) return text;
    std::string escaped;
    append_escaped(escaped, text);
    return escaped;
  }

  Value converted(Value value, char conversion) {
    if (conversion == 's') return to_str(runtime_, value);
    if (conversion != 'r' && conversion != 'a') fail("Unknown conversion specifier " + std::string(1, conversion));
    std::string text;
    append_repr(runtime_, text, value);
    return conversion == 'r' ? runtime_.string(text)
                             : printf_format(runtime_, runtime_.borrow("%a"), runtime_.tuple({value}));
  }

  Value lookup(std::string_view name) {
    size_t end = name.find_first_of(".[");
    if (end == std::string_view::npos) end = name.size();
    Value value = first_value(name.substr(0, end));
    while (end < name.size()) {
      if (name[end] == '.') {
        size_t next = name.find_first_of(".[", end + 1);
        if (next == std::string_view::npos) next = name.size();
        if (next == end + 1) fail("Empty attribute in format string");
        value = get_attribute(runtime_, value, runtime_.borrow(name.substr(end + 1, next - end - 1)));
        end = next;
      } else if (name[end] == '[') {
        const size_t close = name.find(']', end);
        if (close == std::string_view::npos) fail("Missing ']' in format string");
        const std::string_view key = name.substr(end + 1, close - end - 1);
        if (key.empty()) fail("Empty attribute in format string");
        int64_t number = 0;
        const bool digits = all_have(key, kDecimal) && parse_python_int(key, 10, number);
        value = get_item(runtime_, value, digits ? Value::integer(number) : runtime_.borrow(key));
        end = close + 1;
      } else {
        fail("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  Value first_value(std::string_view name) {
    int64_t index = 0;
    if (name.empty()) {
      if (automatic_ < 0) fail("cannot switch from manual field specification to automatic field numbering");
      index = automatic_++;
    } else if (all_have(name, kDigit)) {
      if (automatic_ > 0) fail("cannot switch from manual field specification to automatic field numbering");
      automatic_ = -1;
      parse_python_int(name, 10, index);
    } else {
      for (const Keyword& keyword : args_.keywords)
        if (keyword.name == name) return keyword.value;
      fail("'" + std::string(name) + "'");
    }
    if (index >= static_cast<int64_t>(args_.positional.size()))
      fail("Replacement index " + std::to_string(index) + " out of range for positional args tuple");
    return args_.positional[static_cast<size_t>(index)];
  }

  Runtime& runtime_;
  const bool markup_;
  const Args& args_;
  int64_t automatic_ = 0;  // the next number; -1 once a number was given
};

}  // namespace

Value printf_format(Runtime& runtime, Value format, Value arguments) {
  return Printf(runtime, format, arguments).run();
}

Value brace_format(Runtime& runtime, Value format, const Args& args) {
  return runtime.string(BraceFormat(runtime, format.is_markup(), args).run(format.view(), 1), format.is_markup());
}

}  // namespace hearth::text::jinja
