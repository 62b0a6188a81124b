// The options of one command, read from its arguments.
//
//   CommandLine line("generate", "Answers one prompt.", "hearth generate --model DIR --prompt 'What is gravity?'");
//   line.option("--max-tokens,-m", max_tokens, "tokens to generate");
//   if (!line.parse(arguments)) return 0;  // --help
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace hearth::cli {

using Arguments = std::vector<std::string>;

class CommandLine {
 public:
  // `examples`: lines shown below the options.
  CommandLine(const std::string& command, const std::string& summary, const std::string& examples);
  ~CommandLine();

  // An option with one value (several for a vector). The variable's value is the default and stays unless the option
  // is given. `names`: "--max-tokens,-m".
  // Given twice, the last counts.
  // T: int, uint64_t, float, std::string, std::optional of these, std::vector<std::string>.
  template <typename T>
  void option(const std::string& names, T& variable, const std::string& help);
  // The same, required.
  template <typename T>
  void required(const std::string& names, T& variable, const std::string& help);
  // True when given.
  void flag(const std::string& names, bool& variable, const std::string& help);
  // Flags and options that mlx-lm's command has and that change nothing here: taken, so that its lines run as they are.
  // --trust-remote-code is one of every command.
  void ignored_flag(const std::string& names);
  void ignored_option(const std::string& names);

  // Reads the arguments. False when help was asked for and printed.
  // Throws std::invalid_argument with one line for unknown options and bad values.
  bool parse(const Arguments& arguments);

 private:
  Arguments spell_out_lists(const Arguments& arguments) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth::cli
