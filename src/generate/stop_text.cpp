#include "generate/stop_text.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace hearth::generate {

StopText::StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& stop : stops_)
    if (stop.empty()) throw std::invalid_argument("[stop_text] A stop text must not be empty.");
}

std::string StopText::push(std::string_view piece) {
  if (stopped_) return "";
  if (stops_.empty()) return std::string(piece);
  held_ += piece;
  size_t first_end = std::string::npos, begin = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t at = held_.find(stop);
    if (at == std::string::npos) continue;
    const size_t end = at + stop.size();
    if (end < first_end || (end == first_end && at < begin)) {
      first_end = end;
      begin = at;
    }
  }
  stopped_ = begin != std::string::npos;
  const size_t certain = stopped_ ? begin : held_.size() - held_back();
  std::string result = held_.substr(0, certain);
  held_.erase(0, stopped_ ? held_.size() : certain);
  return result;
}

std::string StopText::finish() { return std::exchange(held_, {}); }

// The longest end of the text that begins a stop text.
size_t StopText::held_back() const {
  size_t longest = 0;
  for (const std::string& stop : stops_) {
    for (size_t n = std::min(held_.size(), stop.size() - 1); n > longest; --n) {
      if (std::string_view(held_).ends_with(std::string_view(stop).substr(0, n))) longest = n;
    }
  }
  return longest;
}

}  // namespace hearth::generate
