// The exceptions that leave the library. A caller's mistake is std::invalid_argument, its message begins "[function]".
// They are caught where a request ends (the engine's step, a conversation's turn, a line of input) and in cli/run.cpp.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hearth {

// A file that cannot be used: missing, damaged, or not what its name says. The message is one line:
// "<path>: <key>: <reason>", or "<path>: <reason>" when no single key is at fault.
class LoadError : public std::runtime_error {
 public:
  LoadError(std::string_view path, std::string_view key, std::string_view reason);
  LoadError(std::string_view path, std::string_view reason);

  const std::string& path() const { return path_; }
  const std::string& key() const { return key_; }

 private:
  std::string path_, key_;
};

// A request that cannot be served as asked. `status` is an HTTP status (400 the request, 413 too long, 429 busy,
// 507 memory), the message a sentence for whoever sent it.
class RequestError : public std::runtime_error {
 public:
  RequestError(int status, const std::string& sentence) : std::runtime_error(sentence), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

// More memory was asked for than there is. Bytes.
class OutOfMemory : public std::runtime_error {
 public:
  OutOfMemory(size_t asked, size_t free, size_t limit);
  size_t asked() const { return asked_; }
  size_t free() const { return free_; }
  size_t limit() const { return limit_; }

 private:
  size_t asked_, free_, limit_;
};

}  // namespace hearth
