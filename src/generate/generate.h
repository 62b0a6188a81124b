// One prompt to one answer, streamed: the shortest way through the library.
//
//   LoadedModel model = load("path/to/model");
//   Answer answer = stream_generate(model, {.prompt = encode_message(model, "What is gravity?")},
//                                   [](const Response& r) { std::cout << r.text; return true; });
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "generate/engine.h"
#include "generate/loaded_model.h"

namespace hearth::generate {

// What one step brought.
struct Response {
  std::string text;              // the next piece of the answer, whole UTF-8; may be ""
  std::optional<int32_t> token;  // the token just generated; none while the prompt is read, and with the last piece
  TokenLogProbability logprob;   // when asked for
  PromptProgress prompt;         // tokens read of the prompt
  std::optional<FinishReason> finish_reason;  // with the last response
};

struct Answer {
  std::string text;                           // every Response's text
  std::vector<int32_t> tokens;                // every sampled token, the stop token included
  std::vector<TokenLogProbability> logprobs;  // one a token, when asked for
  FinishReason finish_reason = FinishReason::kLength;
  Usage usage;
  double peak_memory_gb = 0;  // see peak_memory_gb()
  KeptSequence sequence;      // for the next request that begins alike
};

// Called for each response; false ends the answer, as cancelled.
using OnResponse = std::function<bool(const Response&)>;

// Runs one request to its end. The model's own stop tokens are added to the request's.
// Throws RequestError or std::invalid_argument when it cannot be served.
Answer stream_generate(LoadedModel& model, Request request, const OnResponse& on_response = {},
                       EngineOptions options = {});

// The most memory this process has had resident, mapped weights included, in GB (1e9 bytes).
double peak_memory_gb();

// What a response adds to the answer that `parser` takes apart (answer_parser); with the last one all that it held
// back.
std::vector<text::OutputEvent> parse(text::OutputParser& parser, const Response& response);

}  // namespace hearth::generate
