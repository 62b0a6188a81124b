// A pushdown automaton: one bit a level says whether it is an object or an array. Numbers and literals are collected
// and checked when the byte after them arrives; that byte is then taken as usual.
#include "text/calls/json_scanner.h"

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

}  // namespace

JsonScanner::Step JsonScanner::push(char c) {
  began_value_ = ended_key_ = false;
  return take(c);
}

JsonScanner::Step JsonScanner::take(char c) {
  switch (state_) {
    case State::string: return in_string(c);
    case State::escape:
      if (c == 'u') {
        state_ = State::hex;
        hex_left_ = 4;
        unit_ = 0;
        return Step::more;
      }
      if (high_surrogate_ || std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) return Step::error;
      state_ = State::string;
      return Step::more;
    case State::hex: return in_hex(c);
    case State::number:
    case State::literal:
      if (is_digit(c) || c == '.' || c == '+' || c == '-' || (c >= 'a' && c <= 'z') || c == 'E') {
        word_ += c;
        return word_.size() > 400 ? Step::error : Step::more;
      }
      if (!number_ends()) return Step::error;
      return take(c);
    default: break;
  }
  if (is_space(c)) return state_ == State::done ? Step::error : Step::more;
  switch (state_) {
    case State::value_or_end:
      if (c == ']') return close(c);
      [[fallthrough]];
    case State::value: return begin_value(c);
    case State::key_or_end:
      if (c == '}') return close(c);
      [[fallthrough]];
    case State::key:
      if (c != '"') return Step::error;
      state_ = State::string;
      string_is_key_ = true;
      return Step::more;
    case State::colon:
      if (c != ':') return Step::error;
      state_ = State::value;
      return Step::more;
    case State::after_value:
      if (c == '}' || c == ']') return close(c);
      if (c != ',') return Step::error;
      state_ = (objects_ >> (depth_ - 1)) & 1 ? State::key : State::value;
      return Step::more;
    default: return Step::error;
  }
}

JsonScanner::Step JsonScanner::begin_value(char c) {
  began_value_ = true;
  if (c == '{' || c == '[') return open(c);
  if (depth_ == 0) return Step::error;
  if (c == '"') {
    state_ = State::string;
    string_is_key_ = false;
    return Step::more;
  }
  word_ = c;
  state_ = c == '-' || is_digit(c) ? State::number : State::literal;
  return c == '-' || is_digit(c) || c == 't' || c == 'f' || c == 'n' ? Step::more : Step::error;
}

JsonScanner::Step JsonScanner::open(char c) {
  if (depth_ == kDeepest) return Step::error;
  const uint64_t bit = uint64_t{1} << depth_;
  objects_ = c == '{' ? objects_ | bit : objects_ & ~bit;
  ++depth_;
  state_ = c == '{' ? State::key_or_end : State::value_or_end;
  return Step::more;
}

JsonScanner::Step JsonScanner::close(char c) {
  const bool object = (objects_ >> (depth_ - 1)) & 1;
  if (object != (c == '}')) return Step::error;
  --depth_;
  end_value();
  return state_ == State::done ? Step::done : Step::more;
}

JsonScanner::Step JsonScanner::in_string(char c) {
  if (c == '\\') {
    state_ = State::escape;
    return Step::more;
  }
  if (high_surrogate_ || static_cast<unsigned char>(c) < 0x20) return Step::error;
  if (c != '"') return Step::more;
  if (string_is_key_) {
    ended_key_ = true;
    state_ = State::colon;
  } else {
    end_value();
  }
  return Step::more;
}

JsonScanner::Step JsonScanner::in_hex(char c) {
  const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  if (!is_digit(c) && !letter) return Step::error;
  unit_ = unit_ * 16 + static_cast<uint32_t>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  if (--hex_left_ > 0) return Step::more;
  const bool low = unit_ >= 0xdc00 && unit_ < 0xe000;
  if (low != high_surrogate_) return Step::error;
  high_surrogate_ = unit_ >= 0xd800 && unit_ < 0xdc00;
  state_ = State::string;
  return Step::more;
}

bool JsonScanner::number_ends() {
  const bool valid =
      state_ == State::number ? is_number(word_) : word_ == "true" || word_ == "false" || word_ == "null";
  end_value();
  return valid;
}

}  // namespace hearth::text
