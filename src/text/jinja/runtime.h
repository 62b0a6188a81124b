// One rendering's memory and its meters: the arena every value lives in, steps taken, bytes made.
//
// Threads: one rendering, one Runtime, one thread.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "text/jinja/value.h"
#include "text/template_limits.h"

namespace hearth::text::jinja {

// A template's statement failed. Becomes a TemplateError once the line is known.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

[[noreturn]] void fail(const std::string& message);

class Runtime {
 public:
  explicit Runtime(const TemplateLimits& limits) : limits_(limits) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const TemplateLimits& limits() const { return limits_; }

  // Counts work done; throws Failure beyond the limit.
  void step(size_t count = 1) {
    steps_ += count;
    if (steps_ > limits_.steps) too_many_steps();
  }
  // Counts the reading of so many bytes: 64 to a step.
  void charge_bytes(size_t bytes) { step(bytes / 64); }
  // Searching so many bytes for a short text: up to 5 ns each when it almost matches everywhere.
  void charge_search(size_t bytes) { step(bytes / 8); }

  // Memory that lives as long as the Runtime, aligned to 8. Throws Failure beyond the limit.
  void* allocate(size_t bytes) {
    bytes = (bytes + 7) & ~size_t{7};
    if (bytes > static_cast<size_t>(end_ - next_)) return allocate_chunk(bytes);
    char* memory = next_;
    next_ += bytes;
    return memory;
  }
  template <typename T, typename... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
    return new (allocate(sizeof(T))) T{std::forward<Args>(args)...};
  }
  template <typename T>
  T* make_array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(count * sizeof(T))) T[count];
  }

  // A string with a copy of `text`, or with `text` itself, which must outlive the rendering.
  Value string(std::string_view text, bool markup = false);
  Value borrow(std::string_view text, bool markup = false) {
    return Value::string(make<StringData>(text.data(), text.size()), markup);
  }
  // a followed by b. When a is the string made last, its memory is extended: building a text piece by piece is linear.
  Value concat(std::string_view a, std::string_view b, bool markup = false);

  // Several strings, one after the other.
  Value join(std::span<const Value> strings);

  Value list(std::span<const Value> items) { return Value::list(sequence(items)); }
  Value tuple(std::span<const Value> items) { return Value::tuple(sequence(items)); }
  Value tuple(std::initializer_list<Value> items) { return Value::tuple(sequence({items.begin(), items.size()})); }
  ListData* sequence(std::span<const Value> items);
  Value dict() { return Value::dict(make<DictData>()); }

  Value undefined(std::string_view hint) { return Value::undefined(make<UndefinedData>(hint, Value(), Value())); }
  Value undefined_name(Value name) { return Value::undefined(make<UndefinedData>("", Value(), name)); }
  Value undefined_of(Value owner, Value name) { return Value::undefined(make<UndefinedData>("", owner, name)); }

  // `json` as a value; it must outlive the rendering. Strings are not copied.
  Value from_json(const Json& json);

  class DepthGuard;

 private:
  void* allocate_chunk(size_t bytes);
  [[noreturn]] void too_many_steps() const;

  const TemplateLimits limits_;
  size_t steps_ = 0, bytes_ = 0;
  char *next_ = nullptr, *end_ = nullptr;
  char *grown_end_ = nullptr, *grown_limit_ = nullptr;  // see concat()
  size_t chunk_size_ = size_t{16} << 10;
  std::vector<std::unique_ptr<char[]>> chunks_;
  int depth_ = 0;

  friend class DepthGuard;
};

// Counts how deep the C++ stack has gone into nested values and calls. 3,000 levels are about 1 MB of stack.
class Runtime::DepthGuard {
 public:
  explicit DepthGuard(Runtime& runtime) : depth_(runtime.depth_) {
    if (++depth_ > 3000) {
      --depth_;
      fail("maximum recursion depth exceeded");
    }
  }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  int& depth_;
};

}  // namespace hearth::text::jinja
