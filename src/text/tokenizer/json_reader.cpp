// A hand-written scanner. Strings without escapes are returned as views of the text; the end of a string is found eight
// bytes at a time.
#include "text/tokenizer/json_reader.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "base/error.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

constexpr int64_t kLastPower = 308;
constexpr int32_t kFarAway = 1 << 30;  // stands for exponents that do not fit
constexpr uint64_t kOnes = 0x0101010101010101u, kHighs = 0x8080808080808080u;

// The double nearest to 10^n, for n in [0, kLastPower].
double power_of_ten(int64_t n) {
  static const auto kPowers = [] {
    std::array<double, kLastPower + 1> powers{};
    for (size_t i = 0; i < powers.size(); ++i) {
      const std::string text = "1e" + std::to_string(i);
      std::from_chars(text.data(), text.data() + text.size(), powers[i]);
    }
    return powers;
  }();
  return kPowers[static_cast<size_t>(n)];
}

// The high bit of each byte that is '"', '\\' or a control character; bits above the first hit may be wrong.
uint64_t string_stops(uint64_t word) {
  const uint64_t quote = word ^ (kOnes * '"'), backslash = word ^ (kOnes * '\\');
  return (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | ((word - kOnes * 0x20) & ~word)) & kHighs;
}

}  // namespace

JsonReader::JsonReader(std::string_view text, std::string_view source)
    : source_(source), begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {
  const size_t valid = valid_utf8_prefix(text);
  if (valid != text.size()) throw LoadError(source_, "not UTF-8 at byte " + std::to_string(valid));
}

void JsonReader::fail() const {
  fail("not valid JSON, or not what is expected here, at byte " + std::to_string(at_ - begin_));
}

void JsonReader::fail(std::string_view reason) const {
  std::string keys;
  for (int depth = 1; depth <= depth_; ++depth) {
    const std::string_view key = keys_[static_cast<size_t>(depth)];
    size_t shown = std::min<size_t>(key.size(), 64);
    while (shown < key.size() && is_utf8_continuation(key[shown])) --shown;
    if (!keys.empty() && !key.empty()) keys += '.';
    keys += key.substr(0, shown);
  }
  if (keys.empty()) throw LoadError(source_, reason);
  throw LoadError(source_, keys, reason);
}

void JsonReader::expect(char c) {
  if (peek() != c) fail();
  ++at_;
}

void JsonReader::open(char bracket) {
  expect(bracket);
  if (depth_ == kMaxDepth) throw LoadError(source_, "JSON nested deeper than " + std::to_string(kMaxDepth));
  keys_[static_cast<size_t>(++depth_)] = {};
  fresh_ = true;
}

bool JsonReader::next_item(char closing) {
  const char c = peek();
  if (c == closing) {
    ++at_;
    --depth_;
    fresh_ = false;
    return false;
  }
  if (!fresh_) expect(',');
  fresh_ = false;
  return true;
}

bool JsonReader::next_key(std::string_view& key) {
  if (!next_item('}')) return false;
  const char* const begin = peek() == '"' ? at_ + 1 : at_;
  key = string();
  keys_[static_cast<size_t>(depth_)] = {begin, static_cast<size_t>(at_ - begin) - 1};
  expect(':');
  return true;
}

bool JsonReader::next_key(std::string& key) {
  std::string_view view;
  if (!next_key(view)) return false;
  key = view;
  return true;
}

std::string_view JsonReader::string() {
  expect('"');
  const char* start = at_;
  for (;;) {
    uint64_t word;
    while (end_ - at_ >= 8) {
      std::memcpy(&word, at_, 8);
      const uint64_t stops = string_stops(word);
      if (stops) {
        at_ += std::countr_zero(stops) / 8;
        break;
      }
      at_ += 8;
    }
    while (at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<uint8_t>(*at_) >= 0x20) ++at_;
    if (at_ == end_ || static_cast<uint8_t>(*at_) < 0x20) fail();
    if (*at_ == '"') return {start, static_cast<size_t>(at_++ - start)};
    scratch_.assign(start, at_);
    break;
  }
  while (at_ < end_ && *at_ != '"') {
    if (static_cast<uint8_t>(*at_) < 0x20) fail();
    if (*at_ == '\\') {
      ++at_;
      unescape();
    } else {
      scratch_ += *at_++;
    }
  }
  if (at_ == end_) fail();
  ++at_;
  return scratch_;
}

