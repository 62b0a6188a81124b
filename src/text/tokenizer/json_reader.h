// Reads JSON value by value, in the order of the text, without building a tree: a tokenizer.json holds up to half a
// million strings, and a tree of them costs more time than everything else in loading.
//
// The text must be well-formed UTF-8 (the constructor checks). Every member throws LoadError(source, keys, "not valid
// JSON at byte N") when the text is not what it asks for, with the keys it stands under. Nesting beyond 64 is refused.
// Lifetime: the text must outlive the reader; a string_view it returns lives until the next call.
// Source:   RFC 8259; serde_json 1.0, de.rs (numbers).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace hearth::text {

class JsonReader {
 public:
  JsonReader(std::string_view text, std::string_view source);

  // The first character of the next value or punctuation; 0 at the end.
  char peek() {
    skip_space();
    return at_ < end_ ? *at_ : 0;
  }

  // begin_object(); while (next_key(key)) <read one value>;
  void begin_object() { open('{'); }
  bool next_key(std::string& key);
  bool next_key(std::string_view& key);  // which lives until the next string
  // begin_array(); while (next_element()) <read one value>;
  void begin_array() { open('['); }
  bool next_element() { return next_item(']'); }

  std::string_view string();
  // An integer in [0, 2^63). A fraction or an exponent is refused.
  int64_t integer();
  // Finite. The double that serde_json makes of it, which is not always the nearest.
  double number();
  bool boolean();
  // Takes a null if one is next.
  bool null();
  // Passes over one value of any kind; its text. NaN, Infinity and -Infinity, which Python writes, are values here.
  std::string_view skip_value();

  // Bytes not read yet.
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  // Nothing but white space is left, or it throws.
  void expect_end();
  [[noreturn]] void fail() const;
  [[noreturn]] void fail(std::string_view reason) const;

 private:
  // In an indented file more than half of all bytes are spaces at the beginning of lines.
  void skip_space() {
    constexpr uint64_t kSpaces = 0x2020202020202020u;
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
      ++at_;
      for (uint64_t word; end_ - at_ >= 8 && (std::memcpy(&word, at_, 8), word == kSpaces);) at_ += 8;
    }
  }
  static constexpr int kMaxDepth = 64;
  void open(char bracket);
  bool next_item(char closing);
  void expect(char c);
  void unescape();
  uint32_t hex4();
  std::string_view number_text();
  // Takes one of Python's constants if one is next.
  bool constant();

  std::string source_;
  const char* begin_;
  const char* at_;
  const char* end_;
  bool fresh_ = false;  // just after an opening bracket: no comma is due
  int depth_ = 0;
  std::array<std::string_view, kMaxDepth + 1> keys_;  // by depth, as the text spells them; empty in an array
  std::string scratch_;
};

}  // namespace hearth::text
