// Where a value ends. From every < on, the bytes are read as what may end a value (read_tail) until they are that, or
// cannot be. What stands behind a closing tag decides whether it closes; without one, what may follow a value ends it.
//
// The region's end without the value's is special: the text may have been about such a mark, and the value's own end
// may still come. So reading goes on, and only when another call begins or the answer ends was it the end after all.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "text/calls/literal.h"
#include "text/calls/tagged_calls.h"

namespace hearth::text {

namespace {

constexpr size_t kLongestTagGap = 128;  // white space between tags
constexpr size_t kStep = 64;            // strings are streamed in pieces of at least so many bytes
constexpr std::string_view kCdata = "<![CDATA[", kCdataEnd = "]]>";

// What an XML reader makes of an element's text: CDATA as it is, else with entities replaced.
std::string xml_text(std::string_view text) {
  if (const std::string_view inner = trim(text); inner.starts_with(kCdata) && inner.ends_with(kCdataEnd))
    return std::string(inner.substr(kCdata.size(), inner.size() - kCdata.size() - kCdataEnd.size()));
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const auto entity = std::find_if(std::begin(kEntities), std::end(kEntities),
                                     [&](const auto& one) { return text.substr(at).starts_with(one.first); });
    const bool found = entity != std::end(kEntities);
    result += found ? entity->second : text[at];
    at += found ? entity->first.size() : 1;
  }
  return result;
}

}  // namespace

// Reads along the end of a value. Each function says whether its part stands here and, if so, moves behind it; a part
// that the text's end cuts makes the tail undecided.
class TaggedCalls::TailReader {
 public:
  TailReader(const TaggedCalls& calls, std::string_view text) : calls_(calls), style_(calls.style_), text_(text) {}

  Tail read(bool after_line) {
    at_ = 0;
    if (tag(style_.value_end)) {
      tail_.closed = true;
      if (follows(true, after_line)) return found();
    }
    tail_.closed = false;
    if (!style_.repair) return undecided();
    begin();
    if (follows(false, after_line)) return found();
    begin();
    const std::string_view closer = text_.starts_with(style_.value_end) ? "" : any_closing_tag();
    if (!closer.empty() && follows(false, after_line) && !calls_.opened_in_value(closer)) return found();
    return undecided();
  }

 private:
  // Another way to read it, from its beginning.
  void begin() {
    at_ = 0;
    tail_.repaired = tail_.repaired && tail_.whole;
  }
  Tail found() {
    tail_.length = at_;
    return tail_;
  }
  Tail undecided() {
    tail_.next = undecided_ ? Tail::Next::undecided : Tail::Next::none;
    tail_.closed = closed_whole_;
    return tail_;
  }

  bool exactly(std::string_view part) {
    const std::string_view rest = text_.substr(at_);
    if (part.empty() || rest.empty()) return false;
    if (!rest.starts_with(part)) {
      undecided_ = undecided_ || part.starts_with(rest);
      return false;
    }
    at_ += part.size();
    return true;
  }

  // A tag whose > may be missing at the end of a line or before another tag.
  bool tag(std::string_view part) {
    if (exactly(part)) return true;
    if (!style_.repair || !part.ends_with('>')) return false;
    const std::string_view cut = part.substr(0, part.size() - 1), rest = text_.substr(at_);
    if (!rest.starts_with(cut) || rest.size() == cut.size()) return false;
    if (rest[cut.size()] != '\n' && rest[cut.size()] != '<') return false;
    at_ += cut.size();
    return tail_.repaired = true;
  }

  // </word> of whatever word, in which case it is returned; the > may be missing.
  std::string_view any_closing_tag() {
    const size_t end = text_.find_first_of("> \n\t\r<", 2);
    const bool cut = text_ == "<" || (text_.starts_with("</") && end == std::string_view::npos);
    undecided_ = undecided_ || (cut && text_.size() < kLongestName);
    if (cut || !text_.starts_with("</") || end == 2 || end > kLongestName) return {};
    at_ = end + (text_[end] == '>' ? 1 : 0);
    return text_.substr(2, end - 2);
  }

  bool gap() {
    const size_t end = std::min(text_.find_first_not_of(" \n\t\r", at_), text_.size());
    if (end - at_ > kLongestTagGap) return false;
    line_ = line_ || text_.substr(at_, end - at_).find('\n') != std::string_view::npos;
    at_ = end;
    return true;
  }
  bool ended() const { return at_ == text_.size(); }
  void whole(bool closed) {
    undecided_ = tail_.whole = true;
    closed_whole_ = closed;
  }

