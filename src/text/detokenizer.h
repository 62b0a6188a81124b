// Token ids to text as they come, in pieces that are whole UTF-8.
//
// The pieces, joined, are exactly Tokenizer::decode of all the ids: a piece is held back while a later token could
// still change it (half a character, a byte sequence that may turn out ill-formed, a space that clean-up may take).
// Cost: constant for each token; the whole text is never decoded again.
// Threads: one caller at a time; different detokenizers are independent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "text/tokenizer.h"

namespace hearth::text {

class Detokenizer {
 public:
  explicit Detokenizer(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special_tokens = true);
  ~Detokenizer();
  Detokenizer(Detokenizer&&) noexcept;
  Detokenizer& operator=(Detokenizer&&) noexcept;

  // Text that `id` makes certain; often the token's own, sometimes nothing, sometimes more.
  std::string add(int32_t id);
  // What was held back: call once when no more ids come. Afterwards as after reset().
  std::string finish();
  // Forgets everything seen.
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth::text
