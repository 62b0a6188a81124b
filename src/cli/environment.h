// What the commands take from their surroundings: folders, terminals, standard input.
#pragma once

#include <atomic>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::cli {

// The model that commands take when none is named: the one ./try gets.
inline constexpr const char* kDefaultModel = HEARTH_DEFAULT_MODEL;
inline constexpr const char* kModelHelp = "Model folder, or the hub name of a model in a local cache";

// The folder of a model: a folder, or a hub name looked up in Hearth's folder ($HEARTH_HOME, else the XDG data folder)
// and in Hugging Face's cache. Throws LoadError when there is none.
std::filesystem::path model_folder(const std::string& name_or_path);

// Threads that share the work; 0 leaves as many as there are CPUs. Throws std::invalid_argument when out of range.
void use_threads(int count);

// All of standard input. Throws std::runtime_error when it cannot be read or has more than a gigabyte.
std::string read_standard_input();
// Text with the ends of lines as Python's text mode reads them: \r\n and \r become \n.
std::string with_universal_newlines(std::string text);
// The next line of standard input without its newline; nothing at its end. Throws as read_standard_input does. Not to
// be mixed with other ways of reading.
std::optional<std::string> read_standard_input_line();

// Whether one of the signals given to catch_interrupts() has come. Calls that wait for input end when one does.
extern std::atomic<bool> interrupted;
void catch_interrupts(std::initializer_list<int> signals);

// Writes to standard output at once.
void print_now(const std::string& text);
// A line on standard error, for people.
void print_note(const std::string& line);

// The same text in one line: messages quote files, and what could break the line or command the terminal becomes a
// space.
std::string one_line(std::string_view text);

bool standard_output_is_terminal();
bool standard_error_is_terminal();

// One line on standard error that is overwritten by the next, when that is a terminal; else nothing is shown.
// The line goes when the object does.
class ProgressLine {
 public:
  ~ProgressLine() { clear(); }
  void show(const std::string& text);
  void clear();

 private:
  bool shown_ = false;
};

}  // namespace hearth::cli
