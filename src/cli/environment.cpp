#include "cli/environment.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "base/thread_pool.h"
#include "base/unicode.h"
#include "weights/hub.h"

namespace hearth::cli {
namespace {

// The first of the variables that is set, with `rest` behind it; "" when none is.
std::filesystem::path from_variable(std::initializer_list<std::pair<const char*, const char*>> variables) {
  for (const auto& [name, rest] : variables)
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0')
      return std::filesystem::path(value) / rest;
  return {};
}

void check_standard_input(size_t bytes) {
  if (std::ferror(stdin) != 0)
    throw std::runtime_error(std::string("Cannot read standard input: ") + std::strerror(errno));
  if (bytes > size_t{1} << 30) throw std::runtime_error("Standard input has more than a gigabyte.");
}

}  // namespace

std::filesystem::path model_folder(const std::string& name_or_path) {
  const weights::HubFolders folders{
      .hearth_models = from_variable(
          {{"HEARTH_HOME", "models"}, {"XDG_DATA_HOME", "hearth/models"}, {"HOME", ".local/share/hearth/models"}}),
      .hugging_face_hub = from_variable({{"HF_HUB_CACHE", ""},
                                         {"HUGGINGFACE_HUB_CACHE", ""},
                                         {"HF_HOME", "hub"},
                                         {"XDG_CACHE_HOME", "huggingface/hub"},
                                         {"HOME", ".cache/huggingface/hub"}}),
  };
  return weights::resolve_model(name_or_path, folders);
}

void use_threads(int count) {
  if (count < 0 || count > 1024) throw std::invalid_argument("--threads must be between 1 and 1024.");
  if (count > 0) ThreadPool::global().resize(count);
}

std::string read_standard_input() {
  std::string text;
  for (size_t read = 0;;) {  // std::cin would take ten times as long
    text.resize(std::max<size_t>(1 << 16, 2 * read));
    const size_t count = std::fread(text.data() + read, 1, text.size() - read, stdin);
    read += count;
    check_standard_input(read);
    if (read < text.size()) {
      text.resize(read);
      return text;
    }
  }
}

std::string with_universal_newlines(std::string text) {
  size_t out = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool before_newline = text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
    if (!before_newline) text[out++] = text[at] == '\r' ? '\n' : text[at];
  }
  text.resize(out);
  return text;
}

std::optional<std::string> read_standard_input_line() {
  std::string line;
  int c;
  while ((c = ::getc_unlocked(stdin)) != EOF && c != '\n') {  // a third of std::getline's time
    line.push_back(static_cast<char>(c));
    if (line.size() % (1 << 20) == 0) check_standard_input(line.size());
  }
  check_standard_input(line.size());
  if (c == EOF && line.empty()) return std::nullopt;
  return line;
}

std::atomic<bool> interrupted = false;

void catch_interrupts(std::initializer_list<int> signals) {
  struct sigaction action = {};  // without SA_RESTART
  action.sa_handler = [](int) { interrupted = true; };
  for (const int signal : signals) sigaction(signal, &action, nullptr);
}

void print_now(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) != 0 || !written)
    throw std::runtime_error(std::string("Cannot write to standard output: ") + std::strerror(errno));
}

std::string one_line(std::string_view text) {
  std::string line;
  for (size_t at = 0; at < text.size();) {
    const char32_t code = next_character(text, at);
    append_utf8(line, has_class(code, kPrintable) ? code : U' ');
  }
  return line;
}

void print_note(const std::string& line) { std::fputs((line + '\n').c_str(), stderr); }

bool standard_output_is_terminal() { return isatty(STDOUT_FILENO) == 1; }
bool standard_error_is_terminal() { return isatty(STDERR_FILENO) == 1; }

void ProgressLine::show(const std::string& text) {
  if (!standard_error_is_terminal()) return;
  std::fprintf(stderr, "\r\033[K%s", text.c_str());
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

}  // namespace hearth::cli
