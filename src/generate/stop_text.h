// Watches streamed text for stop texts and holds back what may be the beginning of one.
//
// The result does not depend on how the text was cut into pieces: the stop text that is completed first ends the
// answer (of several completed by the same byte, the longest), and everything before it comes out, nothing after.
// Cost: proportional to the piece and the longest stop text, whatever has been said before.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::generate {

class StopText {
 public:
  // Throws std::invalid_argument when a stop text is empty.
  explicit StopText(std::vector<std::string> stops);

  // Takes the next piece and returns the text that is certain to belong to the answer. After stopped(), returns "".
  std::string push(std::string_view piece);

  // The answer ended otherwise: returns what was held back.
  std::string finish();

  bool stopped() const { return stopped_; }

 private:
  size_t held_back() const;

  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace hearth::generate
