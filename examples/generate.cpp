// Answers a prompt: build/release/examples/generate MODEL_FOLDER "What is gravity?"
#include <exception>
#include <iostream>

#include "generate/generate.h"

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "Usage: generate MODEL_FOLDER PROMPT\n", 2;
  using namespace hearth::generate;
  try {
    LoadedModel model = load(argv[1]);
    Request request{.prompt = encode_message(model, argv[2]), .max_tokens = 128};
    stream_generate(model, std::move(request), [](const Response& response) {
      std::cout << response.text << std::flush;
      return true;
    });
    std::cout << '\n';
  } catch (const std::exception& error) {
    return std::cerr << error.what() << '\n', 1;
  }
}
