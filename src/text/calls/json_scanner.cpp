// A pushdown automaton: one bit a level says whether it is an object or an array. Numbers and literals are collected
// and checked when the byte after them arrives; that byte is then taken as usual.
#include "text/calls/json_scanner.h"

#include <utility>

namespace hearth::text {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
bool is_number(std::string_view text) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i > begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  if (i < text.size() && text[i] == '0') {
    ++i;
  } else if (!digits()) {
    return false;
  }
  if (i < text.size() && text[i] == '.' && (++i, !digits())) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (!digits()) return false;
  }
  return i == text.size();
}

// JSON's word for one of Python's.
std::string_view json_word(std::string_view word) {
  if (word == "True") return "true";
  if (word == "False") return "false";
  return word == "None" ? "null" : "";
}

}  // namespace

JsonScanner::Step JsonScanner::push(char c) {
  began_value_ = ended_key_ = false;
  written_.clear();
  return take(c);
}

void JsonScanner::write(char c) {
  written_ += std::exchange(comma_, "");
  written_ += c;
}

JsonScanner::Step JsonScanner::take(char c) {
  switch (state_) {
    case State::string: return in_string(c);
    case State::escape: return in_escape(c);
    case State::hex: return in_hex(c);
    case State::number:
    case State::literal:
      if (is_digit(c) || c == '.' || c == '+' || c == '-' || (c >= 'a' && c <= 'z') || c == 'E') {
        word_ += c;
        if (state_ == State::number) write(c);
        return word_.size() > 400 ? Step::error : Step::more;
      }
      return word_ends() ? take(c) : Step::error;
    default: break;
  }
  if (!is_space(c)) return between(c);
  if (state_ == State::done) return Step::error;
  comma_.empty() ? write(c) : void(comma_ += c);
  return Step::more;
}

JsonScanner::Step JsonScanner::between(char c) {
  switch (state_) {
    case State::value_or_end:
      if (c == ']') return close(c);
      [[fallthrough]];
    case State::value:
      if (c == ']' && !comma_.empty() && mend()) return close(c);
      return begin_value(c);
    case State::key_or_end:
      if (c == '}') return close(c);
      [[fallthrough]];
    case State::key:
      if (c == '}' && !comma_.empty() && mend()) return close(c);
      return c == '"' || c == '\'' ? begin_string(c, true) : Step::error;
    case State::colon:
      if (c != ':') return Step::error;
      write(c);
      state_ = State::value;
      return Step::more;
    case State::after_value:
      if (c == '}' || c == ']') return close(c);
      if (c != ',') return Step::error;
      comma_ = c;
      state_ = (objects_ >> (depth_ - 1)) & 1 ? State::key : State::value;
      return Step::more;
    default: return Step::error;
  }
}

JsonScanner::Step JsonScanner::begin_value(char c) {
  if (c == '{' || c == '[') return open(c);
  if (depth_ == 0) return Step::error;
  if (c == '"' || c == '\'') return begin_string(c, false);
  const bool number = c == '-' || is_digit(c);
  const bool python = repair_ && (c == 'T' || c == 'F' || c == 'N');
  if (!number && !python && c != 't' && c != 'f' && c != 'n') return Step::error;
  began_value_ = true;
  word_ = c;
  state_ = number ? State::number : State::literal;
  number ? write(c) : void(written_ += std::exchange(comma_, ""));
  return Step::more;
}

JsonScanner::Step JsonScanner::begin_string(char quote, bool is_key) {
  if (quote == '\'' && !mend()) return Step::error;
  began_value_ = !is_key;
  quote_ = quote;
  string_is_key_ = is_key;
  state_ = State::string;
  write('"');
  return Step::more;
}

JsonScanner::Step JsonScanner::open(char c) {
  if (depth_ == kDeepest) return Step::error;
  began_value_ = true;
  const uint64_t bit = uint64_t{1} << depth_;
  objects_ = c == '{' ? objects_ | bit : objects_ & ~bit;
  ++depth_;
  state_ = c == '{' ? State::key_or_end : State::value_or_end;
  write(c);
  return Step::more;
}

