// Reads one JSON value a byte at a time, telling only its structure, and writes it as it should have been: what to
// stream, and whether it is valid.
//
// Source: RFC 8259. Nesting is limited to 64; lone surrogates and control characters in strings are errors.
// Repaired on demand, because one reading is left: raw control characters in strings, \' for ', Python's quotes and
// words (True, False, None), a comma before a closing bracket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::text {

inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

class JsonScanner {
 public:
  enum class Step { more, done, error };

  explicit JsonScanner(bool repair = false) : repair_(repair) {}

  // Takes the next byte. done: the object or array that began the text closed with this byte. An error between values
  // leaves the scanner before this byte.
  // Only objects and arrays may be the outermost value (nothing closes a number).
  Step push(char c);

  // About the byte just taken:
  std::string_view written() const { return written_; }  // what it adds to the valid text; may lag behind
  int depth() const { return depth_; }                   // containers open after it
  bool began_value() const { return began_value_; }      // it is the first byte of a value (or opens one)
  bool ended_key() const { return ended_key_; }          // it is the closing quote of a key
  bool between_values() const { return state_ == State::after_value || state_ == State::done; }  // a value has ended
  bool in_word() const { return state_ == State::literal; }  // inside true, false or null, written when they end

  bool repaired() const { return repaired_; }  // some byte was not written as it came

  // The brackets that are open, innermost first, if nothing else is missing: a value is complete and no comma follows.
  // Empty otherwise. A number at the end of an answer may have been cut, so `ended` lets none be the last.
  std::string missing(bool ended) const;

 private:
  enum class State {
    value,
    value_or_end,
    key,
    key_or_end,
    colon,
    after_value,
    string,
    escape,
    hex,
    number,
    literal,
    done
  };

  Step take(char c);
  Step between(char c);
  Step open(char c);
  Step close(char c);
  Step begin_value(char c);
  Step begin_string(char quote, bool is_key);
  Step in_string(char c);
  Step in_escape(char c);
  Step in_hex(char c);
  Step control(char c);
  bool word_is_valid() const;
  bool word_ends();
  void write(char c);
  bool mend() { return repair_ && (repaired_ = true); }
  void end_value() { state_ = depth_ == 0 ? State::done : State::after_value; }

  static constexpr int kDeepest = 64;
  bool repair_, repaired_ = false;
  State state_ = State::value;
  int depth_ = 0;
  uint64_t objects_ = 0;  // bit d: the container at depth d is an object
  bool string_is_key_ = false, began_value_ = false, ended_key_ = false;
  char quote_ = '"';  // of the string being read
  int hex_left_ = 0;
  uint32_t unit_ = 0;            // the \u escape being read
  bool high_surrogate_ = false;  // the last escape was one: a low one must follow
  std::string word_;             // number or literal being read
  std::string written_;
  std::string comma_;  // a comma and the white space behind it, written when something follows
};

// One JSON object, repaired; nothing if `text` is not one even then.
std::optional<std::string> repair_json(std::string_view text);

}  // namespace hearth::text
