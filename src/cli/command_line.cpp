// The only file that sees CLI11, which costs seconds to compile.
#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include "cli/environment.h"

namespace hearth::cli {

struct CommandLine::State {
  CLI::App app;
  std::string command;
  std::vector<CLI::Option*> lists = {};
  bool ignored_flag = false;
  std::string ignored_value = {};

  bool is_list(const std::string& argument) const {
    return std::any_of(lists.begin(), lists.end(), [&](CLI::Option* option) { return option->check_name(argument); });
  }
};

namespace {

// CLI11's check: what is wrong with the text, "" when nothing is.
std::string is_uint64(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? "" : text + " is no whole number below 2^64";
}

// CLI11 reads 010 as eight.
std::string is_decimal(const std::string& text) {
  const size_t digits = text.find_first_not_of("+-");
  const bool octal = digits != text.npos && digits + 1 < text.size() && text[digits] == '0' &&
                     text.find_first_not_of("0123456789", digits) == text.npos;
  return octal ? text + " begins with a zero" : "";
}

constexpr const char* kIgnoredGroup = "mlx-lm's, without effect here";

bool is_option(const std::string& argument) { return argument.size() > 1 && argument.front() == '-'; }

}  // namespace

CommandLine::CommandLine(const std::string& command, const std::string& summary, const std::string& examples)
    : state_(new State{CLI::App(summary, "hearth " + command), command}) {
  state_->app.footer("\nExamples:\n" + examples);
  state_->app.get_formatter()->column_width(34);
  state_->app.set_help_flag("--help,-h", "Prints this help and exits");
  ignored_flag("--trust-remote-code");
}

CommandLine::~CommandLine() = default;

template <typename T>
void CommandLine::option(const std::string& names, T& variable, const std::string& help) {
  CLI::Option* option = state_->app.add_option(names, variable, help);
  if constexpr (std::is_same_v<T, std::vector<std::string>>)
    // Otherwise a value in brackets, such as the token [EOS], is taken for a list.
    state_->lists.push_back(option->allow_extra_args(false));
  else
    option->take_last();
  if constexpr (std::is_arithmetic_v<T>) option->capture_default_str();
  if constexpr (std::is_same_v<T, int> || std::is_same_v<T, std::optional<int>>) option->check(is_decimal);
  if constexpr (std::is_same_v<T, uint64_t> || std::is_same_v<T, std::optional<uint64_t>>)
    option->check(is_uint64)->check(is_decimal);  // or -1 and 2^64 become 2^64 - 1
}

template <typename T>
void CommandLine::required(const std::string& names, T& variable, const std::string& help) {
  state_->app.add_option(names, variable, help)->required()->take_last();
}

void CommandLine::flag(const std::string& names, bool& variable, const std::string& help) {
  state_->app.add_flag(names, variable, help);
}

void CommandLine::ignored_flag(const std::string& names) {
  state_->app.add_flag(names, state_->ignored_flag)->group(kIgnoredGroup);
}

void CommandLine::ignored_option(const std::string& names) {
  state_->app.add_option(names, state_->ignored_value)->take_last()->group(kIgnoredGroup);
}

// "--stop A B" becomes "--stop A --stop B".
Arguments CommandLine::spell_out_lists(const Arguments& arguments) const {
  Arguments result;
  for (size_t i = 0; i < arguments.size(); ++i) {
    result.push_back(arguments[i]);
    if (!is_option(arguments[i]) || !state_->is_list(arguments[i])) continue;
    if (i + 1 < arguments.size()) result.push_back(arguments[++i]);
    const std::string option = arguments[i - 1];
    while (i + 1 < arguments.size() && !is_option(arguments[i + 1])) {
      result.push_back(option);
      result.push_back(arguments[++i]);
    }
  }
  return result;
}

bool CommandLine::parse(const Arguments& arguments) {
  Arguments words = spell_out_lists(arguments);
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  try {
    state_->app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    print_now(state_->app.help());
    return false;
  } catch (const CLI::ParseError& error) {
    std::string message = error.what();
    std::replace(message.begin(), message.end(), '\n', ' ');
    throw std::invalid_argument(state_->command + ": " + message + " (see hearth " + state_->command + " --help)");
  }
  return true;
}

#define HEARTH_OPTION_TYPE(T)                                                       \
  template void CommandLine::option<T>(const std::string&, T&, const std::string&); \
  template void CommandLine::required<T>(const std::string&, T&, const std::string&)
HEARTH_OPTION_TYPE(int);
HEARTH_OPTION_TYPE(uint64_t);
HEARTH_OPTION_TYPE(float);
HEARTH_OPTION_TYPE(std::string);
HEARTH_OPTION_TYPE(std::optional<int>);
HEARTH_OPTION_TYPE(std::optional<uint64_t>);
HEARTH_OPTION_TYPE(std::optional<float>);
HEARTH_OPTION_TYPE(std::optional<std::string>);
HEARTH_OPTION_TYPE(std::vector<std::string>);
#undef HEARTH_OPTION_TYPE

}  // namespace hearth::cli
