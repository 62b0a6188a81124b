// From a prompt to an answer, in the order in which it happens. A prompt has been rendered by the chat template and
// encoded before (encode_chat, encode_text in loaded_model.h); the engine does prefill, decoding, sampling, streaming
// detokenization and stop texts (engine.h), and its events become responses here.
#include "generate/generate.h"

#include <sys/resource.h>

#include "base/error.h"
#include "text/tokenizer.h"

namespace hearth::generate {
namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};

Response to_response(Event event, PromptProgress& progress, Answer& answer) {
  Response response{};
  std::visit(Overloaded{[&](PromptProgress& read) { progress = read; },
                        [&](TokenEvent& token) {
                          response.text = std::move(token.text);
                          response.token = token.token;
                          response.logprob = std::move(token.logprob);
                        },
                        [&](Finished& finished) {
                          if (finished.reason == FinishReason::kError)
                            throw RequestError(finished.status, finished.error);
                          response.text = std::move(finished.text);
                          response.finish_reason = answer.finish_reason = finished.reason;
                          answer.usage = finished.usage;
                          answer.sequence = std::move(finished.sequence);
                        }},
             event.what);
  response.prompt = progress;
  return response;
}

}  // namespace

Answer stream_generate(LoadedModel& model, Request request, const OnResponse& on_response, EngineOptions options) {
  const bool with_logprobs = request.logprobs || request.top_logprobs > 0;
  request.stop_tokens.insert(request.stop_tokens.end(), model.stop_tokens.begin(), model.stop_tokens.end());
  if (options.context_length == 0) options.context_length = model.context_length;

  PromptProgress progress{0, static_cast<int>(request.prompt.size())};
  Answer answer;
  Engine engine(*model.model, model.tokenizer, options);
  const uint64_t id = engine.submit(std::move(request));
  bool wanted = true;
  while (!engine.idle()) {
    for (Event& event : engine.step()) {
      const Response response = to_response(std::move(event), progress, answer);
      if (!wanted && !response.finish_reason) continue;
      answer.text += response.text;
      if (response.token) answer.tokens.push_back(*response.token);
      if (response.token && with_logprobs) answer.logprobs.push_back(response.logprob);
      if (!on_response || on_response(response) || response.finish_reason) continue;
      wanted = false;
      engine.cancel(id);
    }
  }
  answer.peak_memory_gb = peak_memory_gb();
  return answer;
}

double peak_memory_gb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e9;
}

std::vector<text::OutputEvent> parse(text::OutputParser& parser, const Response& response) {
  std::vector<text::OutputEvent> events = parser.feed(response.text);
  if (response.finish_reason)
    for (text::OutputEvent& event : parser.finish()) events.push_back(std::move(event));
  return events;
}

}  // namespace hearth::generate
