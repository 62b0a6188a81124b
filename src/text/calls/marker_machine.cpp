// Text goes to content or reasoning until it ends with a marker of the present state; inside a call region a grammar
// takes over, and the region's bytes are kept so that a call it rejects can be given back as text.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "text/calls/output_machine.h"

namespace hearth::text {

namespace {

constexpr size_t kLongestGap = 256;  // white space beyond this is text

class MarkerMachine : public OutputMachine {
 public:
  MarkerMachine(OutputFormat format, const OutputParserOptions& options)
      : OutputMachine(options, format.short_ids), format_(std::move(format)) {
    if (options.starts_in_reasoning && !format_.reasoning.empty()) enter_reasoning(0);
    list_markers();
  }

  void push(char c) override {
    switch (state_) {
      case State::text: push_text(c); break;
      case State::call: push_call(c); break;
      case State::recovery: push_recovery(c); break;
    }
  }

  void flush() override {
    if (state_ != State::text) return;
    size_t held = 0;
    for (const Marker& marker : markers_) held = std::max(held, held_back(text_, marker.text));
    const std::string_view certain = std::string_view(text_).substr(0, text_.size() - held);
    // White space after a call, or where a bare call may begin, is text only if text follows.
    if ((gap_ || (fresh_ && format_.bare != OutputFormat::Bare::none)) && trim(certain).empty()) return;
    give(certain.size());
  }

  void finish() override {
    if (state_ == State::call) {
      if (grammar_->finish() == CallStatus::failed) {
        give_back(grammar_->reason());
      } else {
        leave_region();
      }
    }
    if (state_ == State::recovery) emit_failed(raw_, reason_);
    if (state_ == State::text && (!gap_ || !trim(text_).empty())) give(text_.size());
  }

  bool in_reasoning() const override { return state_ == State::text && reasoning_ >= 0; }

 private:
  enum class State { text, call, recovery };
  struct Marker {
    enum class Kind { reasoning_start, reasoning_end, region, ignored } kind;
    std::string text;
    size_t index;
  };

  void list_markers() {
    markers_.clear();
    if (reasoning_ >= 0) {
      const auto i = static_cast<size_t>(reasoning_);
      markers_.push_back({Marker::Kind::reasoning_end, format_.reasoning[i].end, i});
    } else {
      for (size_t i = 0; i < format_.reasoning.size(); ++i)
        markers_.push_back({Marker::Kind::reasoning_start, format_.reasoning[i].start, i});
    }
    for (size_t i = 0; i < format_.regions.size(); ++i)
      markers_.push_back({Marker::Kind::region, format_.regions[i].start, i});
    for (const std::string& ignored : format_.ignored) markers_.push_back({Marker::Kind::ignored, ignored, 0});
  }

  void enter_reasoning(size_t i) { reasoning_ = static_cast<int>(i); }

  void push_text(char c) {
    if (fresh_ && format_.bare != OutputFormat::Bare::none && reasoning_ < 0 && begins_bare(c)) return begin_bare(c);
    if (fresh_ && !is_space(c) && text_.empty() && !may_begin_marker(c)) fresh_ = false;
    text_ += c;
    for (const Marker& marker : markers_) {
      if (c != marker.text.back() || !text_.ends_with(marker.text)) continue;
      return meet(marker);
    }
    if (text_.size() > kLongestGap) gap_ = fresh_ = false;
  }

  // Bare calls stand at the beginning of the answer, or right behind another.
  bool begins_bare(char c) const {
    if (!trim(text_).empty()) return false;
    return c == '[' || (c == '{' && format_.bare == OutputFormat::Bare::json);
  }
  bool may_begin_marker(char c) const {
    return std::any_of(markers_.begin(), markers_.end(), [&](const Marker& m) { return m.text[0] == c; });
  }

