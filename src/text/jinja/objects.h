// The values that are more than data: ranges, views, namespaces, iterators, functions, macros, loops.
//
// Each is made in a Runtime's arena and named by a Value of its Kind.
#pragma once

#include <span>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace hearth::text::jinja {

struct Keyword {
  std::string_view name;
  Value value;
};

// What a call passes.
struct Args {
  std::span<const Value> positional;
  std::span<const Keyword> keywords;
};

struct Range {
  int64_t start, stop, step;
  size_t count;
  // The product alone may wrap; the item, of those that there are, never does.
  Value at(size_t i) const {
    return Value::integer(static_cast<int64_t>(static_cast<uint64_t>(start) + i * static_cast<uint64_t>(step)));
  }
};

struct DictView {
  enum What : uint8_t { kKeys, kValues, kItems };
  What what;
  DictData* dict;
};

struct Namespace {
  DictData attributes;
  bool printing = false;  // it may contain itself
};

// Items one after the other, each once.
class Iterator {
 public:
  // Writes the next item to `item`, or returns false.
  virtual bool next(Runtime& runtime, Value& item) = 0;
  // What Python prints for it, up to the address.
  virtual std::string_view name() const { return "generator object"; }
};

// A method, property or forbidden name of a built-in type.
struct Attribute {
  using Method = Value (*)(Runtime&, Value self, const Args&);
  using Property = Value (*)(Runtime&, Value self);
  std::string_view name;
  Method method = nullptr;
  Property property = nullptr;  // neither: the sandbox refuses the name
};

struct BoundMethod {
  const Attribute* attribute;
  Value self;
};

struct Function {
  std::string_view name;
  Value (*call)(Runtime&, const Args&);
};

struct Cycler {
  std::span<const Value> items;
  size_t position = 0;
};

struct Joiner {
  Value separator;
  bool used = false;
};

// What `loop` is inside a loop. Looks one item ahead only when asked, as jinja2's does.
struct Loop {
  Value iterable;
  Iterator* iterator;
  size_t depth;                     // of recursion, from 0
  int64_t index = -1;               // of the current item, from 0
  int64_t length = -1;              // once known
  Value before, current, ahead;     // missing: none, none, not looked at
  bool exhausted = false;           // the look ahead found the end
  ListData* changed = nullptr;      // what changed() saw last
  const void* recursion = nullptr;  // the interpreter's, for recursive loops
  void* activation = nullptr;

  bool advance(Runtime& runtime, Value& item);
  Value peek(Runtime& runtime);  // missing at the end
  int64_t count(Runtime& runtime);
};

}  // namespace hearth::text::jinja
