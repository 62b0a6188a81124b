#include "cli/line_reader.h"

#include <histedit.h>
#include <langinfo.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <deque>

#include "cli/environment.h"

namespace hearth::cli {

struct LineReader::State {
  std::string prompt;
  std::deque<std::string> lines = {};  // of a pipe or file, that \r has divided
  EditLine* editor = nullptr;          // null: input is no terminal
  History* history = nullptr;
};

namespace {

const char* prompt_of(EditLine* editor) {
  void* data = nullptr;
  el_get(editor, EL_CLIENTDATA, &data);
  return static_cast<LineReader::State*>(data)->prompt.c_str();
}

}  // namespace

LineReader::LineReader(std::string prompt) : state_(new State{.prompt = std::move(prompt)}) {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) return;
  // In other locales libedit drops what is not ASCII.
  if (std::setlocale(LC_CTYPE, "") == nullptr || std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
    std::setlocale(LC_CTYPE, "C.UTF-8");
  HistEvent event;
  state_->history = history_init();
  history(state_->history, &event, H_SETSIZE, 1000);
  history(state_->history, &event, H_SETUNIQUE, 1);
  state_->editor = el_init("hearth", stdin, stdout, stderr);
  el_set(state_->editor, EL_CLIENTDATA, state_.get());
  el_set(state_->editor, EL_PROMPT, prompt_of);
  el_set(state_->editor, EL_EDITOR, "emacs");
  el_set(state_->editor, EL_HIST, history, state_->history);
  el_source(state_->editor, nullptr);  // ~/.editrc
}

LineReader::~LineReader() {
  if (state_->editor) el_end(state_->editor);
  if (state_->history) history_end(state_->history);
}

bool LineReader::interactive() const { return state_->editor != nullptr; }

std::optional<std::string> LineReader::read_plain() {
  std::deque<std::string>& lines = state_->lines;
  if (lines.empty()) {
    std::optional<std::string> line = read_standard_input_line();
    if (!line) return std::nullopt;
    if (line->ends_with('\r')) line->pop_back();  // \r\n is one end
    size_t begin = 0;
    for (size_t end; (end = line->find('\r', begin)) != std::string::npos; begin = end + 1)
      lines.push_back(line->substr(begin, end - begin));
    lines.push_back(line->substr(begin));
  }
  std::string line = std::move(lines.front());
  lines.pop_front();
  return line;
}

std::optional<std::string> LineReader::read() {
  std::string line;
  if (!interactive()) return read_plain();
  int count = 0;
  errno = 0;
  const char* typed = el_gets(state_->editor, &count);
  if (typed == nullptr || count <= 0) {
    std::fputc('\n', stdout);
    if (errno != EINTR) return std::nullopt;
    el_reset(state_->editor);
    return "";
  }
  line.assign(typed, static_cast<size_t>(count));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  HistEvent event;
  if (!line.empty()) history(state_->history, &event, H_ENTER, line.c_str());
  return line;
}

}  // namespace hearth::cli
