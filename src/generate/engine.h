// The engine: many requests, one model, one forward a step.
//
// A step runs each decoding sequence's next token and, beside them, as many prompt tokens of waiting sequences as the
// step's budget allows, so nobody stalls behind a long prompt. Only rows whose next token is wanted get logits.
// By the row law (docs/design.md, law 2) a request's text depends on its prompt, options and seed alone.
// A failure is its request's own: it ends with kError and the others go on.
// Threads: one caller at a time. Lifetime: the model outlives the engine.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "generate/request.h"

namespace hearth::models {
class Model;
}
namespace hearth::text {
class Tokenizer;
}

namespace hearth::generate {

struct EngineOptions {
  // Prompt tokens a step. 512 rows already run at the full speed of the matrix products; more only takes memory.
  int prefill_step_size = 512;
  int max_running = 64;    // sequences that take part in a step; the others wait in order
  int context_length = 0;  // tokens a sequence may have; 0: no limit
};

class Engine {
 public:
  // Without a tokenizer the events carry tokens and no text, and stop texts are refused.
  // Throws std::invalid_argument naming the option that is out of range.
  Engine(models::Model& model, std::shared_ptr<const text::Tokenizer> tokenizer, EngineOptions options = {});
  ~Engine();

  // Takes a request; nothing is computed yet. Throws RequestError (400, or 413 when the prompt does not fit the
  // context) or std::invalid_argument naming the option; then the kept sequence inside is lost.
  uint64_t submit(Request request);

  // Ends a request; its Finished comes with the next step. False when it is not known or already over.
  bool cancel(uint64_t id);

  // Does one step and returns what happened, in order of submission. Empty when idle. Never throws for one
  // request's failure.
  std::vector<Event> step();

  // Whether a step would do nothing.
  bool idle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth::generate
