// A loop of read, answer, print. Ctrl-C sets a flag that the answer's callback looks at after every step, so it ends
// the answer and not the program.
#include <fmt/format.h>
#include <signal.h>

#include <functional>
#include <span>
#include <utility>

#include "base/error.h"
#include "cli/answer_printer.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/generation_flags.h"
#include "cli/line_reader.h"
#include "session/conversation.h"

namespace hearth::cli {
namespace {

constexpr const char* kChatExamples = R"(  hearth chat
  hearth chat --model DIR --system-prompt "Answer briefly." --temp 0.7 --max-tokens -1
  hearth chat --model DIR --overflow drop
  printf 'Hello\nWhat did I say?\n' | hearth chat
)";

constexpr const char* kHelp =
    "/reset (r)   forget the conversation\n"
    "/stats       tokens and speed of the last answer, tokens and memory kept\n"
    "/help (h)    this list\n"
    "/quit (q)    leave; so does Ctrl-D\n"
    "Ctrl-C       stop the answer\n"
    "After a call of a tool, a line is what the tool returned; /skip answers without it.\n";

class Chat {
 public:
  Chat(const GenerationFlags& flags, session::Overflow overflow)
      : flags_(flags),
        overflow_(overflow),
        model_(flags_.load()),
        conversation_(model_, {.system_prompt = flags_.system_prompt,
                               .tools_json = flags_.tools_json,
                               .chat = flags_.chat(),
                               .engine = flags_.engine(),
                               .overflow = overflow}) {
    flags_.request(model_);  // a flag that no turn could do with is refused here
  }

  // False when the line ends the chat.
  bool take(std::string line) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.pop_back();
    if (line.empty()) return true;
    if (calls_.empty())  // what a call returned may be one letter
      for (const auto& [letter, command] : {std::pair{"q", "/quit"}, {"r", "/reset"}, {"h", "/help"}})
        if (line == letter) line = command;
    if (line == "/quit") return false;
    if (line == "/reset") {
      conversation_.reset();
      calls_.clear();
      results_.clear();
      print_now("The conversation is forgotten.\n");
    } else if (line == "/stats") {
      print_now(statistics_text());
    } else if (line == "/help") {
      print_now(kHelp);
    } else if (line == "/skip") {
      calls_.clear();
      results_.clear();
    } else if (line.front() == '/') {
      print_now("There is no command " + line + "; /help lists them.\n");
    } else if (!calls_.empty()) {
      take_result(line);
    } else {
      answer([&](generate::Request request, const session::OnTurn& on_turn) {
        return conversation_.ask(line, std::move(request), on_turn);
      });
    }
    return true;
  }

 private:
  // Asks for what the calls returned, one line each; with the last the model goes on.
  void take_result(const std::string& line) {
    results_.push_back(line);
    if (results_.size() < calls_.size()) return ask_for_result();
    const std::vector<std::string> results = std::exchange(results_, {});
    answer([&](generate::Request request, const session::OnTurn& on_turn) {
      return conversation_.answer_calls(results, std::move(request), on_turn);
    });
  }

  void ask_for_result() const { print_now("What does " + calls_[results_.size()].name + " return?\n"); }

  using Ask = std::function<session::Turn(generate::Request request, const session::OnTurn& on_turn)>;

  void answer(const Ask& ask) {
    ProgressLine progress;
    AnswerPrinter printer(print_now, standard_output_is_terminal());
    interrupted = false;
    const auto show = [&](const generate::Response& response, std::span<const text::OutputEvent> events) {
      if (!response.token && !response.finish_reason)
        show_progress(progress, response.prompt);
      else
        progress.clear();
      printer.show(events);
      return !interrupted;
    };
    try {
      session::Turn turn = ask(flags_.request(model_), show);
      turn.answer.sequence = {};
      last_ = std::move(turn.answer);
      calls_ = std::move(turn.output.tool_calls);
      results_.clear();
      printer.finish(last_->finish_reason == generate::FinishReason::kCancelled ? " ..." : "");
      note_limits(turn.dropped_turns);
      if (!calls_.empty()) ask_for_result();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {  // of this turn; the conversation is as it was
      progress.clear();
      print_now(std::string("\n(") + error.what() + advice(error) + ")\n");
    }
  }

  void note_limits(int dropped_turns) const {
    if (dropped_turns > 0)
      print_note(fmt::format("[the oldest {} turn{} left out: the model's context is full]", dropped_turns,
                             dropped_turns == 1 ? " was" : "s were"));
    if (const auto note = limit_note(*last_, flags_.max_tokens)) print_note(*note);
  }

  // What helps against a conversation that is too long.
  std::string advice(const std::exception& error) const {
    const auto* refused = dynamic_cast<const RequestError*>(&error);
    if (!refused || refused->status() != 413 || overflow_ != session::Overflow::kRefuse) return "";
    return " /reset forgets the conversation; hearth chat --overflow drop leaves out its oldest turns.";
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
  session::Overflow overflow_;
  generate::LoadedModel model_;
  session::Conversation conversation_;
  std::optional<generate::Answer> last_;
  std::vector<text::ToolCall> calls_;  // of the last answer, that wait for results
  std::vector<std::string> results_;   // as far as they are there
};

}  // namespace

int run_chat(const Arguments& arguments) {
  GenerationFlags flags;
  flags.sampling = "model";
  std::string overflow = "refuse";
  CommandLine line("chat", "Talks with a model. Lines beginning with / are commands: /help lists them.", kChatExamples);
  flags.declare(line);
  line.option("--overflow", overflow,
              "refuse, or drop: leave out the oldest turns when the model's context is full [refuse]");
  line.ignored_flag("--pipeline");
  if (!line.parse(arguments)) return 0;
  if (overflow != "refuse" && overflow != "drop") throw std::invalid_argument("--overflow must be refuse or drop.");

  Chat chat(flags, overflow == "drop" ? session::Overflow::kDropOldest : session::Overflow::kRefuse);
  LineReader reader(">> ");
  catch_interrupts({SIGINT});
  if (reader.interactive()) print_now(kHelp);
  while (const std::optional<std::string> text = reader.read())
    if (!chat.take(*text)) break;
  return 0;
}

}  // namespace hearth::cli
