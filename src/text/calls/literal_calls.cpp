// Arguments are cut at commas outside quotes and brackets; each goes to the sink as soon as the comma or the closing
// bracket arrives.
#include "text/calls/literal_calls.h"

#include <nlohmann/json.hpp>

namespace hearth::text {

namespace {

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

CallStatus LiteralCalls::push(char c) {
  switch (state_) {
    case State::between: return between(c);
    case State::name: return name(c);
    default: return arguments(c);
  }
}

CallStatus LiteralCalls::between(char c) {
  if (text_.empty()) {
    if (is_space(c)) return CallStatus::more;
    if (style_.list && !after_list_) {
      if (c == '[' && !in_list_) return in_list_ = true, CallStatus::more;
      if (c == ',' && in_list_ && calls_ > 0) return CallStatus::more;
      if (c == ']' && in_list_ && calls_ > 0) {
        after_list_ = true;
        return style_.end.empty() ? CallStatus::done : CallStatus::more;
      }
    }
    if (!style_.list && c == ',' && calls_ > 0) return CallStatus::more;
    if (style_.prefix.empty() && is_name_byte(c) && !after_list_ && (in_list_ || !style_.list)) {
      state_ = State::name;
      return name(c);
    }
  }
  text_ += c;
  if (!style_.end.empty() && text_ == style_.end)
    return calls_ > 0 ? CallStatus::done : fail("no call before the end marker");
  if (!style_.prefix.empty() && text_ == style_.prefix) {
    text_.clear();
    state_ = State::name;
    return CallStatus::more;
  }
  const bool could_be = (!style_.end.empty() && style_.end.starts_with(text_)) ||
                        (!style_.prefix.empty() && style_.prefix.starts_with(text_));
  return could_be ? CallStatus::more : fail("neither a call nor the end marker");
}

CallStatus LiteralCalls::name(char c) {
  if (is_name_byte(c)) {
    text_ += c;
    return text_.size() > kLongestName ? fail("the call's name is too long") : CallStatus::more;
  }
  if (c != style_.open || text_.empty()) return fail("not a call");
  if (style_.known != nullptr && names_no_tool(style_.known, text_)) return fail("no tool is named '" + text_ + "'");
  name_ = std::exchange(text_, "");
  depth_ = 0;
  quote_ = 0;
  state_ = State::arguments;
  sink_.start(name_, "");
  return CallStatus::more;
}

// Follows quotes; true while c is inside a string or opens or closes one.
bool LiteralCalls::in_quotes(char c) {
  if (quote_ == 'm') {
    if (text_.ends_with(style_.string_mark)) quote_ = 0;
    return true;
  }
  if (quote_ != 0) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == quote_) {
      quote_ = 0;
    }
    return true;
  }
  if (style_.string_mark.empty()) {
    if (c != '"' && c != '\'') return false;
    quote_ = c;
    return true;
  }
  if (!text_.ends_with(style_.string_mark)) return false;
  quote_ = 'm';
  return true;
}

CallStatus LiteralCalls::arguments(char c) {
  text_ += c;
  if (in_quotes(c)) return CallStatus::more;
  if (depth_ == 0 && (c == ',' || c == style_.close)) {
    text_.pop_back();
    if (!trim(text_).empty()) {
      if (const CallStatus status = take_argument(); status != CallStatus::more) return status;
    } else if (c == ',') {
      return fail("an argument is missing before a comma");
    }
    text_.clear();
    if (c == ',') return CallStatus::more;
    writer_.close();
    if (std::string refusal = sink_.end(); !refusal.empty()) return fail(std::move(refusal));
    ++calls_;
    state_ = State::between;
    return CallStatus::more;
  }
  if (c == '(' || c == '[' || c == '{') ++depth_;
  if (c == ')' || c == ']' || c == '}') --depth_;
  return depth_ < 0 || depth_ > 64 ? fail("brackets do not match") : CallStatus::more;
}

CallStatus LiteralCalls::take_argument() {
  const size_t at = text_.find(style_.assign);
  if (at == std::string::npos) return fail("an argument has no name");
  std::string key(trim(std::string_view(text_).substr(0, at)));
  if (key.size() >= 2 && (key.front() == '"' || key.front() == '\'') && key.back() == key.front())
    key = key.substr(1, key.size() - 2);
  if (key.empty() || key.size() > kLongestName) return fail("an argument has no name");
  const std::string_view text = trim(std::string_view(text_).substr(at + 1));
  const bool gemma = !style_.string_mark.empty();
  const auto value = parse_literal(text, {.string_mark = style_.string_mark, .bare_keys = gemma});
  if (!value && !gemma) return fail("the argument '" + key + "' is not a literal");
  const Json* schema = parameter_schema(tools_, name_, key);
  // A bare word where the schema wants a string is that string; Gemma writes those.
  if (!value || (gemma && is_string_schema(schema) && !value->is_string())) {
    writer_.add(key, coerce_argument(text, schema, Untyped::literal));
  } else {
    writer_.add(key, *value);
  }
  return CallStatus::more;
}

CallStatus LiteralCalls::finish() {
  if (state_ == State::between && calls_ > 0) return CallStatus::done;
  return fail("the answer ended inside the call");
}

}  // namespace hearth::text
