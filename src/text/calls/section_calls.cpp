// Each state collects its bytes in text_ and looks whether they now end with the marker that closes the state.
#include "text/calls/section_calls.h"

#include <algorithm>

namespace hearth::text {

namespace {

constexpr size_t kLongestHeader = 2048;

// What may stand between the JSON and the end of its call: white space and the closing fence.
// `brackets`: some may be too many, where others were missing.
std::string_view without_fence(std::string_view text, bool brackets) {
  const std::string_view layout = brackets ? " \n\t\r`}]" : " \n\t\r`";
  return text.substr(std::min(text.size(), text.find_first_not_of(layout)));
}

}  // namespace

void SectionCalls::enter_between() {
  text_.clear();
  header_.clear();
  state_ = style_.call_begin.empty() && calls_ == 0 ? State::header : State::between;
}

CallStatus SectionCalls::push(char c) {
  if (state_ == State::json) return json(c);
  text_ += c;
  if (text_.size() > kLongestHeader) return fail("no arguments within " + std::to_string(kLongestHeader) + " bytes");
  switch (state_) {
    case State::between: return between();
    case State::header: return header();
    case State::before_json: return before_json(c);
    default: return after_json();
  }
}

CallStatus SectionCalls::between() {
  if (is_space(text_[0])) text_.clear();
  if (text_ == style_.section_end) return calls_ > 0 ? CallStatus::done : fail("no call before the end marker");
  if (text_ == style_.call_begin) {
    text_.clear();
    state_ = State::header;
  } else if (!style_.call_begin.starts_with(text_) && !style_.section_end.starts_with(text_)) {
    return calls_ > 0 ? leave_before(text_) : fail("neither a call nor the end marker");
  }
  return CallStatus::more;
}

CallStatus SectionCalls::header() {
  if (!style_.call_end.empty() && text_.ends_with(style_.call_end)) return fail("the call has no arguments");
  if (style_.header == Style::Header::mistral && text_.ends_with('{')) {  // the separator is left out
    header_ = trim(std::string_view(text_).substr(0, text_.size() - 1));
    text_ = "{";
    return before_json('{');
  }
  if (!text_.ends_with(style_.separator)) return CallStatus::more;
  header_ = trim(std::string_view(text_).substr(0, text_.size() - style_.separator.size()));
  text_.clear();
  state_ = State::before_json;
  return CallStatus::more;
}

CallStatus SectionCalls::before_json(char c) {
  if (!style_.call_end.empty() && text_.ends_with(style_.call_end)) {
    text_.resize(text_.size() - style_.call_end.size());
    if (const CallStatus status = start(header_, text_); status != CallStatus::more) return status;
    sink_.arguments("{}");
    scanner_ = JsonScanner();
    repaired_ = false;
    return end_call();
  }
  if (c != '{') return CallStatus::more;
  text_.pop_back();
  if (const CallStatus status = start(header_, text_); status != CallStatus::more) return status;
  text_.clear();
  scanner_ = JsonScanner(style_.repair);
  repaired_ = false;
  state_ = State::json;
  return json(c);
}

CallStatus SectionCalls::json(char c) {
  const JsonScanner::Step step = scanner_.push(c);
  sink_.arguments(scanner_.written());
  if (step == JsonScanner::Step::more) return CallStatus::more;
  text_.clear();
  state_ = State::after_json;
  if (step == JsonScanner::Step::done) return style_.call_end.empty() ? end_call() : CallStatus::more;
  // Only brackets can be missing, where nothing but the end of the call follows.
  if (scanner_.missing(false).empty() || style_.call_end.empty()) return fail("the arguments are not valid JSON");
  add_brackets(false);
  text_ = c;
  return after_json();
}

void SectionCalls::add_brackets(bool ended) {
  repaired_ = true;
  for (char bracket : scanner_.missing(ended)) {
    scanner_.push(bracket);
    sink_.arguments(scanner_.written());
  }
}

CallStatus SectionCalls::after_json() {
  const std::string_view rest = without_fence(text_, repaired_);
  if (rest == style_.call_end) return end_call();
  if (!style_.call_end.starts_with(rest)) return fail("text after the call's arguments");
  return CallStatus::more;
}

CallStatus SectionCalls::end_call() {
  if (std::string refusal = sink_.end(repaired_ || scanner_.repaired()); !refusal.empty())
    return fail(std::move(refusal));
  ++calls_;
  if (style_.call_begin.empty()) return CallStatus::done;
  enter_between();
  return CallStatus::more;
}

CallStatus SectionCalls::start(std::string_view header, std::string_view before) {
  std::string_view name = header, id;
  before = trim(before);
  if (style_.header == Style::Header::kimi) {
    id = header;
    if (name.starts_with("functions.")) name.remove_prefix(10);
    const size_t colon = name.rfind(':');
    const std::string_view index = colon == std::string_view::npos ? "" : name.substr(colon + 1);
    if (index.empty() || index.find_first_not_of("0123456789") != std::string_view::npos)
      return fail("the call's header is not functions.NAME:INDEX");
    name = name.substr(0, colon);
  }
  if (style_.header == Style::Header::deepseek && header == "function" && !before.empty()) {
    name = trim(before.substr(0, before.find('\n')));
    before = trim(before.substr(std::min(before.size(), before.find('\n'))));
  }
  if (style_.header == Style::Header::mistral) {
    constexpr std::string_view kIdMark = "[CALL_ID]";
    if (const size_t at = name.find(kIdMark); at != std::string_view::npos) {
      id = trim(name.substr(at + kIdMark.size()));
      name = trim(name.substr(0, at));
    }
  }
  if (before != "" && before != "```json" && before != "```") return fail("text before the call's arguments");
  if (name.empty() || name.size() > kLongestName) return fail("the call has no name");
  if (name.find_first_of(" \n\t<>{}\"") != std::string_view::npos) return fail("the call's name is not a name");
  std::string refusal = sink_.start(name, id);
  return refusal.empty() ? CallStatus::more : fail(std::move(refusal));
}

CallStatus SectionCalls::finish() {
  if (state_ == State::json && !scanner_.missing(true).empty()) {
    add_brackets(true);
    state_ = State::after_json;
  }
  if (state_ == State::after_json)  // only end markers are missing
    return end_call() == CallStatus::failed ? CallStatus::failed : CallStatus::done;
  if (state_ == State::between && calls_ > 0) return CallStatus::done;
  return fail("the answer ended inside the call");
}

}  // namespace hearth::text
