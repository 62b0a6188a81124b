// Strings are copied in runs between the characters that need escaping, so that a tool schema is written at memory
// speed; floats take the shortest digits from std::to_chars and get Python's exponent rules.
#include "base/python_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/unicode.h"

namespace hearth {

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

// True for bytes that json.dumps(ensure_ascii=False) does not write as they are.
constexpr std::array<bool, 256> kJsonEscaped = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

void append_hex(std::string& out, char32_t code, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHexDigits[(code >> shift) & 15];
}

void append_u_escape(std::string& out, char32_t code) {
  if (code >= 0x10000) {
    append_u_escape(out, 0xd800 + ((code - 0x10000) >> 10));
    append_u_escape(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
    return;
  }
  out += "\\u";
  append_hex(out, code, 4);
}

// Whether none of eight bytes is a control character, a quote, a backslash or beyond ASCII (which only some callers
// must escape: they look again, byte by byte).
bool is_plain(const char* bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101u, kHighs = 0x8080808080808080u;
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  const auto zero_bytes = [](uint64_t w) { return (w - kOnes) & ~w & kHighs; };
  const uint64_t controls = (word - kOnes * 0x20) & ~word & kHighs;
  const uint64_t deletes = zero_bytes(word ^ kOnes * 0x7f);
  return ((word & kHighs) | controls | deletes | zero_bytes(word ^ kOnes * '"') | zero_bytes(word ^ kOnes * '\\')) == 0;
}

void append_json_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    default: append_u_escape(out, c);
  }
}

class JsonWriter {
 public:
  JsonWriter(std::string& out, const JsonDumpsOptions& options) : out_(out), options_(options), layout_(out, options) {}

  void write(const Json& value) {
    switch (value.type()) {
      case Json::value_t::string:
        append_json_string(out_, value.get_ref<const std::string&>(), options_.ensure_ascii);
        break;
      case Json::value_t::array: write_array(value); break;
      case Json::value_t::object: write_object(value); break;
      case Json::value_t::number_float: out_ += python_json_float(value.get<double>()); break;
      default: out_ += value.dump();
    }
  }

 private:
  void write_array(const Json& value) {
    if (value.empty()) {
      out_ += "[]";
      return;
    }
    layout_.open('[');
    bool first = true;
    for (const Json& item : value) {
      layout_.separate(first);
      write(item);
    }
    layout_.close(']');
  }

  void write_object(const Json& value) {
    if (value.empty()) {
      out_ += "{}";
      return;
    }
    layout_.open('{');
    bool first = true;
    const auto write_entry = [&](const std::string& key, const Json& item) {
      layout_.separate(first);
      append_json_string(out_, key, options_.ensure_ascii);
      out_ += options_.key_separator;
      write(item);
    };
    if (options_.sort_keys) {
      std::vector<std::pair<const std::string*, const Json*>> entries;
      for (const auto& [key, item] : value.items()) entries.emplace_back(&key, &item);
      // UTF-8 sorts as its code points do.
      std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return *a.first < *b.first; });
      for (const auto& [key, item] : entries) write_entry(*key, *item);
    } else {
      for (const auto& entry : value.get_ref<const Json::object_t&>()) write_entry(entry.first, entry.second);
    }
    layout_.close('}');
  }

  std::string& out_;
  const JsonDumpsOptions& options_;
  JsonLayout layout_;
};

void append_repr(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: out += "None"; break;
    case Json::value_t::boolean: out += value.get<bool>() ? "True" : "False"; break;
    case Json::value_t::number_float: out += python_repr_float(value.get<double>()); break;
    case Json::value_t::string: append_python_repr(out, value.get_ref<const std::string&>()); break;
    case Json::value_t::array: {
      out += '[';
      for (size_t i = 0; i < value.size(); ++i) {
        if (i > 0) out += ", ";
        append_repr(out, value[i]);
      }
      out += ']';
      break;
    }
    case Json::value_t::object: {
      out += '{';
      bool first = true;
      for (const auto& entry : value.get_ref<const Json::object_t&>()) {
        if (!first) out += ", ";
        first = false;
        append_python_repr(out, entry.first);
        out += ": ";
        append_repr(out, entry.second);
      }
      out += '}';
      break;
    }
    default: out += value.dump();
  }
}

}  // namespace

