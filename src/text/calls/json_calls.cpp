// The scanner tells where keys and values of the call object begin and end; name and id are parsed when they are
// complete, the arguments' bytes go to the sink as they come. If the arguments come before the name, or as a string
// that holds JSON, they wait until the name or the string's end.
#include "text/calls/json_calls.h"

#include <nlohmann/json.hpp>

#include "text/calls/literal.h"

namespace hearth::text {

CallStatus JsonCalls::push(char c) { return inside_ ? in_object(c) : between(c); }

CallStatus JsonCalls::between(char c) {
  after_ += c;
  if (tail_.empty()) {
    if (c == '{' && !closed_) {
      begin_object();
      return in_object(c);
    }
    if (is_space(c) || (calls_ > 0 && !closed_ && (c == ',' || c == ';'))) return CallStatus::more;
    if (c == '[' && calls_ == 0 && !in_array_) return in_array_ = true, CallStatus::more;
    if (c == ']' && calls_ > 0 && in_array_ && !closed_) {
      closed_ = true;
      after_.clear();
      return style_.end.empty() ? CallStatus::done : CallStatus::more;
    }
    // A bracket too many harms nobody.
    if (style_.repair && calls_ > 0 && (c == '}' || c == ']') && !style_.end.empty() && style_.end[0] != c)
      return CallStatus::more;
  }
  tail_ += c;
  if (!style_.end.empty() && tail_ == style_.end)
    return calls_ > 0 ? CallStatus::done : fail("no call before the end marker");
  if (!style_.end.empty() && style_.end.starts_with(tail_)) return CallStatus::more;
  return calls_ > 0 ? leave_before(after_) : fail("no JSON object where a call should be");
}

void JsonCalls::begin_object() {
  inside_ = true;
  scanner_ = JsonScanner(style_.repair);
  object_.clear();
  bytes_ = 0;
  level_ = 1;
  value_begin_ = sent_ = 0;
  field_ = Field::none;
  reading_ = ending_ = repaired_ = false;
  started_ = has_name_ = has_arguments_ = arguments_are_object_ = arguments_complete_ = false;
  name_.clear();
  id_.clear();
  late_arguments_.clear();
}

CallStatus JsonCalls::in_object(char c) {
  ++bytes_;
  if (ending_) return lacks_brackets(c);
  const int depth_before = scanner_.depth();
  const JsonScanner::Step step = scanner_.push(c);
  object_ += scanner_.written();
  if (step == JsonScanner::Step::error) return lacks_brackets(c);

  if (scanner_.began_value() && depth_before == level_) value_began(c);
  if (scanner_.ended_key() && scanner_.depth() == level_ && !key_ended()) return fail("a key that no call has");
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

// The byte cannot go on with the object. If the end marker follows, with nothing but brackets before it, then brackets
// are missing or of the wrong kind, and where they belong is certain.
CallStatus JsonCalls::lacks_brackets(char c) {
  const auto invalid = [&] { return fail("not valid JSON at byte " + std::to_string(bytes_) + " of the call"); };
  if (!ending_ && scanner_.missing(false).empty()) return invalid();
  ending_ = true;
  const bool marker = !style_.end.empty() && (!tail_.empty() || style_.end[0] == c);
  if (!marker) return is_space(c) || c == '}' || c == ']' ? CallStatus::more : invalid();
  tail_ += c;
  if (!style_.end.starts_with(tail_)) return invalid();
  if (tail_ != style_.end) return CallStatus::more;
  return add_brackets(false) == CallStatus::failed ? CallStatus::failed : CallStatus::done;
}

CallStatus JsonCalls::add_brackets(bool ended) {
  ending_ = false;
  repaired_ = true;
  for (char bracket : scanner_.missing(ended))
    if (const CallStatus status = in_object(bracket); status != CallStatus::more) return status;
  return CallStatus::more;
}

// False if nothing but a call may have such a key, and it is none of a call's.
bool JsonCalls::key_ended() {
  if (style_.by_name) return name_by_key();
  // Back to the quote before this one. If a backslash hides it the key has escapes, and no key of interest has any.
  field_ = Field::none;
  const size_t open = object_.rfind('"', object_.size() - 2);
  if (object_[open - 1] == '\\') return !style_.weak;
  const std::string_view key = std::string_view(object_).substr(open + 1, object_.size() - open - 2);
  if (key == "name" || key == "tool_name") field_ = Field::name;
  if (key == "arguments" || key == "parameters") field_ = Field::arguments;
  if (key == "id" || key == "tool_call_id") field_ = Field::id;
  if (key == "function") field_ = Field::wrapper;
  return !style_.weak || field_ != Field::none || key == "type";
}

// The key with its quotes is all there is of the object, but for the brace.
bool JsonCalls::name_by_key() {
  if (has_name_) return false;
  const auto key = parse_json_value(trim(std::string_view(object_).substr(1)));
  if (!key || !key->is_string() || key->get_ref<const std::string&>().empty()) return false;
  name_ = key->get<std::string>();
  has_name_ = name_.size() <= kLongestName;
  field_ = Field::arguments;
  return has_name_;
}

void JsonCalls::value_began(char first) {
  if (field_ == Field::none) return;
  if (field_ == Field::wrapper) {
    if (first == '{' && level_ == 1) {
      level_ = 2;
    } else if (first == '"' || first == '\'') {  // {"function": "name"}
      field_ = Field::name;
    }
    if (field_ == Field::wrapper) return;
  }
  reading_ = true;
  value_begin_ = object_.size() - (scanner_.in_word() ? 0 : 1);
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
  if (std::string refusal = sink_.start(name_, id_); !refusal.empty()) return fail(std::move(refusal));
  started_ = true;
  return CallStatus::more;
}

CallStatus JsonCalls::take_field() {
  reading_ = false;
  // Containers and strings end with this byte; a number or word ended before it (',' or '}' or white space).
  std::string_view text = value_text();
  const char first = text.front();
  if (first != '{' && first != '[' && first != '"') text = text.substr(0, text.find_last_not_of(" \n\r\t}]") + 1);
  const Field field = std::exchange(field_, Field::none);
  if (field == Field::arguments) return take_arguments(text);
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

CallStatus JsonCalls::take_arguments(std::string_view text) {
  if (has_arguments_) return fail("the call has arguments twice");
  has_arguments_ = true;
  if (arguments_are_object_) {
    arguments_complete_ = true;
    if (waits()) {
      late_arguments_ = text;
      return CallStatus::more;
    }
    field_ = Field::arguments;
    const bool streamed = stream_arguments();
    field_ = Field::none;
    return streamed ? CallStatus::more : CallStatus::failed;
  }
  if (text == "null") {
    late_arguments_ = "{}";
    return CallStatus::more;
  }
  const auto value = text.front() == '"' ? parse_json_value(text) : std::nullopt;
  if (!value) return fail("the arguments are not an object");
  const std::string& string = value->get_ref<const std::string&>();
  late_arguments_ = trim(string);
  if (const auto inner = parse_json_value(string); inner && inner->is_object()) return CallStatus::more;
  const auto repaired = style_.repair ? repair_json(late_arguments_) : std::nullopt;
  if (!repaired) return fail("the arguments are a string that holds no JSON object");
  late_arguments_ = *repaired;
  repaired_ = true;
  return CallStatus::more;
}

CallStatus JsonCalls::finish_object() {
  if (!has_name_) return fail("the call has no name");
  if (style_.weak && !has_arguments_) return fail("no arguments");
  if (!started_ && start_call() != CallStatus::more) return CallStatus::failed;
  if (!arguments_complete_ || !late_arguments_.empty())
    sink_.arguments(late_arguments_.empty() ? "{}" : late_arguments_);
  if (std::string refusal = sink_.end(repaired_ || scanner_.repaired()); !refusal.empty())
    return fail(std::move(refusal));
  inside_ = false;
  tail_.clear();
  after_.clear();
  ++calls_;
  return CallStatus::more;
}

CallStatus JsonCalls::finish() {
  if (inside_) {
    const bool has_all = has_arguments_ || (reading_ && field_ == Field::arguments);
    if (!has_all || scanner_.missing(!ending_).empty()) return fail("the answer ended inside the call");
    if (add_brackets(!ending_) == CallStatus::failed) return CallStatus::failed;
  }
  return calls_ > 0 ? CallStatus::done : fail("the answer ended before the call");
}

}  // namespace hearth::text
