// A loop of read, answer, print. Ctrl-C sets a flag that the answer's callback looks at after every step, so it ends
// the answer and not the program.
#include <fmt/format.h>
#include <signal.h>

#include <atomic>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/generation_flags.h"
#include "cli/line_reader.h"
#include "session/conversation.h"

namespace hearth::cli {
namespace {

constexpr const char* kExamples = R"(  hearth chat
  hearth chat --model DIR --system-prompt "Answer briefly." --temp 0.7 --max-tokens -1
  printf 'Hello\nWhat did I say?\n' | hearth chat
)";

constexpr const char* kHelp =
    "/reset (r)   forget the conversation\n"
    "/stats       tokens and speed of the last answer, tokens and memory kept\n"
    "/help (h)    this list\n"
    "/quit (q)    leave; so does Ctrl-D\n"
    "Ctrl-C       stop the answer\n";

std::atomic<bool> interrupted = false;

// Without SA_RESTART, so that waiting for a line ends too.
void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = true; };
  sigaction(SIGINT, &action, nullptr);
}

class Chat {
 public:
  explicit Chat(const GenerationFlags& flags)
      : flags_(flags),
        model_(flags.load()),
        conversation_(model_, {.system_prompt = flags.system_prompt, .chat = flags.chat(), .engine = flags.engine()}) {}

  // False when the line ends the chat.
  bool take(const std::string& line) {
    if (line.empty()) return true;
    if (line == "/quit" || line == "q") return false;
    if (line == "/reset" || line == "r") {
      conversation_.reset();
      print_now("The conversation is forgotten.\n");
    } else if (line == "/stats") {
      print_now(statistics_text());
    } else if (line == "/help" || line == "h") {
      print_now(kHelp);
    } else {
      answer(line);
    }
    return true;
  }

 private:
  void answer(const std::string& message) {
    ProgressLine progress;
    interrupted = false;
    try {
      last_ = conversation_.ask(message, flags_.request(model_), [&](const generate::Response& response) {
        if (!response.token && !response.finish_reason)
          show_progress(progress, response.prompt);
        else
          progress.clear();
        if (!response.text.empty()) print_now(response.text);
        return !interrupted;
      });
      last_->sequence = {};
      print_now(last_->finish_reason == generate::FinishReason::kCancelled ? " ...\n" : "\n");
    } catch (const RequestError& error) {  // of this turn; the conversation is as it was
      progress.clear();
      print_now(std::string("\n(") + error.what() + ")\n");
    }
  }

  std::string statistics_text() const {
    std::string text;
    if (last_)
      text = statistics(*last_) + fmt::format("Of the prompt: {} tokens kept from before, {} read\n",
                                              last_->usage.reused_tokens,
                                              last_->usage.prompt_tokens - last_->usage.reused_tokens);
    return text + fmt::format("Kept: {} tokens, {:.1f} MB\n", conversation_.kept_tokens(),
                              static_cast<double>(conversation_.kept_bytes()) / 1e6);
  }

  GenerationFlags flags_;
  generate::LoadedModel model_;
  session::Conversation conversation_;
  std::optional<generate::Answer> last_;
};

}  // namespace

int run_chat(const Arguments& arguments) {
  GenerationFlags flags;
  CommandLine line("chat", "Talks with a model. Lines beginning with / are commands: /help lists them.", kExamples);
  flags.declare(line);
  if (!line.parse(arguments)) return 0;

  Chat chat(flags);
  LineReader reader(">> ");
  catch_interrupts();
  if (reader.interactive()) print_now(kHelp);
  while (const std::optional<std::string> text = reader.read())
    if (!chat.take(*text)) break;
  return 0;
}

}  // namespace hearth::cli
