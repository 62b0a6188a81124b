#include "cli/json_lines.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/environment.h"

namespace hearth::cli {

void answer_lines(const AnswerJson& answer) {
  std::string line;
  while (std::getline(std::cin, line)) {
    try {
      print_json(answer(parse_json(line, "standard input")));
    } catch (const std::exception& error) {
      print_json({{"error", error.what()}});
    }
  }
}

void print_json(const Json& json) { print_now(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"); }

}  // namespace hearth::cli
