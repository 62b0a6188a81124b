// Text goes to content or reasoning until it ends with a marker of the present state; inside a call region a grammar
// takes over, and the region's bytes are kept so that a call it rejects can be given back as text.
//
// Three kinds of attempts at a call differ in what happens when they fail. Behind a mark of its own the region is a
// malformed call up to its end mark. Behind a weak mark (a brace) it is text, in which markers count. Inside reasoning
// nothing is given out before the region is whole; if it never is, or the reasoning ends first, it was reasoning.
// Bytes that are to be read once more wait in again_; as each kind of attempt is not repeated on them, time stays
// linear.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "text/calls/output_machine.h"

namespace hearth::text {

namespace {

constexpr size_t kLongestGap = 256;                  // white space beyond this is text
constexpr size_t kLongestAttempt = size_t{1} << 16;  // bytes behind a weak mark before it is clear whose call it is

class MarkerMachine : public OutputMachine {
 public:
  MarkerMachine(OutputFormat format, const OutputParserOptions& options)
      : OutputMachine(options, format.short_ids), format_(std::move(format)) {
    if (no_tools()) format_.regions.clear();
    if (options.starts_in_reasoning && !format_.reasoning.empty()) reasoning_ = 0;
    list_markers();
  }

  void push(char c) override {
    step(c);
    read_again();
  }

  void flush() override {
    if (state_ != State::text) return;
    const std::string_view certain = std::string_view(text_).substr(0, text_.size() - held_text());
    // White space after a call, or where a bare call may begin, is text only if text follows.
    if ((gap_ || (fresh_ && has_weak_)) && trim(certain).empty()) return;
    give(certain.size());
  }

  void finish() override {
    while (state_ != State::text) {
      if (state_ == State::recovery) {
        end_recovery(raw_.size());
      } else {
        end_of_answer();
      }
      read_again();
    }
    if (!gap_ || !trim(text_).empty()) give(text_.size());
  }

  bool in_reasoning() const override { return reasoning_ >= 0; }

 private:
  enum class State { text, call, recovery };
  struct Marker {
    enum class Kind { reasoning_start, reasoning_end, region, region_end, ignored } kind;
    std::string text;
    size_t index;
  };
  struct Again {
    std::string text;
    size_t no_weak;  // so many of its bytes have been tried behind a weak mark, and begin no other attempt
    size_t at = 0;
  };

  void list_markers() {
    markers_.clear();
    has_weak_ = false;
    if (reasoning_ >= 0) {
      const auto i = static_cast<size_t>(reasoning_);
      markers_.push_back({Marker::Kind::reasoning_end, format_.reasoning[i].end, i});
    } else {
      for (size_t i = 0; i < format_.reasoning.size(); ++i)
        markers_.push_back({Marker::Kind::reasoning_start, format_.reasoning[i].start, i});
    }
    for (size_t i = 0; i < format_.regions.size(); ++i) {
      const OutputFormat::Region& region = format_.regions[i];
      if (reasoning_ >= 0 && (region.weak || !format_.calls_in_reasoning)) continue;
      has_weak_ = has_weak_ || region.weak;
      markers_.push_back({Marker::Kind::region, region.start, i});
      // One end mark too many, right behind a call, is layout.
      if (!region.weak && !region.end.empty()) markers_.push_back({Marker::Kind::region_end, region.end, i});
    }
    for (const std::string& ignored : format_.ignored) markers_.push_back({Marker::Kind::ignored, ignored, 0});
  }

  void step(char c) {
    switch (state_) {
      case State::text: return push_text(c);
      case State::call: return push_call(c);
      case State::recovery: return push_recovery(c);
    }
  }

  void read_again() {
    while (!again_.empty()) {
      Again& next = again_.back();
      const char c = next.text[next.at++];
      no_weak_ = next.at <= next.no_weak;
      if (next.at == next.text.size()) again_.pop_back();
      step(c);
    }
    no_weak_ = false;
  }

  void push_text(char c) {
    follow_data(c);
    text_ += c;
    for (const Marker& marker : markers_)
      if (c == marker.text.back() && text_.ends_with(marker.text) && counts(marker)) return meet(marker);
    if (text_.size() > kLongestGap) gap_ = fresh_ = false;
    if (c == '\n') line_is_blank_ = true;
    if (c != '`' && !is_space(c)) line_is_blank_ = false;
  }