uint32_t JsonReader::hex4() {
  if (end_ - at_ < 4) fail();
  uint32_t value = 0;
  const auto [stop, error] = std::from_chars(at_, at_ + 4, value, 16);
  if (error != std::errc{} || stop != at_ + 4) fail();
  at_ += 4;
  return value;
}

void JsonReader::unescape() {
  if (at_ == end_) fail();
  const char c = *at_++;
  constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
  if (const size_t i = kFrom.find(c); i != kFrom.npos) {
    scratch_ += kTo[i];
    return;
  }
  if (c != 'u') fail();
  char32_t unit = hex4();
  if (unit >= 0xDC00 && unit < 0xE000) fail();
  if (unit >= 0xD800 && unit < 0xDC00) {
    if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') fail();
    at_ += 2;
    const uint32_t low = hex4();
    if (low < 0xDC00 || low >= 0xE000) fail();
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  append_character(scratch_, unit);
}

std::string_view JsonReader::number_text() {
  peek();
  const char* start = at_;
  const auto digits = [this] {
    const char* first = at_;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    if (at_ == first) fail();
    return at_ - first;
  };
  if (at_ < end_ && *at_ == '-') ++at_;
  const bool zero = at_ < end_ && *at_ == '0';
  if (digits() > 1 && zero) fail();
  if (at_ < end_ && *at_ == '.') {
    ++at_;
    digits();
  }
  if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    digits();
  }
  return {start, static_cast<size_t>(at_ - start)};
}

int64_t JsonReader::integer() {
  const std::string_view digits = number_text();
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || stop != digits.data() + digits.size() || value < 0) fail();
  return value;
}

// As serde_json reads it, whose last place is off for one number of 17 digits in seven: where scores tie, that decides.
// Digits are taken while they fit 64 bits; then one multiplication or division by a power of ten.
double JsonReader::number() {
  const std::string_view text = number_text();
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  uint64_t significand = 0;
  int64_t exponent = 0;
  bool full = false, fraction = false;
  size_t at = text[0] == '-';
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.') {
      fraction = true;
      full = false;
      continue;
    }
    const auto digit = static_cast<uint64_t>(text[at] - '0');
    full |= significand > kMost / 10 || (significand == kMost / 10 && digit > kMost % 10);
    if (!full) significand = 10 * significand + digit;
    if (full && !fraction) ++exponent;
    if (!full && fraction) --exponent;
  }
  if (at < text.size()) {
    const bool plus = text[at + 1] == '+';
    int32_t written = 0;
    const auto [stop, error] = std::from_chars(text.data() + at + 1 + plus, text.data() + text.size(), written);
    if (error != std::errc{}) written = text[at + 1] == '-' ? -kFarAway : kFarAway;
    exponent += written;
  }
  double value = static_cast<double>(significand);
  for (; exponent < -kLastPower && value != 0; exponent += kLastPower) value /= power_of_ten(kLastPower);
  if (value != 0) {
    if (exponent > kLastPower) fail();
    value = exponent < 0 ? value / power_of_ten(-exponent) : value * power_of_ten(exponent);
  }
  if (!std::isfinite(value)) fail();
  return text[0] == '-' ? -value : value;
}

bool JsonReader::boolean() {
  peek();
  for (const std::string_view word : {"true", "false"}) {
    if (std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(word)) {
      at_ += word.size();
      return word == "true";
    }
  }
  fail();
}

bool JsonReader::null() {
  peek();
  if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with("null")) return false;
  at_ += 4;
  return true;
}

std::string_view JsonReader::skip_value() {
  const char first = peek();
  const char* start = at_;
  if (first == '{') {
    std::string key;
    begin_object();
    while (next_key(key)) skip_value();
  } else if (first == '[') {
    begin_array();
    while (next_element()) skip_value();
  } else if (first == '"') {
    string();
  } else if (first == 't' || first == 'f') {
    boolean();
  } else if (first == 'n') {
    if (!null()) fail();
  } else if (!constant()) {
    number_text();
  }
  return {start, static_cast<size_t>(at_ - start)};
}

bool JsonReader::constant() {
  const std::string_view rest(at_, static_cast<size_t>(end_ - at_));
  for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
    if (!rest.starts_with(word)) continue;
    at_ += word.size();
    return true;
  }
  return false;
}

void JsonReader::expect_end() {
  if (peek() != 0 || at_ != end_) fail();
}

}  // namespace hearth::text