  bool follows(bool closed, bool after_line) {
    line_ = after_line;
    if (at_ > 0 && !gap()) return false;
    if (at_ > 0 && ended()) {
      undecided_ = true;
      if (!closed) return false;
      whole(true);
      tail_.repaired = tail_.repaired || !style_.call_close.empty();
      return false;
    }
    const size_t begin = at_;
    if (opening(closed)) return true;
    at_ = begin;
    if (tag(style_.call_close)) return ends_call(closed);
    at_ = begin;
    if (tag(style_.region_end)) return without_call_close(Tail::Next::region);
    at_ = begin;
    if (!closed || !style_.repair) return false;
    if (exactly(style_.call_open)) return without_call_close(Tail::Next::call);
    at_ = begin;
    return exactly(style_.region_start) && (at_ = begin, without_call_close(Tail::Next::end));
  }

  bool without_call_close(Tail::Next what) {
    tail_.repaired = tail_.repaired || !style_.call_close.empty();
    return next(what);
  }

  bool next(Tail::Next next) {
    tail_.next = next;
    return true;
  }

  bool opening(bool closed) {
    if (!exactly(style_.key_open)) return false;
    if (closed) return next(Tail::Next::key);
    const size_t begin = at_, end = text_.find(style_.key_end, begin), line = text_.find('\n', begin);
    if (std::min(end, line) == std::string_view::npos) {
      undecided_ = undecided_ || text_.size() - begin <= kLongestName;
      return false;
    }
    if (line < end && style_.key_end.size() > 1) return false;
    tail_.key = text_.substr(begin, std::min(end, line) - begin);
    at_ = line < end ? line : end + style_.key_end.size();
    return calls_.may_open(tail_.key, line_) && next(Tail::Next::key);
  }

  // Behind the end of a call must stand another call or the end of the region, else it was text.
  bool ends_call(bool closed) {
    if (style_.region_end.empty()) return next(Tail::Next::region);
    if (!gap()) return false;
    if (ended()) {
      whole(closed);
      tail_.repaired = tail_.repaired || !closed;
      return false;
    }
    if (tag(style_.region_end)) return next(Tail::Next::region);
    if (exactly(style_.call_open)) return next(Tail::Next::call);
    const size_t begin = at_;
    return style_.repair && exactly(style_.region_start) && (at_ = begin, next(Tail::Next::end));
  }

  const TaggedCalls& calls_;
  const Style& style_;
  std::string_view text_;
  size_t at_ = 0;
  bool undecided_ = false, closed_whole_ = false, line_ = false;
  Tail tail_;
};

TaggedCalls::Tail TaggedCalls::read_tail(std::string_view text) const {
  const std::string_view before = std::string_view(text_).substr(0, tail_);
  const size_t last = before.find_last_not_of(" \t\r");
  const bool after_line = last == std::string_view::npos ? !began_ || sent_.ends_with('\n') : before[last] == '\n';
  return TailReader(*this, text).read(after_line);
}

// Without a closing tag before it, an opening tag must look like one that belongs here: of a parameter that the tool
// has and that is not given yet or, since models invent parameters, on a line of its own.
bool TaggedCalls::may_open(std::string_view key, bool at_line_start) const {
  std::string_view bare = trim(key);
  if (style_.string_attribute) {
    const size_t attribute = bare.find(" string=\"");
    if (attribute == npos) return false;
    bare = bare.substr(0, attribute);
  }
  if (bare.size() >= 2 && (bare.front() == '"' || bare.front() == '\'')) bare = bare.substr(1, bare.size() - 2);
  if (bare.empty() || bare.find_first_of(" \n\t<>\"") != npos || given_.contains(bare)) return false;
  return at_line_start || parameter_schema(tools_, name_, bare) != nullptr || !has_parameters(tools_, name_);
}

bool TaggedCalls::opened_in_value(std::string_view tag) const {
  const std::string opening = "<" + std::string(tag);
  return sent_.find(opening) != npos || text_.substr(0, tail_).find(opening) != npos;
}

// A value in CDATA ends nowhere before the section's end.
bool TaggedCalls::in_cdata() {
  if (!style_.xml_text || cdata_ended_) return false;
  const size_t begin = std::min(text_.find_first_not_of(" \n\t\r"), text_.size());
  if (!std::string_view(text_).substr(begin).starts_with(kCdata)) return false;
  cdata_ended_ = text_.size() >= begin + kCdata.size() + kCdataEnd.size() && text_.ends_with(kCdataEnd);
  return true;
}

