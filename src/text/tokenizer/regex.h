// Regular expressions as the `tokenizers` library runs them (oniguruma, its own syntax and Unicode 16), by PCRE2's JIT.
//
// A pattern is translated first: every class becomes the exact set of code points oniguruma means, intersections and
// possessive or stacked quantifiers are rewritten, and whatever is not known is refused.
// Threads: find() may be called by many at once.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::text {

class Regex {
 public:
  // Throws LoadError(source, key, reason) when the pattern is malformed, not supported, longer than 64 KiB, or takes
  // exponential time on texts made of its own characters.
  Regex(std::string_view pattern, std::string_view source, std::string_view key);
  // Matches `text` as it stands.
  static Regex literal(std::string_view text);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  // Calls match(begin, end) for each match from left to right. Empty matches count, except right behind another match.
  // Throws RequestError, naming the pattern, when one match takes more than ten million steps, or all of them together
  // more than a second and 5 us a byte of processor time.
  template <typename Match>
  void find(std::string_view text, Match&& match) const {
    Watch watch;
    size_t at = 0, last_end = std::string_view::npos, begin, end;
    for (size_t found = 1; at <= text.size() && next(text, at, begin, end, watch); ++found) {
      if (found % 64 == 0 && compiled_) watch.look(*this, text.size());
      if (begin == end && begin == last_end) {
        at = after(text, at);
        continue;
      }
      match(begin, end);
      at = last_end = end;
    }
  }

  // Whether it can match without taking a character.
  bool matches_empty() const;
  // Whether the very same pattern; what the well-known ones are recognised by.
  const std::string& pattern() const { return pattern_; }

 private:
  // Sees to it that the search through one text does not take too long.
  class Watch {
   public:
    void look(const Regex& regex, size_t bytes);

   private:
    std::optional<double> started_;  // seconds
  };

  Regex() = default;
  bool next(std::string_view text, size_t from, size_t& begin, size_t& end, Watch& watch) const;
  [[noreturn]] void fail_slow() const;
  static size_t after(std::string_view text, size_t at);
  void refuse_exponential(std::string_view source, std::string_view key) const;

  struct Compiled;
  std::unique_ptr<Compiled> compiled_;  // null for a literal
  std::string pattern_, literal_;
};

// The translation alone: PCRE2 syntax of an oniguruma pattern. Throws std::invalid_argument with the reason.
std::string pcre2_from_oniguruma(std::string_view pattern);

}  // namespace hearth::text
