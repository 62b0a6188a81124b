#include "generate/request.h"

#include "base/error.h"

namespace hearth::generate {

void require_in_vocabulary(std::span<const int32_t> tokens, int vocab_size) {
  for (const int32_t token : tokens)
    if (token < 0 || token >= vocab_size)
      throw RequestError(400, "The text has the token " + std::to_string(token) + ", but the model's vocabulary has " +
                                  std::to_string(vocab_size) + " tokens.");
}

const char* name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop: return "stop";
    case FinishReason::kLength: return "length";
    case FinishReason::kCancelled: return "cancelled";
    case FinishReason::kError: return "error";
  }
  return "error";
}

double Usage::prompt_tps() const {
  return prompt_seconds > 0 ? static_cast<double>(prompt_tokens - reused_tokens) / prompt_seconds : 0;
}

double Usage::generation_tps() const {
  return generation_seconds > 0 ? static_cast<double>(generation_tokens - 1) / generation_seconds : 0;
}

}  // namespace hearth::generate