CallStatus TaggedCalls::value(char c) {
  if (in_cdata()) return CallStatus::more;
  if (tail_ == npos && c != '<') {
    if (!is_space(c)) stream_value(text_.size() - 1);
    return CallStatus::more;
  }
  if (tail_ == npos) tail_ = text_.size() - 1;
  while (tail_ != npos) {
    const std::string_view rest = std::string_view(text_).substr(tail_);
    if (early_end_ != npos) {
      const auto begins = [&](const std::string& tag) { return !tag.empty() && rest == tag; };
      if (begins(style_.region_start) || begins(style_.call_open) || begins(style_.key_open)) return end_early();
      const bool may_begin = style_.region_start.starts_with(rest) || style_.call_open.starts_with(rest) ||
                             style_.key_open.starts_with(rest);
      if (may_begin) return CallStatus::more;
    }
    const Tail tail = read_tail(rest);
    if (tail.next == Tail::Next::undecided) return CallStatus::more;
    const bool early = tail.next == Tail::Next::region && !tail.closed && !style_.region_end.empty();
    if (tail.next != Tail::Next::none && !early && (tail.closed || early_end_ == npos)) return take_tail(tail);
    if (early && early_end_ == npos) {
      early_end_ = tail_;
      early_region_end_ = tail_ + tail.length;
    }
    stray_close_ = stray_close_ || (early_end_ == npos && rest.starts_with(style_.value_end));
    tail_ = early ? text_.find('<', tail_ + tail.length) : text_.find('<', tail_ + 1);
  }
  return CallStatus::more;
}

CallStatus TaggedCalls::take_tail(const Tail& tail) {
  const std::string key(tail.key), rest = text_.substr(tail_ + tail.length);
  const bool next_key = tail.next == Tail::Next::key;
  early_end_ = npos;
  repaired_ = repaired_ || tail.repaired;
  if (const CallStatus status = end_value(tail_, tail.closed); status != CallStatus::more) return status;
  if (next_key) {
    state_ = State::key;
    const CallStatus status = key.empty() ? CallStatus::more : key_ended(key);
    return status == CallStatus::more ? again(rest) : status;
  }
  const bool same_region = tail.next == Tail::Next::call;
  if (const CallStatus status = end_call(); status == CallStatus::failed) return status;
  if (tail.next == Tail::Next::end) return leave_before(rest);
  if (!same_region) return rest.empty() ? CallStatus::done : leave_before(rest);
  state_ = State::name;
  return again(rest);
}

// The region's end that came without the value's was the end.
CallStatus TaggedCalls::end_early() {
  const std::string rest = text_.substr(early_region_end_);
  if (const CallStatus status = end_value(early_end_, false); status != CallStatus::more) return status;
  return end_call() == CallStatus::failed ? CallStatus::failed : leave_before(rest);
}

// Of a string that is being streamed, the beginning has been looked at.
std::string_view TaggedCalls::trimmed(std::string_view text, bool closed) const {
  if (style_.trim == Style::Trim::all) {
    const std::string_view both = trim(text);
    return began_ && !both.empty() ? text.substr(0, static_cast<size_t>(both.end() - text.begin())) : both;
  }
  const bool newline = style_.trim == Style::Trim::newline;
  if (newline && !began_ && text.starts_with('\n')) text.remove_prefix(1);
  if ((newline || !closed) && text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

// The value is the first `size` bytes of text_, after what has been sent.
CallStatus TaggedCalls::end_value(size_t size, bool closed) {
  if (!closed && stray_close_) return fail("the parameter '" + key_ + "' has no certain end");
  repaired_ = repaired_ || !closed;
  std::string_view text = trimmed(std::string_view(text_).substr(0, size), closed);
  const std::string plain = style_.xml_text ? xml_text(text) : "";
  if (style_.xml_text) text = plain;
  if (kind_ == Kind::string) {
    writer_.append_string(text);
    writer_.end_string();
  } else if (kind_ == Kind::json) {
    auto value = parse_json_value(text);
    if (!value && style_.repair) {
      value = parse_literal(text);
      repaired_ = true;
    }
    if (!value) return fail("the parameter '" + key_ + "' is not valid JSON");
    writer_.add(key_, *value);
  } else {
    writer_.add(key_, coerce_argument(text, schema_, style_.untyped));
  }
  text_.clear();
  tail_ = npos;
  state_ = State::expect;
  return CallStatus::more;
}

// Sends what is certain of a string's first `size` bytes. Runs of white space may have to be trimmed, so they wait for
// what follows.
void TaggedCalls::stream_value(size_t size) {
  if (kind_ != Kind::string || style_.xml_text || early_end_ != npos || size < kStep) return;
  if (!began_) {
    const size_t blank = style_.trim == Style::Trim::all       ? text_.find_first_not_of(" \n\t\r")
                         : style_.trim == Style::Trim::newline ? size_t{text_[0] == '\n'}
                                                               : 0;
    if (blank >= size) return;
    sent_ += text_.substr(0, blank);
    text_.erase(0, blank);
    size -= blank;
    began_ = true;
  }
  while (size > 0 && is_space(text_[size - 1])) --size;
  // Never half a character: the pieces are JSON text of their own.
  while (size > 0 && (static_cast<unsigned char>(text_[size]) & 0xc0) == 0x80) --size;
  writer_.append_string(std::string_view(text_).substr(0, size));
  sent_ += text_.substr(0, size);
  text_.erase(0, size);
}

}  // namespace hearth::text