void JsonLayout::open(char bracket) {
  out_ += bracket;
  ++level_;
  new_line();
}

void JsonLayout::close(char bracket) {
  --level_;
  new_line();
  out_ += bracket;
}

void JsonLayout::separate(bool& first) {
  if (!first) {
    out_ += item_separator_;
    new_line();
  }
  first = false;
}

size_t JsonLayout::next_bytes() const {
  const size_t indent = options_.indent ? options_.indent->size() : 0;
  return item_separator_.size() + 2 + indent * static_cast<size_t>(level_ + 1);
}

void JsonLayout::new_line() {
  if (!options_.indent) return;
  out_ += '\n';
  for (int i = 0; i < level_; ++i) out_ += *options_.indent;
}

void append_json_string(std::string& out, std::string_view text, bool ensure_ascii) {
  out += '"';
  size_t copied = 0;
  for (size_t at = 0; at < text.size();) {
    while (at + 8 <= text.size() && is_plain(text.data() + at)) at += 8;
    if (at == text.size()) break;
    const auto c = static_cast<unsigned char>(text[at]);
    if (!kJsonEscaped[c] && !(ensure_ascii && c >= 0x7f)) {
      ++at;
      continue;
    }
    out.append(text, copied, at - copied);
    if (c < 0x80) {
      ++at;
      append_json_escape(out, c);
    } else {
      append_u_escape(out, next_character(text, at));
    }
    copied = at;
  }
  out.append(text, copied, text.size() - copied);
  out += '"';
}

std::string python_json_dumps(const Json& value, const JsonDumpsOptions& options) {
  std::string out;
  append_json_dumps(out, value, options);
  return out;
}

void append_json_dumps(std::string& out, const Json& value, const JsonDumpsOptions& options) {
  JsonWriter(out, options).write(value);
}

std::string python_repr_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific).ptr;
  const std::string_view scientific(digits, static_cast<size_t>(end - digits));
  const size_t e = scientific.find('e');
  int exponent = 0;
  std::from_chars(scientific.data() + e + 2, end, exponent);
  if (scientific[e + 1] == '-') exponent = -exponent;
  // Python's repr: exponents -4..15 are written out.
  if (exponent < -4 || exponent >= 16) return std::string(scientific);
  char fixed[64];
  const auto fixed_end = std::to_chars(fixed, fixed + sizeof fixed, value, std::chars_format::fixed).ptr;
  std::string out(fixed, fixed_end);
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::string python_json_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return python_repr_float(value);
}

void append_python_repr(std::string& out, std::string_view text) {
  const bool double_quotes = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  out += quote;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t code = next_character(text, at);
    if (code == static_cast<unsigned char>(quote) || code == '\\') {
      out += {'\\', static_cast<char>(code)};
    } else if (code == '\n') {
      out += "\\n";
    } else if (code == '\r') {
      out += "\\r";
    } else if (code == '\t') {
      out += "\\t";
    } else if (code >= 0x20 && code < 0x7f) {
      out += static_cast<char>(code);
    } else if (code >= 0x80 && has_class(code, kPrintable)) {
      out.append(text, begin, at - begin);
    } else if (code < 0x100) {
      out += "\\x";
      append_hex(out, code, 2);
    } else if (code < 0x10000) {
      out += "\\u";
      append_hex(out, code, 4);
    } else {
      out += "\\U";
      append_hex(out, code, 8);
    }
  }
  out += quote;
}

std::string python_repr(const Json& value) {
  std::string out;
  append_repr(out, value);
  return out;
}

std::string python_str(const Json& value) { return value.is_string() ? value.get<std::string>() : python_repr(value); }

}  // namespace hearth