  void begin_bare(char c) {
    raw_ = std::exchange(text_, "");
    region_ = nullptr;
    grammar_ = make_bare_grammar(format_.bare, tools(), *this);
    ended_before_ = calls_ended();
    state_ = State::call;
    push_call(c);
  }

  void meet(const Marker& marker) {
    const Marker met = marker;
    const size_t before = text_.size() - met.text.size();
    if (!(gap_ && trim(std::string_view(text_).substr(0, before)).empty())) give(before);
    text_.clear();
    switch (met.kind) {
      case Marker::Kind::reasoning_start:
        enter_reasoning(met.index);
        fresh_ = false;
        break;
      case Marker::Kind::reasoning_end:
        reasoning_ = -1;
        fresh_ = true;
        break;
      case Marker::Kind::region: begin_region(met.index); break;
      case Marker::Kind::ignored: break;
    }
    list_markers();
  }

  void begin_region(size_t i) {
    region_ = &format_.regions[i];
    raw_ = region_->start;
    grammar_ = make_call_grammar(region_->syntax, region_->end, tools(), *this);
    ended_before_ = calls_ended();
    reasoning_ = -1;
    state_ = State::call;
  }

  void push_call(char c) {
    raw_ += c;
    const CallStatus status = grammar_->push(c);
    if (calls_ended() != ended_before_) {  // what the grammar has delivered need not be given back
      ended_before_ = calls_ended();
      raw_.clear();
      delivered_ = true;
    }
    switch (status) {
      case CallStatus::more: return;
      case CallStatus::done: return leave_region();
      case CallStatus::done_before: leave_region(); return push(c);
      case CallStatus::failed: return give_back(grammar_->reason());
    }
  }

  void leave_region() {
    state_ = State::text;
    gap_ = fresh_ = true;
    delivered_ = false;
    raw_.clear();
    text_.clear();
    list_markers();
  }

  // The grammar gave up. Without an end marker only the bytes so far are the call; otherwise it reaches to the marker.
  void give_back(const std::string& reason) {
    const bool announced = region_ != nullptr || call_open() || delivered_;
    reason_ = reason;
    if (!announced) return take_as_text();
    const bool has_end = region_ != nullptr && !region_->end.empty();
    if (has_end && !raw_.ends_with(region_->end)) {
      state_ = State::recovery;
      return;
    }
    end_recovery(raw_.size());
  }

  // Looked like a bare call and is not: plain text, in which markers count again.
  void take_as_text() {
    const std::string raw = std::exchange(raw_, "");
    state_ = State::text;
    fresh_ = false;
    for (char c : raw) push(c);
  }

  void push_recovery(char c) {
    raw_ += c;
    if (raw_.ends_with(region_->end)) return end_recovery(raw_.size());
    if (!raw_.ends_with(region_->start) || raw_.size() == region_->start.size()) return;
    end_recovery(raw_.size() - region_->start.size());
    begin_region(static_cast<size_t>(region_ - format_.regions.data()));
    list_markers();
  }

  void end_recovery(size_t length) {
    emit_failed(std::string_view(raw_).substr(0, length), reason_);
    leave_region();
    gap_ = false;
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
  State state_ = State::text;
  int reasoning_ = -1;  // which reasoning marks are open
  std::string text_;    // not yet given out: may begin a marker
  bool fresh_ = true;   // no text since the beginning, a thinking block or a call
  bool gap_ = false;    // only white space since a call

  const OutputFormat::Region* region_ = nullptr;  // null: a bare call
  std::unique_ptr<CallGrammar> grammar_;
  std::string raw_;  // the region's bytes since the last whole call
  std::string reason_;
  int ended_before_ = 0;
  bool delivered_ = false;  // the region has given a call
};

}  // namespace

std::unique_ptr<OutputMachine> make_marker_machine(OutputFormat format, const OutputParserOptions& options) {
  return std::make_unique<MarkerMachine>(std::move(format), options);
}

}  // namespace hearth::text