  // JSON that is not a call is data: nothing in it is a call, whatever it looks like.
  void follow_data(char c) {
    if (data_) {
      const JsonScanner::Step step = data_->push(c);
      in_data_ = step != JsonScanner::Step::error;
      if (step != JsonScanner::Step::more) data_.reset();
    } else {
      in_data_ = false;
      if (!no_weak_ || (c != '{' && c != '[')) return;
      data_.emplace();
      data_->push(c);
      in_data_ = true;
    }
  }

  bool counts(const Marker& marker) {
    if (marker.kind == Marker::Kind::region_end) return gap_ && trim(before(marker)).empty();
    if (marker.kind != Marker::Kind::region) return true;
    const OutputFormat::Region& region = format_.regions[marker.index];
    if (!region.weak) return true;
    if (is_fence(region)) return counts_fence();
    if (no_weak_ || in_data_ || fenced_) return false;
    // While nobody knows the tools, calls without a mark of their own are read only where nothing else stands before.
    return tools_known() || (fresh_ && trim(before(marker)).empty());
  }

  static bool is_fence(const OutputFormat::Region& region) { return region.start == "```"; }

  // Fences open and close in turns.
  bool counts_fence() {
    if (!line_is_blank_) return false;
    const bool may_call = !fenced_ && !no_weak_ && !in_data_ && (tools_known() || fresh_);
    fenced_ = !fenced_ && !may_call;
    return may_call;
  }

  std::string_view before(const Marker& marker) const {
    return std::string_view(text_).substr(0, text_.size() - marker.text.size());
  }

  void meet(const Marker& marker) {
    const Marker met = marker;
    const std::string_view text = before(met);
    const bool layout = trim(text).empty() && (gap_ || is_blank_start(met));
    lost_ = layout ? text : "";
    if (!layout) give(text.size());
    text_.clear();
    switch (met.kind) {
      case Marker::Kind::reasoning_start:
        reasoning_ = static_cast<int>(met.index);
        fresh_ = false;
        break;
      case Marker::Kind::reasoning_end:
        reasoning_ = -1;
        fresh_ = true;
        break;
      case Marker::Kind::region: begin_region(met.index); break;
      case Marker::Kind::region_end:
      case Marker::Kind::ignored: break;
    }
    list_markers();
  }

  // White space before a call that has no mark of its own and begins the answer is layout.
  bool is_blank_start(const Marker& met) const {
    return met.kind == Marker::Kind::region && format_.regions[met.index].weak && fresh_;
  }

  void begin_region(size_t i) {
    region_ = &format_.regions[i];
    context_.emplace(CallContext{*region_, tools(), reasoning_ < 0, *this});
    grammar_ = make_call_grammar(*context_);
    ended_before_ = calls_ended();
    delivered_ = false;
    state_ = State::call;
    raw_ = region_->start;
    lead_.clear();
    leads_ = !region_->weak;
    if (reasoning_ >= 0) hold();
    if (!region_->weak) return;
    raw_.clear();
    for (char c : region_->start) push_call(c);
  }

  void push_call(char c) {
    raw_ += c;
    if (reasoning_ >= 0 && raw_.ends_with(format_.reasoning[static_cast<size_t>(reasoning_)].end))
      return give_back_reasoning(true);
    if (leads_ && !lead_is_over(c)) return;
    advance(c);
  }

  // Models write a start mark twice, which is one: bytes that may be the second wait in lead_. White space before it or
  // the first call is layout in every syntax.
  bool lead_is_over(char c) {
    if (lead_.empty() && is_space(c)) return false;
    lead_ += c;
    if (lead_ == region_->start) {
      lead_.clear();
      return false;
    }
    if (region_->start.starts_with(lead_)) return false;
    leads_ = false;
    lead_.pop_back();
    const std::string lead = std::exchange(lead_, "");
    for (size_t i = 0; i < lead.size() && state_ == State::call; ++i) advance(lead[i]);
    return state_ == State::call;
  }

  void advance(char c) {
    const CallStatus status = grammar_->push(c);
    if (calls_ended() != ended_before_) {  // what the grammar has delivered need not be given back
      ended_before_ = calls_ended();
      if (reasoning_ < 0) raw_.clear();
      lost_.clear();
      delivered_ = true;
    }
    switch (status) {
      case CallStatus::more:
        if (region_->weak && !call_open() && !delivered_ && raw_.size() > kLongestAttempt) take_as_text(raw_.size());
        return;
      case CallStatus::done: return leave_region("");
      case CallStatus::done_before: return leave_region(grammar_->rest());
      case CallStatus::failed: return give_back(grammar_->reason());
    }
  }

