#include "base/error.h"

namespace hearth {

namespace {

// Foreign names can hold anything; an error stays one printable line of bounded length.
std::string one_line(std::string_view text) {
  constexpr size_t kLongest = 400;
  std::string line;
  for (char c : text.substr(0, kLongest)) line += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '?' : c;
  if (text.size() > kLongest) line += "...";
  return line;
}

}  // namespace

LoadError::LoadError(std::string_view path, std::string_view key, std::string_view reason)
    : std::runtime_error(one_line(path) + ": " + (key.empty() ? "" : one_line(key) + ": ") + one_line(reason)),
      path_(path),
      key_(key) {}

LoadError::LoadError(std::string_view path, std::string_view reason) : LoadError(path, "", reason) {}

OutOfMemory::OutOfMemory(size_t asked, size_t free, size_t limit)
    : std::runtime_error("out of memory: asked for " + std::to_string(asked) + " bytes, " + std::to_string(free) +
                         " free of a limit of " + std::to_string(limit)),
      asked_(asked),
      free_(free),
      limit_(limit) {}

}  // namespace hearth
