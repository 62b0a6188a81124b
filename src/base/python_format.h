// Text exactly as Python writes it: json.dumps, repr and str of numbers, strings and JSON values.
//
// Source: Python 3.11, Lib/json/encoder.py and the built-in types' repr.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace hearth {

// The arguments of json.dumps that templates and prompts use.
struct JsonDumpsOptions {
  bool ensure_ascii = true;                          // write everything beyond ASCII as \uXXXX
  std::optional<std::string> indent = std::nullopt;  // one level's indentation; none: everything on one line
  // ", " without and "," with indentation when not given.
  std::optional<std::string> item_separator = std::nullopt;
  std::string key_separator = ": ";
  bool sort_keys = false;  // by code points
};

// The brackets, commas and line breaks of json.dumps, around items that the caller writes. Lifetime: text and options
// outlive it.
class JsonLayout {
 public:
  JsonLayout(std::string& out, const JsonDumpsOptions& options)
      : out_(out), options_(options), item_separator_(options.item_separator.value_or(options.indent ? "," : ", ")) {}

  void open(char bracket);
  void close(char bracket);
  // Before each item; `first` must be true before the first, and is false then.
  void separate(bool& first);

  int level() const { return level_; }  // brackets that are open
  // The most bytes that the next of these calls writes.
  size_t next_bytes() const;

 private:
  void new_line();

  std::string& out_;
  const JsonDumpsOptions& options_;
  const std::string item_separator_;
  int level_ = 0;
};

// json.dumps(value). Requires valid UTF-8 in strings.
std::string python_json_dumps(const Json& value, const JsonDumpsOptions& options = {});
void append_json_dumps(std::string& out, const Json& value, const JsonDumpsOptions& options);

// A JSON string literal with its quotes, as json.dumps writes it.
void append_json_string(std::string& out, std::string_view text, bool ensure_ascii);

// repr(float): the shortest digits that give the same double back; "1e+16", "0.0001", "1e-05", "inf", "nan".
std::string python_repr_float(double value);
// json.dumps(float): as repr, but "Infinity", "-Infinity", "NaN".
std::string python_json_float(double value);

// repr(str): single quotes unless only those occur inside; unprintable characters escaped. Requires valid UTF-8.
void append_python_repr(std::string& out, std::string_view text);

// repr of a JSON value as json.loads gives it: None, True, 'text', [1, 2.0], {'a': 'b'}.
std::string python_repr(const Json& value);
// str of it: as repr, but a string is itself.
std::string python_str(const Json& value);

}  // namespace hearth
