#include "generate/request.h"

namespace hearth::generate {

const char* name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
    case FinishReason::kError:
      return "error";
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
