#include <iostream>
#include <stdexcept>
#include <string_view>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "core/cpu/isa.h"

namespace hearth::cli {
namespace {

struct Command {
  std::string_view name, summary;
  int (*run)(const Arguments& arguments);
};

constexpr Command kCommands[] = {
    {"generate", "Answers one prompt", run_generate},
    {"chat", "Talks with a model", run_chat},
    {"bench", "Measures prompt and generation speed", run_bench},
    {"perplexity", "Measures how well a model predicts a text", run_perplexity},
    {"verify", "Proves that numbers do not depend on batch, chunks or threads", run_verify},
    {"convert", "Writes a model in MLX's format", run_convert},
    {"tokenize", "Shows a text's tokens", run_tokenize},
    {"template", "Shows what a chat template makes of messages", run_template},
    {"parse", "Splits a raw answer into reasoning, content and tool calls", run_parse},
};

void print_help() {
  std::string help = "hearth: runs MLX-format language models\n\nUsage: hearth COMMAND [OPTIONS]\n\nCommands:\n";
  for (const auto& [name, summary, run] : kCommands)
    help += "  " + std::string(name) + std::string(14 - name.size(), ' ') + std::string(summary) + '\n';
  print_now(help +
            "\n  hearth COMMAND --help   options and examples of a command\n"
            "  hearth --version        version, instruction set in use, engine\n");
}

int dispatch(const Arguments& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    print_help();
    return arguments.empty() ? 2 : 0;
  }
  if (arguments[0] == "--version") {
    const std::string_view isa = cpu::isa_name(cpu::active_isa());
    print_now(std::string("hearth ") + HEARTH_VERSION + " (" + std::string(isa) + ", built-in CPU engine)\n");
    return 0;
  }
  for (const Command& command : kCommands)
    if (command.name == arguments[0]) return command.run({arguments.begin() + 1, arguments.end()});
  throw std::invalid_argument("There is no command '" + arguments[0] + "' (see hearth --help)");
}

}  // namespace

int run(const Arguments& arguments) {
  try {
    return dispatch(arguments);
  } catch (const std::bad_alloc&) {
    std::cerr << "hearth: There is not enough memory.\n";
  } catch (const std::exception& error) {
    std::cerr << "hearth: " << one_line(error.what()) << '\n';
  }
  return 2;
}

}  // namespace hearth::cli
