// Between values only tags may stand: each is looked at when its <|sep|> has arrived. A value ends with the closing tag
// of its element; the tags are single tokens, which values cannot hold. Strings are streamed.
#include "text/calls/xtml_calls.h"

#include <nlohmann/json.hpp>

#include "text/calls/literal.h"

namespace hearth::text {

namespace {

constexpr std::string_view kOpen = "<|open|>", kClose = "<|close|>", kSeparator = "<|sep|>";
constexpr size_t kLongestTag = 2 * kLongestName;

std::string unescaped(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const bool quote = text.substr(at).starts_with("&quot;"), ampersand = text.substr(at).starts_with("&amp;");
    result += quote ? '"' : text[at];
    at += quote ? 6 : ampersand ? 5 : 1;
  }
  return result;
}

// The value of an attribute of `NAME key="value" ...`; empty if there is none.
std::string attribute(std::string_view tag, std::string_view key) {
  const std::string opening = " " + std::string(key) + "=\"";
  const size_t found = tag.find(opening);
  if (found == std::string_view::npos) return "";
  const std::string_view rest = tag.substr(found + opening.size());
  return unescaped(rest.substr(0, rest.find('"')));
}

}  // namespace

CallStatus XtmlCalls::push(char c) {
  text_ += c;
  return state_ == State::value ? value() : between();
}

CallStatus XtmlCalls::between() {
  if (is_space(text_[0])) text_.clear();
  const bool opens = text_.starts_with(kOpen), closes = text_.starts_with(kClose);
  if (!opens && !closes)
    return kOpen.starts_with(text_) || kClose.starts_with(text_) ? CallStatus::more : fail("text between the tags");
  if (text_.size() > kLongestTag) return fail("a tag is too long");
  if (!text_.ends_with(kSeparator)) return CallStatus::more;
  const std::string tag = text_.substr(0, text_.size() - kSeparator.size());
  text_.clear();
  return opens ? opened(std::string_view(tag).substr(kOpen.size()))
               : closed(std::string_view(tag).substr(kClose.size()));
}

CallStatus XtmlCalls::opened(std::string_view tag) {
  const std::string_view name = tag.substr(0, tag.find(' '));
  if (name == "call") {
    if (in_call_)
      if (const CallStatus status = end_call(true); status != CallStatus::more) return status;
    const std::string function = attribute(tag, "tool");
    if (function.empty() || function.size() > kLongestName) return fail("the call has no name");
    in_call_ = true;
    any_argument_ = has_object_ = false;
    std::string refusal = sink_.start(function, "");
    return refusal.empty() ? CallStatus::more : fail(std::move(refusal));
  }
  if (in_call_ && (name == "argument" || name == "json") && !has_object_) return begin_value(tag);
  return fail("neither a call nor one of its arguments");
}

CallStatus XtmlCalls::closed(std::string_view name) {
  if (name == "call") return in_call_ ? end_call(false) : fail("the end of a call that has not begun");
  if (name != "tools") return fail("neither a call nor one of its arguments");
  if (in_call_)
    if (const CallStatus status = end_call(true); status != CallStatus::more) return status;
  return calls_ > 0 ? CallStatus::done : fail("no call before the end marker");
}

CallStatus XtmlCalls::begin_value(std::string_view tag) {
  element_ = tag.substr(0, tag.find(' '));
  key_ = attribute(tag, "key");
  if (element_ == "argument" && key_.empty()) return fail("an argument has no name");
  if (element_ == "json" && any_argument_) return fail("the call has arguments twice");
  any_argument_ = true;
  const std::string type = attribute(tag, "type");
  is_string_ = element_ == "argument" && (type.empty() || type == "string");
  if (is_string_) writer_.begin_string(key_);
  closing_ = std::string(kClose) + element_ + std::string(kSeparator);
  state_ = State::value;
  return CallStatus::more;
}

CallStatus XtmlCalls::value() {
  if (text_.ends_with(closing_)) {
    const std::string whole = std::exchange(text_, "");
    state_ = State::between;
    return end_value(std::string_view(whole).substr(0, whole.size() - closing_.size()));
  }
  if (!is_string_ || text_.size() < closing_.size() + 64) return CallStatus::more;
  size_t send = text_.size() - closing_.size();
  while (send > 0 && (static_cast<unsigned char>(text_[send]) & 0xc0) == 0x80) --send;  // never half a character
  writer_.append_string(std::string_view(text_).substr(0, send));
  text_.erase(0, send);
  return CallStatus::more;
}

CallStatus XtmlCalls::end_value(std::string_view text) {
  if (is_string_) {
    writer_.append_string(text);
    writer_.end_string();
    return CallStatus::more;
  }
  const auto value = parse_json_value(text);
  if (element_ == "argument") {
    if (!value) return fail("the argument '" + key_ + "' is not valid JSON");
    writer_.add(key_, *value);
    return CallStatus::more;
  }
  if (!value || !value->is_object()) return fail("the arguments are not a JSON object");
  has_object_ = true;
  sink_.arguments(trim(text));
  return CallStatus::more;
}

// `forgotten`: its closing tag is missing.
CallStatus XtmlCalls::end_call(bool forgotten) {
  if (forgotten && !repair_) return fail("a call without an end");
  if (!has_object_) writer_.close();
  if (std::string refusal = sink_.end(forgotten); !refusal.empty()) return fail(std::move(refusal));
  in_call_ = false;
  ++calls_;
  return CallStatus::more;
}

CallStatus XtmlCalls::finish() {
  if (state_ == State::between && !in_call_ && calls_ > 0) return CallStatus::done;
  return fail("the answer ended inside the call");
}

}  // namespace hearth::text
