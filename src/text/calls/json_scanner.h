// Reads one JSON value a byte at a time, telling only its structure: what to stream, and whether it is valid.
//
// Source: RFC 8259. Nesting is limited to 64; lone surrogates and control characters in strings are errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::text {

inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

class JsonScanner {
 public:
  enum class Step { more, done, error };

  // Takes the next byte. done: the object or array that began the text closed with this byte.
  // Only objects and arrays may be the outermost value (nothing closes a number).
  Step push(char c);

  // About the byte just taken:
  int depth() const { return depth_; }               // containers open after it
  bool began_value() const { return began_value_; }  // it is the first byte of a value (or opens one)
  bool ended_key() const { return ended_key_; }      // it is the closing quote of a key
  bool between_values() const { return state_ == State::after_value || state_ == State::done; }  // a value has ended

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
  Step open(char c);
  Step close(char c);
  Step begin_value(char c);
  Step in_string(char c);
  Step in_hex(char c);
  bool number_ends();
  void end_value() { state_ = depth_ == 0 ? State::done : State::after_value; }

  static constexpr int kDeepest = 64;
  State state_ = State::value;
  int depth_ = 0;
  uint64_t objects_ = 0;  // bit d: the container at depth d is an object
  bool string_is_key_ = false, began_value_ = false, ended_key_ = false;
  int hex_left_ = 0;
  uint32_t unit_ = 0;            // the \u escape being read
  bool high_surrogate_ = false;  // the last escape was one: a low one must follow
  std::string word_;             // number or literal being read
};

}  // namespace hearth::text
