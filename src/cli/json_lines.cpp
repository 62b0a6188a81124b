#include "cli/json_lines.h"

#include <new>
#include <nlohmann/json.hpp>

#include "cli/environment.h"

namespace hearth::cli {

void answer_lines(const AnswerJson& answer) {
  answer_lines_with_text([&](const Json& value) { return json_text(answer(value)); });
}

void answer_lines_with_text(const AnswerText& answer) {
  while (const std::optional<std::string> line = read_standard_input_line()) {
    try {
      print_now(answer(parse_json(*line, "standard input")) + "\n");
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      print_json({{"error", error.what()}});
    }
  }
}

void print_json(const Json& json) { print_now(json_text(json) + "\n"); }

std::string json_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace hearth::cli
