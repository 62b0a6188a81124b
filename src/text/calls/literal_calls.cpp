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

char matching(char open) { return open == '(' ? ')' : open == '[' ? ']' : '}'; }

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
    // Between marks a call may stand without its list.
    if (style_.prefix.empty() && is_name_byte(c) && !after_list_ && (in_list_ || !style_.list || !style_.end.empty())) {
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
  if (could_be) return CallStatus::more;
  return calls_ > 0 ? leave_before(text_) : fail("neither a call nor the end marker");
}

CallStatus LiteralCalls::name(char c) {
  if (is_name_byte(c)) {
    text_ += c;
    return text_.size() > kLongestName ? fail("the call's name is too long") : CallStatus::more;
  }
  if (c != style_.open || text_.empty()) return fail("not a call");
  name_ = std::exchange(text_, "");
  open_.clear();
  quote_ = 0;
  repaired_ = false;
  state_ = State::arguments;
  std::string refusal = sink_.start(name_, "");
  return refusal.empty() ? CallStatus::more : fail(std::move(refusal));
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
  if (style_.repair && !style_.end.empty() && text_.ends_with(style_.end)) {
    text_.resize(text_.size() - style_.end.size());
    return add_brackets() == CallStatus::failed ? CallStatus::failed : CallStatus::done;
  }
  if (open_.empty() && (c == ',' || c == style_.close)) {
    text_.pop_back();
    if (!trim(text_).empty()) {
      if (const CallStatus status = take_argument(); status != CallStatus::more) return status;
    } else if (c == ',') {
      return fail("an argument is missing before a comma");
    }
    text_.clear();
    return c == ',' ? CallStatus::more : end_call();
  }
  if (c == '(' || c == '[' || c == '{') open_ += c;
  if (c != ')' && c != ']' && c != '}') return open_.size() > 64 ? fail("brackets do not match") : CallStatus::more;
  if (open_.empty() && c == ']' && in_list_ && style_.repair) return CallStatus::more;  // see add_brackets
  if (open_.empty() || matching(open_.back()) != c) return fail("brackets do not match");
  open_.pop_back();
  return CallStatus::more;
}

CallStatus LiteralCalls::end_call() {
  writer_.close();
  if (std::string refusal = sink_.end(repaired_); !refusal.empty()) return fail(std::move(refusal));
  ++calls_;
  text_.clear();
  state_ = State::between;
  return CallStatus::more;
}

// The region or the answer has ended inside the arguments, outside quotes.
CallStatus LiteralCalls::add_brackets() {
  repaired_ = true;
  while (trim(text_).ends_with(']') && open_.empty()) text_.resize(text_.rfind(']'));  // the list's own
  for (; !open_.empty(); open_.pop_back()) text_ += matching(open_.back());
  if (trim(text_).ends_with(',')) return fail("an argument is missing after a comma");
  if (!trim(text_).empty())
    if (const CallStatus status = take_argument(); status != CallStatus::more) return status;
  return end_call();
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
  const std::string_view text = trim(text_);
  // Where the answer stops short of its brackets, what stands there must be whole: a number may have been cut.
  const bool whole = text.ends_with('"') || text.ends_with('\'') || text.ends_with(']') || text.ends_with('}') ||
                     (!style_.string_mark.empty() && text.ends_with(style_.string_mark));
  if (style_.repair && state_ == State::arguments && quote_ == 0 && whole)
    return add_brackets() == CallStatus::failed ? CallStatus::failed : CallStatus::done;
  return fail("the answer ended inside the call");
}

}  // namespace hearth::text
