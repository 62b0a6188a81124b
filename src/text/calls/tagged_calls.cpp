// Between tags (State::expect) the bytes must be white space or one of the tags that may come next; a name or key ends
// when its bytes end with its closing tag. Values whose schema is string are streamed; others are coerced when they are
// complete. How a value ends is in tagged_values.cpp.
#include "text/calls/tagged_calls.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace hearth::text {

namespace {

constexpr std::string_view kString = " string=\"true\"", kOther = " string=\"false\"";  // DSML's attribute

std::optional<bool> says_string(std::string_view attributes) {
  if (attributes.ends_with(kString)) return true;
  return attributes.ends_with(kOther) ? std::optional(false) : std::nullopt;
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
}

std::string_view without_quotes(std::string_view text) {
  text = trim(text);
  return is_quoted(text) ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

CallStatus TaggedCalls::push(char c) {
  text_ += c;
  switch (state_) {
    case State::expect: return expect();
    case State::name: return name(c);
    case State::key: return key(c);
    case State::value_open: return value_open();
    default: return value(c);
  }
}

// Reads bytes that the last state took and did not need.
CallStatus TaggedCalls::again(std::string text) {
  CallStatus status = CallStatus::more;
  for (char c : text)
    if (status == CallStatus::more) status = push(c);
  return status;
}

CallStatus TaggedCalls::expect() {
  if (is_space(text_[0])) {
    text_.clear();
    return CallStatus::more;
  }
  const auto could_be = [&](const std::string& tag) { return !tag.empty() && tag.starts_with(text_); };
  const auto is = [&](const std::string& tag) { return !tag.empty() && text_ == tag; };
  if (in_call_ && is(style_.key_open)) {
    text_.clear();
    state_ = State::key;
    return CallStatus::more;
  }
  if (in_call_ && is(style_.call_close)) {
    text_.clear();
    return end_call();
  }
  if (is(style_.region_end)) {
    if (!in_call_) return calls_ > 0 ? CallStatus::done : fail("no call before the end marker");
    repaired_ = repaired_ || !style_.call_close.empty();
    return end_call() == CallStatus::failed ? CallStatus::failed : CallStatus::done;
  }
  if (is(style_.call_open)) {
    if (in_call_ && !style_.repair) return fail("a call inside a call");
    if (in_call_) {
      repaired_ = true;
      if (const CallStatus status = end_call(); status != CallStatus::more) return status;
    }
    text_.clear();
    state_ = State::name;
    return CallStatus::more;
  }
  if ((in_call_ && (could_be(style_.key_open) || could_be(style_.call_close))) || could_be(style_.call_open) ||
      could_be(style_.region_end))
    return CallStatus::more;
  if (in_call_) return fail("neither a parameter nor the end of the call");
  return calls_ > 0 ? leave_before(text_) : fail("neither a call nor the end marker");
}

CallStatus TaggedCalls::name(char c) {
  if (text_.size() > kLongestName) return fail("the call's name is too long");
  if (!style_.name_end.empty() && text_.ends_with(style_.name_end))
    return name_ended(std::string_view(text_).substr(0, text_.size() - style_.name_end.size()));
  const std::string_view found = std::string_view(text_).substr(0, text_.size() - 1);
  const bool ends = (c == '\n' || c == '<') && !style_.name_end.starts_with(c);
  if (!ends || trim(found).empty() || !(style_.name_end.empty() || style_.repair)) return CallStatus::more;
  const bool repaired = !style_.name_end.empty();
  if (const CallStatus status = name_ended(found); status != CallStatus::more) return status;
  repaired_ = repaired;
  return c == '<' ? again("<") : CallStatus::more;
}

CallStatus TaggedCalls::name_ended(std::string_view found) {
  const std::string_view bare = without_quotes(found);
  if (bare.empty() || bare.find_first_of(" \n\t<>{}\"") != std::string_view::npos) return fail("the call has no name");
  name_ = bare;
  text_.clear();
  in_call_ = true;
  repaired_ = false;
  given_.clear();
  state_ = State::expect;
  std::string refusal = sink_.start(name_, "");
  return refusal.empty() ? CallStatus::more : fail(std::move(refusal));
}

CallStatus TaggedCalls::key(char c) {
  if (text_.size() > kLongestName) return fail("a parameter's name is too long");
  const std::string_view text = text_;
  if (text.ends_with(style_.key_end)) return key_ended(text.substr(0, text.size() - style_.key_end.size()));
  if (!style_.repair) return CallStatus::more;
  const std::string_view before = text.substr(0, text.size() - 1);
  const std::string_view cut = std::string_view(style_.key_end).substr(0, style_.key_end.size() - 1);  // without >
  std::string_view key = {};
  std::string rest;
  const bool attributes = is_quoted(before) && (!style_.string_attribute || says_string(before).has_value());
  if ((c == '\n' || c == '<' || (attributes && !is_space(c))) && before.ends_with(cut) && !trim(before).empty()) {
    key = before.substr(0, before.size() - cut.size());
    if (c != '\n') rest = c;
  } else if (!style_.value_open.empty() && text.ends_with(style_.value_open)) {
    key = text.substr(0, text.size() - style_.value_open.size());
    rest = style_.value_open;
  } else {
    return CallStatus::more;
  }
  repaired_ = true;
  const CallStatus status = key_ended(key);
  return status == CallStatus::more ? again(rest) : status;
}

CallStatus TaggedCalls::key_ended(std::string_view found) {
  key_ = trim(found);
  kind_ = Kind::coerced;
  if (style_.string_attribute) {
    const std::optional<bool> string = says_string(key_);
    if (!string) return fail("a parameter does not say whether it is a string");
    key_.resize(key_.size() - (*string ? kString : kOther).size());
    kind_ = *string ? Kind::string : Kind::json;
  }
  key_ = std::string(without_quotes(key_));
  if (key_.empty() || key_.find_first_of("<>\"\n") != npos) return fail("a parameter has no name");
  given_.insert(key_);
  schema_ = parameter_schema(tools_, name_, key_);
  if (kind_ == Kind::coerced && is_string_schema(schema_)) kind_ = Kind::string;
  if (kind_ == Kind::string) writer_.begin_string(key_);
  began_ = stray_close_ = cdata_ended_ = false;
  sent_.clear();
  tail_ = early_end_ = npos;
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

CallStatus TaggedCalls::end_call() {
  writer_.close();
  if (std::string refusal = sink_.end(repaired_); !refusal.empty()) return fail(std::move(refusal));
  in_call_ = false;
  ++calls_;
  state_ = State::expect;
  return style_.region_end.empty() ? CallStatus::done : CallStatus::more;
}

CallStatus TaggedCalls::finish() {
  if (in_call_ && state_ == State::value) {
    if (early_end_ != npos) return end_early() == CallStatus::failed ? CallStatus::failed : CallStatus::done;
    const Tail tail = tail_ == npos ? Tail{} : read_tail(std::string_view(text_).substr(tail_));
    if (!tail.whole) return fail("the answer ended inside the call");
    repaired_ = repaired_ || tail.repaired;
    if (const CallStatus status = end_value(tail_, tail.closed); status != CallStatus::more) return status;
    return end_call() == CallStatus::failed ? CallStatus::failed : CallStatus::done;
  }
  if (in_call_ && state_ == State::expect && text_.empty() && style_.call_close.empty())
    return end_call() == CallStatus::failed ? CallStatus::failed : CallStatus::done;
  if (!in_call_ && calls_ > 0) return CallStatus::done;
  return fail("the answer ended inside the call");
}

}  // namespace hearth::text
