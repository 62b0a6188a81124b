#include "cli/json_lines.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/environment.h"

namespace hearth::cli {

namespace {

struct LineBuffer {
  char* text = nullptr;
  size_t capacity = 0;
  ~LineBuffer() { std::free(text); }
};

}  // namespace

void answer_lines(const AnswerJson& answer) {
  answer_lines_with_text([&](const Json& value) { return json_text(answer(value)); });
}

void answer_lines_with_text(const AnswerText& answer) {
  LineBuffer buffer;
  ssize_t length;
  while ((length = ::getline(&buffer.text, &buffer.capacity, stdin)) >= 0) {  // several times as fast as std::getline
    std::string_view line(buffer.text, static_cast<size_t>(length));
    if (line.ends_with('\n')) line.remove_suffix(1);
    try {
      print_now(answer(parse_json(line, "standard input")) + "\n");
    } catch (const std::exception& error) {
      print_json({{"error", error.what()}});
    }
  }
}

void print_json(const Json& json) { print_now(json_text(json) + "\n"); }

std::string json_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace hearth::cli