  void end_of_answer() {
    for (char c : std::exchange(lead_, ""))
      if (state_ == State::call) advance(c);
    if (state_ != State::call) return;
    if (grammar_->finish() == CallStatus::done) return leave_region(grammar_->rest());
    if (reasoning_ < 0 && region_->weak && !call_open()) return take_as_text(raw_.size());
    give_back(grammar_->reason());
  }

  void leave_region(std::string_view rest) {
    if (reasoning_ >= 0) release();
    if (!rest.empty()) again_.push_back({.text = std::string(rest), .no_weak = 0});
    state_ = State::text;
    gap_ = fresh_ = line_is_blank_ = true;
    raw_.clear();
    text_.clear();
    list_markers();
  }

  // The grammar gave up. Behind a mark of its own the call reaches to the end mark, or without one to here.
  void give_back(const std::string& reason) {
    if (reasoning_ >= 0) return give_back_reasoning(false);
    if (region_->weak && !call_open()) return take_as_text(raw_.size() - 1);
    reason_ = reason;
    if (region_->weak || region_->end.empty()) return end_recovery(raw_.size());
    if (const size_t end = raw_.find(region_->end); end != std::string::npos)
      return end_recovery(end + region_->end.size());
    state_ = State::recovery;
  }

  // Looked like a call and is text. `tried`: how many of its bytes begin no other attempt.
  void take_as_text(size_t tried) {
    again_.push_back({.text = lost_ + raw_, .no_weak = lost_.size() + tried});
    raw_.clear();
    lost_.clear();
    state_ = State::text;
    gap_ = gap_ || delivered_;
    fresh_ = false;
    list_markers();
  }

  // Not a call but thoughts about one. Of markers only one that its end begins can still come.
  void give_back_reasoning(bool ended) {
    take_back();
    state_ = State::text;
    text_ = lost_ + std::exchange(raw_, "");
    lost_.clear();
    list_markers();
    if (ended) return meet(markers_.front());
    give(text_.size() - held_text());
  }

  void push_recovery(char c) {
    raw_ += c;
    if (raw_.ends_with(region_->end)) return end_recovery(raw_.size());
    if (!raw_.ends_with(region_->start) || raw_.size() == region_->start.size()) return;
    end_recovery(raw_.size() - region_->start.size());
  }

  // The first `length` bytes are a malformed call; what follows is read again.
  void end_recovery(size_t length) {
    if (!delivered_) emit(OutputEvent::Kind::content, lost_);
    lost_.clear();
    emit_failed(std::string_view(raw_).substr(0, length), reason_);
    const std::string rest = raw_.substr(length);
    leave_region(rest);
    gap_ = false;
  }

  // How much of text_ may begin a marker.
  size_t held_text() const {
    size_t held = 0;
    for (const Marker& marker : markers_) held = std::max(held, held_back(text_, marker.text));
    return held;
  }

  // Emits the first n bytes of text_.
  void give(size_t n) {
    if (n == 0) return;
    gap_ = false;
    if (!trim(std::string_view(text_).substr(0, n)).empty()) fresh_ = false;
    emit(reasoning_ >= 0 ? OutputEvent::Kind::reasoning : OutputEvent::Kind::content,
         std::string_view(text_).substr(0, n));
    text_.erase(0, n);
  }

  OutputFormat format_;
  std::vector<Marker> markers_;
  bool has_weak_ = false;  // one of them is a weak mark
  State state_ = State::text;
  int reasoning_ = -1;        // which reasoning marks are open
  std::string text_;          // not yet given out: may begin a marker
  bool fresh_ = true;         // no text since the beginning, a thinking block or a call
  bool gap_ = false;          // only white space since a call
  std::string lost_;          // white space that is layout if a call follows
  std::vector<Again> again_;  // the last one is read first
  bool no_weak_ = false;
  std::optional<JsonScanner> data_;  // of JSON that is no call
  bool in_data_ = false;             // the byte just taken belongs to it
  bool fenced_ = false;              // inside a fence that holds no call
  bool line_is_blank_ = true;        // but for backticks

  const OutputFormat::Region* region_ = nullptr;
  std::optional<CallContext> context_;
  std::unique_ptr<CallGrammar> grammar_;
  std::string lead_;    // bytes that may be the start mark once more
  bool leads_ = false;  // they may still come
  std::string raw_;     // the region's bytes since the last whole call
  std::string reason_;
  int ended_before_ = 0;
  bool delivered_ = false;  // the region has given a call
};

}  // namespace

std::unique_ptr<OutputMachine> make_marker_machine(OutputFormat format, const OutputParserOptions& options) {
  return std::make_unique<MarkerMachine>(std::move(format), options);
}

}  // namespace hearth::text