JsonScanner::Step JsonScanner::close(char c) {
  const bool object = (objects_ >> (depth_ - 1)) & 1;
  if (object != (c == '}')) return Step::error;
  --depth_;
  end_value();
  comma_.clear();
  written_ += c;
  return state_ == State::done ? Step::done : Step::more;
}

JsonScanner::Step JsonScanner::in_string(char c) {
  if (c == '\\') {
    state_ = State::escape;
    return Step::more;
  }
  if (high_surrogate_) return Step::error;
  if (static_cast<unsigned char>(c) < 0x20) return control(c);
  if (c != quote_) {
    if (c == '"') written_ += '\\';
    written_ += c;
    return Step::more;
  }
  written_ += '"';
  if (string_is_key_) {
    ended_key_ = true;
    state_ = State::colon;
  } else {
    end_value();
  }
  return Step::more;
}

JsonScanner::Step JsonScanner::control(char c) {
  if (!mend()) return Step::error;
  static constexpr std::string_view kControls = "\b\f\n\r\t", kNames = "bfnrt", kHex = "0123456789abcdef";
  if (const size_t i = kControls.find(c); i != std::string_view::npos) {
    written_ += {'\\', kNames[i]};
  } else {
    written_ += {'\\', 'u', '0', '0', kHex[static_cast<size_t>(c >> 4)], kHex[static_cast<size_t>(c & 15)]};
  }
  return Step::more;
}

JsonScanner::Step JsonScanner::in_escape(char c) {
  if (c == 'u') {
    state_ = State::hex;
    hex_left_ = 4;
    unit_ = 0;
    written_ = "\\u";
    return Step::more;
  }
  if (high_surrogate_) return Step::error;
  state_ = State::string;
  if (c == '\'' && mend()) {
    written_ = c;
    return Step::more;
  }
  // Python reads \/ otherwise than JSON.
  if (std::string_view(quote_ == '"' ? "\"\\/bfnrt" : "\"\\bfnrt").find(c) == std::string_view::npos)
    return Step::error;
  written_ = {'\\', c};
  return Step::more;
}

JsonScanner::Step JsonScanner::in_hex(char c) {
  const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  if (!is_digit(c) && !letter) return Step::error;
  written_ = c;
  unit_ = unit_ * 16 + static_cast<uint32_t>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  if (--hex_left_ > 0) return Step::more;
  const bool low = unit_ >= 0xdc00 && unit_ < 0xe000;
  if (low != high_surrogate_) return Step::error;
  high_surrogate_ = unit_ >= 0xd800 && unit_ < 0xdc00;
  state_ = State::string;
  return Step::more;
}

bool JsonScanner::word_is_valid() const {
  if (state_ == State::number) return is_number(word_);
  return word_ == "true" || word_ == "false" || word_ == "null" || (repair_ && !json_word(word_).empty());
}

bool JsonScanner::word_ends() {
  if (!word_is_valid()) return false;
  if (state_ == State::literal) {
    const std::string_view python = json_word(word_);
    repaired_ = repaired_ || !python.empty();
    written_ += python.empty() ? word_ : python;
  }
  end_value();
  return true;
}

std::string JsonScanner::missing(bool ended) const {
  const bool word = state_ == State::number || state_ == State::literal;
  if (!repair_ || !(state_ == State::after_value || (word && !ended && word_is_valid()))) return "";
  std::string brackets;
  for (int level = depth_ - 1; level >= 0; --level) brackets += (objects_ >> level) & 1 ? '}' : ']';
  return brackets;
}

std::optional<std::string> repair_json(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (!text.ends_with('}')) return std::nullopt;
  JsonScanner scanner(true);
  std::string written;
  for (size_t i = 0; i < text.size(); ++i) {
    const JsonScanner::Step step = scanner.push(text[i]);
    written += scanner.written();
    if (step == JsonScanner::Step::done && i + 1 == text.size()) return written;
    if (step != JsonScanner::Step::more) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace hearth::text
