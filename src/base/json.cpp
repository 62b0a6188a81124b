// A SAX handler that counts before it builds: nlohmann's own parser has no limits, and copying or destroying a value
// nested 100,000 deep overflows the stack. It knows no NaN either: where Python's constants are wanted, they are
// replaced by numbers of the same length that the text does not use, and become what they are when these are read.
#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace hearth {

namespace {

constexpr std::string_view kNaN = "NaN", kInfinity = "Infinity";

// A text without the constants, and the numbers that stand for them; empty where there were none.
struct Plain {
  std::string text, nan, infinity;
};

// A number as long as `name` that is nowhere in the text, if there is one: 1e9, 1.00000e9.
std::string unused_number(std::string_view text, std::string_view name) {
  for (char first = '1'; first <= '9'; ++first) {
    for (char last = '0'; last <= '9'; ++last) {
      const std::string zeros = name.size() > 3 ? "." + std::string(name.size() - 4, '0') : "";
      const std::string number = first + zeros + 'e' + last;
      if (text.find(number) == text.npos) return number;
    }
  }
  return "";
}

// Where the string that begins at the quote `at` ends: behind its closing quote, or at the text's end.
size_t end_of_string(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

// Whether `name` stands at `at` and is no part of a longer word or number; a sign may precede Infinity.
bool stands_at(std::string_view text, size_t at, std::string_view name) {
  constexpr std::string_view kOfWords = "+.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const auto ends_at = [&](size_t i) { return i >= text.size() || kOfWords.find(text[i]) == kOfWords.npos; };
  return text.substr(at).starts_with(name) && ends_at(at + name.size()) &&
         (at == 0 || (ends_at(at - 1) && (text[at - 1] != '-' || name == kInfinity)));
}

Plain without_constants(std::string_view text) {
  Plain plain{std::string(text), unused_number(text, kNaN), unused_number(text, kInfinity)};
  const std::pair<std::string_view, std::string_view> numbers[] = {{kNaN, plain.nan}, {kInfinity, plain.infinity}};
  for (size_t at = 0; at < text.size();) {
    size_t end = text[at] == '"' ? end_of_string(text, at) : at + 1;
    for (const auto& [name, number] : numbers) {
      if (number.empty() || !stands_at(text, at, name)) continue;
      plain.text.replace(at, name.size(), number);
      end = at + name.size();
    }
    at = end;
  }
  return plain;
}

class GuardedHandler {
 public:
  GuardedHandler(Json& root, const JsonLimits& limits, const Plain& constants)
      : builder_(root, false), limits_(limits), constants_(constants) {}

  bool null() { return count() && builder_.null(); }
  bool boolean(bool v) { return count() && builder_.boolean(v); }
  bool number_integer(int64_t v) { return count() && builder_.number_integer(v); }
  bool number_unsigned(uint64_t v) { return count() && builder_.number_unsigned(v); }
  bool number_float(double v, const std::string& s) {
    if (limits_.exact && s.find_first_of(".eE") == std::string::npos)
      return refuse("the integer " + s.substr(0, 40) + (s.size() > 40 ? "..." : "") + " does not fit in 64 bits");
    return count() && builder_.number_float(meant(v, s), s);
  }
  bool string(std::string& v) { return count() && builder_.string(v); }
  bool binary(Json::binary_t& v) { return count() && builder_.binary(v); }
  bool start_object(size_t n) { return count() && enter() && builder_.start_object(n); }
  bool start_array(size_t n) { return count() && enter() && builder_.start_array(n); }
  bool end_object() { return leave() && builder_.end_object(); }
  bool end_array() { return leave() && builder_.end_array(); }
  bool key(std::string& name) {
    if (++keys_.back() > limits_.keys)
      return refuse("more than " + std::to_string(limits_.keys) + " keys in one object");
    return builder_.key(name);
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) {
    return refuse("not valid JSON at byte " + std::to_string(position));
  }

  const std::string& refusal() const { return refusal_; }

 private:
  double meant(double value, const std::string& text) const {
    if (text == constants_.nan) return std::numeric_limits<double>::quiet_NaN();
    const std::string& infinity = constants_.infinity;
    if (infinity.empty() || !text.ends_with(infinity) || text.size() > infinity.size() + 1) return value;
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  }
  bool refuse(std::string why) {
    if (refusal_.empty()) refusal_ = std::move(why);
    return false;
  }
  bool count() {
    if (++nodes_ > limits_.nodes) return refuse("more than " + std::to_string(limits_.nodes) + " JSON values");
    return true;
  }
  bool enter() {
    keys_.push_back(0);
    if (keys_.size() > static_cast<size_t>(limits_.depth))
      return refuse("JSON nested deeper than " + std::to_string(limits_.depth));
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  nlohmann::detail::json_sax_dom_parser<Json> builder_;
  const JsonLimits& limits_;
  const Plain& constants_;
  std::vector<size_t> keys_;  // keys seen so far, per open object (arrays stay at 0)
  size_t nodes_ = 0;
  std::string refusal_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view source, const JsonLimits& limits) {
  if (text.size() > limits.bytes)
    throw LoadError(source, "JSON text longer than " + std::to_string(limits.bytes) + " bytes");
  // nlohmann takes a zero byte for the end of the text.
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos)
    throw LoadError(source, "not valid JSON at byte " + std::to_string(zero + 1));
  Plain plain;
  if (!limits.exact && (text.find(kNaN) != text.npos || text.find(kInfinity) != text.npos)) {
    plain = without_constants(text);
    text = plain.text;
  }
  Json root;
  GuardedHandler handler(root, limits, plain);
  if (!Json::sax_parse(text.begin(), text.end(), &handler)) throw LoadError(source, handler.refusal());
  return root;
}

Json load_json(const std::filesystem::path& path, const JsonLimits& limits) {
  return parse_json(read_file(path, limits.bytes), path.string(), limits);
}

}  // namespace hearth
