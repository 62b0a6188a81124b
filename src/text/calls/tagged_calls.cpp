// Between tags (State::expect) the bytes must be white space or one of the tags that may come next; a name, key or
// value ends when its bytes end with its closing tag. Values whose schema is string are streamed; others are coerced
// when they are complete.
#include "text/calls/tagged_calls.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "text/calls/literal.h"

namespace hearth::text {

CallStatus TaggedCalls::push(char c) {
  text_ += c;
  switch (state_) {
    case State::expect: return expect();
    case State::name: return name(c);
    case State::key: return key();
    case State::value_open: return value_open();
    default: return value(c);
  }
}

CallStatus TaggedCalls::expect() {
  if (is_space(text_[0])) {
    text_.clear();
    return CallStatus::more;
  }
  const auto could_be = [&](const std::string& tag) { return !tag.empty() && tag.starts_with(text_); };
  if (in_call_) {
    if (text_ == style_.key_open) {
      text_.clear();
      state_ = State::key;
      return CallStatus::more;
    }
    if (!style_.call_close.empty() && text_ == style_.call_close) {
      text_.clear();
      return end_call();
    }
    if (text_ == style_.region_end)  // a forgotten closing tag harms nobody
      return end_call() == CallStatus::failed ? CallStatus::failed : CallStatus::done;
    if (could_be(style_.key_open) || could_be(style_.call_close) || could_be(style_.region_end))
      return CallStatus::more;
    return fail("neither a parameter nor the end of the call");
  }
  if (text_ == style_.region_end) return calls_ > 0 ? CallStatus::done : fail("no call before the end marker");
  if (!style_.call_open.empty() && text_ == style_.call_open) {
    text_.clear();
    state_ = State::name;
    return CallStatus::more;
  }
  if (could_be(style_.call_open) || could_be(style_.region_end)) return CallStatus::more;
  return fail("neither a call nor the end marker");
}

CallStatus TaggedCalls::name(char c) {
  if (text_.size() > kLongestName) return fail("the call's name is too long");
  if (!style_.name_end.empty()) {
    if (!text_.ends_with(style_.name_end)) return CallStatus::more;
    return name_ended(std::string_view(text_).substr(0, text_.size() - style_.name_end.size()));
  }
  const bool blank = trim(text_).empty();
  if (blank || (c != '\n' && c != '<')) return CallStatus::more;
  if (const CallStatus status = name_ended(std::string_view(text_).substr(0, text_.size() - 1));
      status != CallStatus::more)
    return status;
  if (c != '<') return CallStatus::more;
  text_ = c;
  return expect();
}

CallStatus TaggedCalls::name_ended(std::string_view found) {
  std::string_view bare = trim(found);
  if (bare.size() >= 2 && (bare.front() == '"' || bare.front() == '\'') && bare.back() == bare.front())
    bare = bare.substr(1, bare.size() - 2);
  if (bare.empty() || bare.find_first_of(" \n\t<>{}\"") != std::string_view::npos) return fail("the call has no name");
  name_ = bare;
  text_.clear();
  in_call_ = true;
  state_ = State::expect;
  sink_.start(name_, "");
  return CallStatus::more;
}

CallStatus TaggedCalls::key() {
  if (text_.size() > kLongestName) return fail("a parameter's name is too long");
  if (!text_.ends_with(style_.key_end)) return CallStatus::more;
  key_ = trim(std::string_view(text_).substr(0, text_.size() - style_.key_end.size()));
  kind_ = Kind::coerced;
  if (style_.string_attribute) {
    constexpr std::string_view kString = "\" string=\"true", kOther = "\" string=\"false";
    const bool string = key_.ends_with(kString), other = key_.ends_with(kOther);
    if (!string && !other) return fail("a parameter does not say whether it is a string");
    key_.resize(key_.size() - (string ? kString : kOther).size());
    kind_ = string ? Kind::string : Kind::json;
  }
  if (key_.size() >= 2 && (key_.front() == '"' || key_.front() == '\'') && key_.back() == key_.front())
    key_ = key_.substr(1, key_.size() - 2);
  if (key_.empty()) return fail("a parameter has no name");
  schema_ = parameter_schema(tools_, name_, key_);
  if (kind_ == Kind::coerced && is_string_schema(schema_)) kind_ = Kind::string;
  if (kind_ == Kind::string) writer_.begin_string(key_);
  began_ = false;
  text_.clear();
  state_ = style_.value_open.empty() ? State::value : State::value_open;
  return CallStatus::more;
}

CallStatus TaggedCalls::value_open() {
  if (is_space(text_[0])) text_.clear();
  if (text_ == style_.value_open) {
    text_.clear();
    state_ = State::value;
    return CallStatus::more;
  }
  return style_.value_open.starts_with(text_) ? CallStatus::more : fail("a parameter has no value");
}

// Sends what cannot be part of the closing tag or of white space that is to be trimmed.
void TaggedCalls::stream_value(bool last) {
  const bool exact = style_.string_attribute;  // DSML values stand for themselves
  if (!began_ && !text_.empty() && !exact) {
    if (style_.trim == Style::Trim::newline) {
      if (text_[0] == '\n') text_.erase(0, 1);
      began_ = true;
    } else {
      text_.erase(0, std::min(text_.find_first_not_of(" \n\t\r"), text_.size()));
      began_ = !text_.empty();
    }
  }
  size_t keep = last ? 0 : std::min(text_.size(), style_.value_end.size());
  size_t send = text_.size() - keep;
  if (!exact) {
    if (style_.trim == Style::Trim::newline) {
      if (send > 0 && text_[send - 1] == '\n') --send;
    } else {
      while (send > 0 && is_space(text_[send - 1])) --send;
    }
  }
  // Never half a character: the pieces are JSON text of their own.
  while (!last && send > 0 && (static_cast<unsigned char>(text_[send]) & 0xc0) == 0x80) --send;
  writer_.append_string(std::string_view(text_).substr(0, send));
  text_.erase(0, send);
}

CallStatus TaggedCalls::value(char c) {
  if (!text_.ends_with(style_.value_end)) {
    // Every 64 bytes: cheap, and the pieces do not depend on how the text was cut. Runs of white space may have to be
    // trimmed, so they wait for what follows.
    if (kind_ == Kind::string && !is_space(c) && text_.size() >= style_.value_end.size() + 64) stream_value(false);
    return CallStatus::more;
  }
  text_.resize(text_.size() - style_.value_end.size());
  if (kind_ == Kind::string) {
    stream_value(true);
    writer_.end_string();
  } else {
    std::string_view text = text_;
    if (style_.trim == Style::Trim::newline) {
      if (text.starts_with('\n')) text.remove_prefix(1);
      if (text.ends_with('\n')) text.remove_suffix(1);
    } else {
      text = trim(text);
    }
    if (kind_ == Kind::json) {
      const auto value = parse_json_value(text);
      if (!value) return fail("the parameter '" + key_ + "' is not valid JSON");
      writer_.add(key_, *value);
    } else {
      writer_.add(key_, coerce_argument(text, schema_, style_.untyped));
    }
  }
  text_.clear();
  state_ = State::expect;
  return CallStatus::more;
}

CallStatus TaggedCalls::end_call() {
  writer_.close();
  if (std::string refusal = sink_.end(); !refusal.empty()) return fail(std::move(refusal));
  in_call_ = false;
  ++calls_;
  return CallStatus::more;
}

CallStatus TaggedCalls::finish() {
  if (in_call_ && state_ == State::expect && text_.empty() && style_.call_close.empty())
    return end_call() == CallStatus::failed ? CallStatus::failed : CallStatus::done;
  if (!in_call_ && calls_ > 0) return CallStatus::done;
  return fail("the answer ended inside the call");
}

}  // namespace hearth::text
