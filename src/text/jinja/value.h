// What a template computes with: Python's values, as far as a sandboxed template can see them.
//
// Everything a rendering makes lives in its Runtime's arena and ends with it, so a Value is 16 bytes copied freely,
// with no counts. Lists, tuples and dicts never change once a template can see them; only namespaces, loops and
// iterators do. Arrays and objects that came as JSON are unpacked one level at a time, when first touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"

namespace hearth::text::jinja {

class Runtime;

enum class Kind : uint8_t {
  kMissing,  // a variable without a value; a template never sees it
  kUndefined,
  kNone,
  kBool,
  kInt,
  kHuge,  // an integer beyond int64 that came with the data: printed, compared, nothing else
  kFloat,
  kString,
  kList,
  kTuple,
  kDict,
  kDictView,
  kRange,
  kNamespace,
  kIterator,  // a generator: read once
  kLoop,
  kMacro,
  kMethod,
  kFunction,
  kCycler,
  kJoiner,
  kSelf,   // the template's blocks
  kBlock,  // one of them
};
constexpr int kKinds = static_cast<int>(Kind::kBlock) + 1;

// Text in UTF-8 and, once known, its length in characters.
struct StringData {
  static constexpr size_t kUnknown = ~size_t{0};
  const char* data;
  size_t size;
  mutable size_t characters = kUnknown;

  std::string_view view() const { return {data, size}; }
};

struct ListData;
struct DictData;
struct UndefinedData;

class Value {
 public:
  constexpr Value() : kind_(Kind::kMissing), integer_(0) {}
  static Value none() { return Value(Kind::kNone); }
  static Value boolean(bool v) { return Value(Kind::kBool, v); }
  static Value integer(int64_t v) { return Value(Kind::kInt, v); }
  static Value huge(uint64_t v) { return Value(Kind::kHuge, static_cast<int64_t>(v)); }
  static Value real(double v) {
    Value value(Kind::kFloat);
    value.real_ = v;
    return value;
  }
  static Value string(const StringData* v, bool markup = false) {
    Value value(Kind::kString);
    value.string_ = v;
    value.markup_ = markup;
    return value;
  }
  static Value list(ListData* v) { return Value(Kind::kList, v); }
  static Value tuple(ListData* v) { return Value(Kind::kTuple, v); }
  static Value dict(DictData* v) { return Value(Kind::kDict, v); }
  static Value undefined(const UndefinedData* v) { return Value(Kind::kUndefined, const_cast<UndefinedData*>(v)); }
  static Value object(Kind kind, void* v) { return Value(kind, v); }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_missing() const { return kind_ == Kind::kMissing; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_sequence() const { return kind_ == Kind::kList || kind_ == Kind::kTuple; }
  // int or bool, Python's int.
  bool is_integral() const { return kind_ == Kind::kInt || kind_ == Kind::kBool; }
  bool is_number() const { return is_integral() || kind_ == Kind::kFloat || kind_ == Kind::kHuge; }
  // str.__html__ is there: a Markup string, which escapes what is joined to it.
  bool is_markup() const { return markup_; }

  bool as_bool() const { return integer_ != 0; }
  int64_t as_int() const { return integer_; }
  uint64_t as_huge() const { return static_cast<uint64_t>(integer_); }
  double as_real() const { return real_; }
  const StringData* text() const { return string_; }
  std::string_view view() const { return string_->view(); }
  ListData* list_data() const { return static_cast<ListData*>(pointer_); }
  DictData* dict_data() const { return static_cast<DictData*>(pointer_); }
  const UndefinedData* undefined_data() const { return static_cast<UndefinedData*>(pointer_); }
  template <typename T>
  T& as() const {
    return *static_cast<T*>(pointer_);
  }
  const void* identity() const { return pointer_; }

 private:
  constexpr explicit Value(Kind kind) : kind_(kind), integer_(0) {}
  constexpr Value(Kind kind, int64_t v) : kind_(kind), integer_(v) {}
  Value(Kind kind, void* v) : kind_(kind), pointer_(v) {}

  Kind kind_;
  bool markup_ = false;
  union {
    int64_t integer_;
    double real_;
    const StringData* string_;
    void* pointer_;
  };
};

// Items of a list or tuple. Until first touched a JSON array's are only its address.
struct ListData {
  Value* values = nullptr;
  size_t count = 0;
  const Json* source = nullptr;
  // Set where a value of groupby answers to .grouper and .list as well.
  bool is_group = false;

  std::span<const Value> items(Runtime& runtime);
};

struct Entry {
  Value key, value;
};

// A dict: entries in order of insertion, with an index from nine entries on.
struct DictData {
  Entry* values = nullptr;
  uint32_t count = 0, capacity = 0;
  uint32_t* index = nullptr;  // open addressing: position + 1, or 0
  uint32_t index_mask = 0;
  const Json* source = nullptr;

  std::span<const Entry> entries(Runtime& runtime);
  size_t size(Runtime& runtime) { return entries(runtime).size(); }
  // The value for `key`, or null. Throws Failure when the key cannot be hashed.
  const Value* find(Runtime& runtime, Value key);
  const Value* find(Runtime& runtime, std::string_view key);
  // Adds an entry whose key is a string that the dict does not have.
  void append(Runtime& runtime, Value key, Value value);
  // Only while nobody else sees the dict, and for namespaces.
  void set(Runtime& runtime, Value key, Value value);

 private:
  void build_index(Runtime& runtime);
  const Value* probe(Runtime& runtime, Value key, size_t hash);
};

// Why a value is undefined; the message is made only when somebody fails over it.
struct UndefinedData {
  std::string_view hint;  // the whole message, when not empty
  Value owner;            // what lacks `name`; missing: a variable
  Value name;
};

}  // namespace hearth::text::jinja
