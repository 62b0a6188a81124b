// One PCRE2 pattern, JIT-compiled, with limits on steps, heap and JIT stack. Match data, context and JIT stack belong
// to the thread: they are the same for every pattern.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/tokenizer/regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <set>
#include <stdexcept>

#include "base/error.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

template <auto Free>
struct Pcre2Freeing {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};

namespace {

constexpr uint32_t kMatchLimit = 10'000'000, kTrialLimit = 10'000;  // steps of one match; while a pattern is tried
constexpr uint32_t kHeapLimitKiB = 64 * 1024;
// Searching takes 0.1 us a byte at most, but for patterns that look far ahead at every place: a*b on a row of a.
constexpr double kSeconds = 1, kSecondsPerByte = 5e-6;  // of processor time, for one text
constexpr size_t kWindow = 1024;                        // places tried for a match between two looks at the clock
constexpr size_t kJitStackFirst = 32 << 10, kJitStackMost = 64 << 20;

struct MatchState {
  std::unique_ptr<pcre2_match_data, Pcre2Freeing<pcre2_match_data_free>> data{pcre2_match_data_create(10, nullptr)};
  std::unique_ptr<pcre2_match_context, Pcre2Freeing<pcre2_match_context_free>> context{
      pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, Pcre2Freeing<pcre2_jit_stack_free>> stack{
      pcre2_jit_stack_create(kJitStackFirst, kJitStackMost, nullptr)};

  MatchState() {
    if (!data || !context || !stack) throw std::bad_alloc();
    pcre2_set_match_limit(context.get(), kMatchLimit);
    pcre2_set_heap_limit(context.get(), kHeapLimitKiB);
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
};

// Quoted, and not too long for a sentence.
std::string shown(std::string_view pattern) {
  constexpr size_t kMost = 200;
  size_t length = std::min(pattern.size(), kMost);
  while (length < pattern.size() && is_utf8_continuation(pattern[length])) --length;
  return "'" + std::string(pattern.substr(0, length)) + (length < pattern.size() ? "...'" : "'");
}

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

MatchState& match_state() {
  thread_local MatchState state;
  return state;
}

class TrialLimit {
 public:
  TrialLimit() { pcre2_set_match_limit(match_state().context.get(), kTrialLimit); }
  ~TrialLimit() { pcre2_set_match_limit(match_state().context.get(), kMatchLimit); }
  TrialLimit(const TrialLimit&) = delete;
  TrialLimit& operator=(const TrialLimit&) = delete;
};

}  // namespace

struct Regex::Compiled {
  std::unique_ptr<pcre2_code, Pcre2Freeing<pcre2_code_free>> code;
  bool jit = false;

  // PCRE2's return code; the match's bounds on success. Only matches that begin at or in front of `last` are looked
  // for.
  int match(std::string_view text, size_t from, size_t& begin, size_t& end, size_t last = PCRE2_UNSET) const {
    MatchState& state = match_state();
    pcre2_set_offset_limit(state.context.get(), last);
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const int code_or_error =
        jit ? pcre2_jit_match(code.get(), subject, text.size(), from, 0, state.data.get(), state.context.get())
            : pcre2_match(code.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK, state.data.get(),
                          state.context.get());
    if (code_or_error < 0) return code_or_error;
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(state.data.get());
    begin = bounds[0];
    end = bounds[1];
    return code_or_error;
  }
};

Regex::Regex(std::string_view pattern, std::string_view source, std::string_view key)
    : compiled_(std::make_unique<Compiled>()), pattern_(pattern) {
  std::string translated;
  try {
    translated = pcre2_from_oniguruma(pattern);
  } catch (const std::invalid_argument& refusal) {
    throw LoadError(source, key, refusal.what());
  }
  const std::unique_ptr<pcre2_compile_context, Pcre2Freeing<pcre2_compile_context_free>> context(
      pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context.get(), 200);
  int error = 0;
  PCRE2_SIZE offset = 0;
  // The compiler of PCRE2 10.42 skips where a match starts: (?:.\w\S|\s)\p{Thai}*T finds nothing in "ab cd! T".
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C | PCRE2_DUPNAMES |
                                PCRE2_NO_START_OPTIMIZE | PCRE2_USE_OFFSET_LIMIT;
  compiled_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(), kOptions,
                                      &error, &offset, context.get()));
  if (!compiled_->code) {
    std::array<PCRE2_UCHAR, 256> message{};
    pcre2_get_error_message(error, message.data(), message.size());
    throw LoadError(source, key, std::string("regular expression: ") + reinterpret_cast<const char*>(message.data()));
  }
  // The compiler of PCRE2 10.42 goes back into atomic groups: (?>.+| ?). matches "ab".
  const bool atomic = translated.find("(?>") != std::string::npos;
  compiled_->jit = !atomic && pcre2_jit_compile(compiled_->code.get(), PCRE2_JIT_COMPLETE) == 0;
  refuse_exponential(source, key);
}

// A pattern of nested repeats runs out of steps on a row of its own characters that then does not end as it should.
void Regex::refuse_exponential(std::string_view source, std::string_view key) const {
  const TrialLimit limit;
  std::set<char32_t> letters = {U' ', U'a', U'1'};
  for (size_t at = 0; at < pattern_.size() && letters.size() < 24;) letters.insert(next_character(pattern_, at));
  for (const char32_t letter : letters) {
    std::string row;
    for (int i = 0; i < 32; ++i) append_character(row, letter);
    row += "\x01";
    size_t begin, end;
    for (size_t from = 0; from < row.size(); from = after(row, from)) {
      const int result = compiled_->match(row, from, begin, end);
      if (result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_HEAPLIMIT)
        throw LoadError(source, key, "regular expression: takes exponential time");
      if (result < 0) break;
    }
  }
}

Regex Regex::literal(std::string_view text) {
  Regex regex;
  regex.literal_ = text;
  return regex;
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

void Regex::Watch::look(const Regex& regex, size_t bytes) {
  const double now = processor_seconds();
  if (!started_) started_ = now;
  if (now - *started_ > kSeconds + kSecondsPerByte * static_cast<double>(bytes)) regex.fail_slow();
}

void Regex::fail_slow() const {
  throw RequestError(400,
                     "the tokenizer's regular expression " + shown(pattern_) + " takes too many steps on this text");
}

bool Regex::next(std::string_view text, size_t from, size_t& begin, size_t& end, Watch& watch) const {
  if (compiled_) {
    for (size_t window = from;; window = after(text, window)) {
      const size_t last = text.size() - window > kWindow ? window + kWindow : PCRE2_UNSET;
      const int result = compiled_->match(text, window, begin, end, last);
      if (result >= 0) return true;
      if (result != PCRE2_ERROR_NOMATCH) fail_slow();
      if (last == PCRE2_UNSET) return false;
      watch.look(*this, text.size());
      window = last;
      while (is_utf8_continuation(text[window])) --window;
    }
  }
  begin = text.find(literal_, from);
  end = begin + literal_.size();
  return begin != text.npos;
}

size_t Regex::after(std::string_view text, size_t at) { return at < text.size() ? at + utf8_length(text[at]) : at + 1; }

bool Regex::matches_empty() const {
  size_t begin, end;
  if (!compiled_) return literal_.empty();
  return compiled_->match("", 0, begin, end) >= 0 || compiled_->match("\x01", 0, begin, end) >= 0;
}

}  // namespace hearth::text
