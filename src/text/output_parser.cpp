// The machines live in text/calls; this file turns their events into pieces and whole answers.
#include "text/output_parser.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "text/calls/arguments.h"
#include "text/calls/output_machine.h"

namespace hearth::text {

OutputMachine::OutputMachine(const OutputParserOptions& options, bool short_ids)
    : tools_(options.tools != nullptr ? std::make_unique<Json>(*options.tools) : nullptr),
      id_seed_(options.id_seed),
      short_ids_(short_ids) {}

OutputMachine::~OutputMachine() = default;

void OutputMachine::emit(OutputEvent::Kind kind, std::string_view text) {
  if (text.empty()) return;
  if (events_.empty() || events_.back().kind != kind) events_.push_back({.kind = kind});
  events_.back().text += text;
}

void OutputMachine::emit_failed(std::string_view text, std::string_view reason) {
  events_.push_back({.kind = OutputEvent::Kind::call_failed,
                     .text = std::string(text),
                     .call = open_ ? calls_ - 1 : -1,
                     .reason = std::string(reason)});
  open_ = false;
}

bool OutputMachine::no_tools() const { return tools_ != nullptr && (!tools_->is_array() || tools_->empty()); }

std::vector<OutputEvent> OutputMachine::take_events() {
  if (!held_) return std::exchange(events_, {});
  const auto first = events_.begin() + static_cast<std::ptrdiff_t>(held_->events);
  std::vector<OutputEvent> held(std::make_move_iterator(first), std::make_move_iterator(events_.end()));
  events_.erase(first, events_.end());
  held_->events = 0;
  return std::exchange(events_, std::move(held));
}

void OutputMachine::hold() { held_ = Held{events_.size(), calls_, ended_}; }

void OutputMachine::take_back() {
  events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(held_->events), events_.end());
  calls_ = held_->calls;
  ended_ = held_->ended;
  open_ = false;
  held_.reset();
}

std::string OutputMachine::start(std::string_view name, std::string_view id) {
  if (no_tools()) return "no tools were offered";
  if (!offers(tools(), name)) return "no tool is named '" + std::string(name) + "'";
  open_ = true;
  ++calls_;
  arguments_.clear();
  events_.push_back({.kind = OutputEvent::Kind::call_start,
                     .call = calls_ - 1,
                     .id = id.empty() ? made_id() : std::string(id),
                     .name = std::string(name)});
  return "";
}

void OutputMachine::arguments(std::string_view json) {
  if (json.empty()) return;
  arguments_ += json;
  if (events_.empty() || events_.back().kind != OutputEvent::Kind::call_arguments)
    events_.push_back({.kind = OutputEvent::Kind::call_arguments, .call = calls_ - 1});
  events_.back().text += json;
}

// What the grammars let pass is JSON by their own reading, which knows no limits.
std::string OutputMachine::end(bool repaired) {
  try {
    parse_json(arguments_, "the arguments");
  } catch (const LoadError& refusal) {
    return refusal.what();
  }
  events_.push_back({.kind = OutputEvent::Kind::call_end, .call = calls_ - 1, .repaired = repaired});
  open_ = false;
  ++ended_;
  return "";
}

namespace {

uint64_t splitmix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

// A function of seed and number: a seed always gives the same ids, and calls of one answer never share one.
std::string OutputMachine::made_id() const {
  static constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  uint64_t x = splitmix64(splitmix64(id_seed_) + static_cast<uint64_t>(calls_));
  std::string id = short_ids_ ? "" : "call_";
  for (size_t length = short_ids_ ? 9 : 24; length > 0; --length) {
    id += kDigits[x % kDigits.size()];
    x = splitmix64(x);
  }
  return id;
}

size_t held_back(std::string_view text, std::string_view marker) {
  for (size_t n = std::min(text.size(), marker.size() - 1); n > 0; --n)
    if (text.substr(text.size() - n) == marker.substr(0, n)) return n;
  return 0;
}

void ParsedOutput::add(const OutputEvent& event) {
  using Kind = OutputEvent::Kind;
  switch (event.kind) {
    case Kind::content: content += event.text; break;
    case Kind::reasoning: reasoning += event.text; break;
    case Kind::call_start: tool_calls.push_back({.id = event.id, .name = event.name, .arguments = ""}); break;
    case Kind::call_arguments: tool_calls.back().arguments += event.text; break;
    case Kind::call_end: tool_calls.back().repaired = event.repaired; break;
    case Kind::call_failed:
      if (event.call >= 0) tool_calls.pop_back();
      content += event.text;
      malformed.push_back({event.text, event.reason});
      break;
  }
}

namespace {

std::unique_ptr<OutputMachine> make_machine(OutputFormat format, const OutputParserOptions& options) {
  switch (format.layout) {
    case OutputFormat::Layout::channels: return make_harmony_machine(options);
    case OutputFormat::Layout::recipients: return make_recipient_machine(options);
    case OutputFormat::Layout::markers: break;
  }
  return make_marker_machine(std::move(format), options);
}

}  // namespace

OutputParser::OutputParser(OutputFormat format, const OutputParserOptions& options)
    : machine_(make_machine(std::move(format), options)) {}
OutputParser::~OutputParser() = default;
OutputParser::OutputParser(OutputParser&&) noexcept = default;
OutputParser& OutputParser::operator=(OutputParser&&) noexcept = default;

std::vector<OutputEvent> OutputParser::feed(std::string_view piece) {
  for (char c : piece) machine_->push(c);
  machine_->flush();
  return machine_->take_events();
}

std::vector<OutputEvent> OutputParser::finish() {
  machine_->finish();
  return machine_->take_events();
}

bool OutputParser::in_reasoning() const { return machine_->in_reasoning(); }

ParsedOutput parse_output(const OutputFormat& format, std::string_view text, const OutputParserOptions& options) {
  OutputParser parser(format, options);
  ParsedOutput result;
  for (const OutputEvent& event : parser.feed(text)) result.add(event);
  for (const OutputEvent& event : parser.finish()) result.add(event);
  return result;
}

}  // namespace hearth::text
