// The scanner tells where keys and values of the call object begin and end; name and id are parsed when they are
// complete, the arguments' bytes go to the sink as they come. If the arguments come before the name, or as a string
// that holds JSON, they wait until the name or the string's end.
#include "text/calls/json_calls.h"

#include <nlohmann/json.hpp>

#include "text/calls/arguments.h"
#include "text/calls/literal.h"

namespace hearth::text {

CallStatus JsonCalls::push(char c) { return inside_ ? in_object(c) : between(c); }

CallStatus JsonCalls::between(char c) {
  if (tail_.empty()) {
    if (c == '{' && !closed_) {
      inside_ = true;
      scanner_ = JsonScanner();
      object_.clear();
      level_ = 1;
      value_begin_ = sent_ = 0;
      field_ = Field::none;
      reading_ = started_ = has_name_ = has_arguments_ = arguments_are_object_ = arguments_complete_ = false;
      name_.clear();
      id_.clear();
      late_arguments_.clear();
      return in_object(c);
    }
    if (is_space(c) || (calls_ > 0 && !closed_ && (c == ',' || c == ';'))) return CallStatus::more;
    if (c == '[' && calls_ == 0 && !in_array_) return in_array_ = true, CallStatus::more;
    if (c == ']' && calls_ > 0 && in_array_ && !closed_) {
      closed_ = true;
      return style_.end.empty() ? CallStatus::done : CallStatus::more;
    }
    if (style_.end.empty()) return calls_ > 0 ? CallStatus::done_before : fail("no JSON object where a call should be");
  }
  tail_ += c;
  if (tail_ == style_.end) return calls_ > 0 ? CallStatus::done : fail("no call before the end marker");
  if (!style_.end.starts_with(tail_)) return fail("neither a JSON object nor the end marker");
  return CallStatus::more;
}

CallStatus JsonCalls::in_object(char c) {
  object_ += c;
  const int depth_before = scanner_.depth();
  const JsonScanner::Step step = scanner_.push(c);
  if (step == JsonScanner::Step::error)
    return fail("not valid JSON at byte " + std::to_string(object_.size()) + " of the call");

  if (scanner_.began_value() && depth_before == level_) value_began();
  if (scanner_.ended_key() && scanner_.depth() == level_) key_ended();
  if (reading_) {
    // A value has ended when we are back between values at its level, or its container closed (a number before '}').
    const bool closed = scanner_.depth() < level_;
    const bool ended = closed || (scanner_.depth() == level_ && (scanner_.between_values() || c == ','));
    if (ended) {
      if (const CallStatus status = take_field(); status != CallStatus::more) return status;
    } else if (!stream_arguments()) {
      return CallStatus::failed;
    }
  }
  if (step == JsonScanner::Step::done) return finish_object();
  return CallStatus::more;
}

void JsonCalls::key_ended() {
  // Back to the quote before this one. If a backslash hides it the key has escapes, and no key of interest has any.
  const size_t open = object_.rfind('"', object_.size() - 2);
  if (object_[open - 1] == '\\') {
    field_ = Field::none;
    return;
  }
  const std::string_view key = std::string_view(object_).substr(open + 1, object_.size() - open - 2);
  field_ = Field::none;
  if (key == "name" || key == "tool_name") field_ = Field::name;
  if (key == "arguments" || key == "parameters") field_ = Field::arguments;
  if (key == "id" || key == "tool_call_id") field_ = Field::id;
  if (key == "function") field_ = Field::wrapper;
}

void JsonCalls::value_began() {
  const char first = object_.back();
  if (field_ == Field::none) return;
  if (field_ == Field::wrapper) {
    if (first == '{' && level_ == 1) {
      level_ = 2;
    } else if (first == '"') {  // {"function": "name"}
      field_ = Field::name;
    }
    if (field_ == Field::wrapper) return;
  }
  reading_ = true;
  value_begin_ = object_.size() - 1;
  if (field_ == Field::arguments) {
    arguments_are_object_ = first == '{';
    sent_ = value_begin_;
  }
}

bool JsonCalls::stream_arguments() {
  if (field_ != Field::arguments || !arguments_are_object_ || waits()) return true;
  if (!started_ && start_call() != CallStatus::more) return false;
  sink_.arguments(std::string_view(object_).substr(sent_));
  sent_ = object_.size();
  return true;
}

CallStatus JsonCalls::start_call() {
  if (style_.known != nullptr && names_no_tool(style_.known, name_)) return fail("no tool is named '" + name_ + "'");
  started_ = true;
  sink_.start(name_, id_);
  return CallStatus::more;
}

CallStatus JsonCalls::take_field() {
  reading_ = false;
  // Containers and strings end with this byte; a number or literal ended before it (',' or '}' or white space).
  std::string_view text = value_text();
  const char first = text.front();
  if (first != '{' && first != '[' && first != '"') text = trim(text.substr(0, text.size() - 1));
  const Field field = std::exchange(field_, Field::none);
  if (field == Field::arguments) {
    if (has_arguments_) return fail("the call has arguments twice");
    has_arguments_ = true;
    if (arguments_are_object_) {
      arguments_complete_ = true;
      field_ = Field::arguments;
      if (waits()) {
        late_arguments_ = text;
      } else if (!stream_arguments()) {
        return CallStatus::failed;
      }
      field_ = Field::none;
      return CallStatus::more;
    }
    if (text == "null") {
      late_arguments_ = "{}";
      return CallStatus::more;
    }
    const auto value = first == '"' ? parse_json_value(text) : std::nullopt;
    if (!value) return fail("the arguments are not an object");
    const auto inner = parse_json_value(value->get_ref<const std::string&>());
    if (!inner || !inner->is_object()) return fail("the arguments are a string that holds no JSON object");
    late_arguments_ = trim(value->get_ref<const std::string&>());
    return CallStatus::more;
  }
  const auto value = parse_json_value(text);
  if (field == Field::id) {
    if (value && value->is_string()) id_ = value->get<std::string>();
    if (value && value->is_number_integer()) id_ = std::string(text);
    return CallStatus::more;
  }
  if (!value || !value->is_string() || value->get_ref<const std::string&>().empty())
    return fail("the call's name is not a string");
  if (has_name_) return fail("the call has two names");
  name_ = value->get<std::string>();
  if (name_.size() > kLongestName) return fail("the call's name is too long");
  has_name_ = true;
  return CallStatus::more;
}

CallStatus JsonCalls::finish_object() {
  if (!has_name_) return fail("the call has no name");
  if (style_.bare && !has_arguments_) return fail("no arguments");
  if (!started_ && start_call() != CallStatus::more) return CallStatus::failed;
  if (!arguments_complete_ || !late_arguments_.empty())
    sink_.arguments(late_arguments_.empty() ? "{}" : late_arguments_);
  if (std::string refusal = sink_.end(); !refusal.empty()) return fail(std::move(refusal));
  inside_ = false;
  ++calls_;
  return CallStatus::more;
}

CallStatus JsonCalls::finish() {
  if (inside_) return fail("the answer ended inside the call");
  return calls_ > 0 ? CallStatus::done : fail("the answer ended before the call");
}

}  // namespace hearth::text
