// Iterators over every iterable kind, and the loop variable on top of them.
#include <algorithm>

#include "base/unicode.h"
#include "text/jinja/objects.h"
#include "text/jinja/operations.h"

namespace hearth::text::jinja {

namespace {

class SpanIterator : public Iterator {
 public:
  explicit SpanIterator(std::span<const Value> items) : items_(items) {}
  bool next(Runtime& runtime, Value& item) override {
    if (at_ == items_.size()) return false;
    runtime.step();
    item = items_[at_++];
    return true;
  }

 private:
  std::span<const Value> items_;
  size_t at_ = 0;
};

class CharacterIterator : public Iterator {
 public:
  explicit CharacterIterator(Value text) : text_(text) {}
  bool next(Runtime& runtime, Value& item) override {
    const std::string_view text = text_.view();
    if (at_ == text.size()) return false;
    runtime.step();
    const size_t begin = at_;
    next_character(text, at_);
    item = runtime.borrow(text.substr(begin, at_ - begin));  // plain, also for Markup
    return true;
  }

 private:
  Value text_;
  size_t at_ = 0;
};

class RangeIterator : public Iterator {
 public:
  explicit RangeIterator(const Range& range) : range_(range) {}
  bool next(Runtime& runtime, Value& item) override {
    if (at_ == range_.count) return false;
    runtime.step();
    item = range_.at(at_++);
    return true;
  }

 private:
  const Range range_;
  size_t at_ = 0;
};

class DictIterator : public Iterator {
 public:
  DictIterator(DictView::What what, std::span<const Entry> entries) : what_(what), entries_(entries) {}
  bool next(Runtime& runtime, Value& item) override {
    if (at_ == entries_.size()) return false;
    runtime.step();
    const Entry& entry = entries_[at_++];
    item = what_ == DictView::kKeys     ? entry.key
           : what_ == DictView::kValues ? entry.value
                                        : runtime.tuple({entry.key, entry.value});
    return true;
  }

 private:
  DictView::What what_;
  std::span<const Entry> entries_;
  size_t at_ = 0;
};

}  // namespace

Iterator* try_iterate(Runtime& runtime, Value value) {
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kTuple: return runtime.make<SpanIterator>(value.list_data()->items(runtime));
    case Kind::kDict: return runtime.make<DictIterator>(DictView::kKeys, value.dict_data()->entries(runtime));
    case Kind::kDictView: {
      const DictView& view = value.as<DictView>();
      return runtime.make<DictIterator>(view.what, view.dict->entries(runtime));
    }
    case Kind::kString: return runtime.make<CharacterIterator>(value);
    case Kind::kRange: return runtime.make<RangeIterator>(value.as<Range>());
    case Kind::kIterator: return &value.as<Iterator>();
    case Kind::kUndefined: return runtime.make<SpanIterator>(std::span<const Value>());
    default: return nullptr;
  }
}

Iterator* iterate(Runtime& runtime, Value value) {
  if (Iterator* iterator = try_iterate(runtime, value)) return iterator;
  fail("'" + std::string(type_name(value)) + "' object is not iterable");
}

std::vector<Value> collect(Runtime& runtime, Value value) {
  if (value.is_sequence()) {
    const auto items = value.list_data()->items(runtime);
    runtime.step(items.size() / 8);
    return {items.begin(), items.end()};
  }
  std::vector<Value> items;
  Iterator* iterator = iterate(runtime, value);
  const size_t limit = runtime.limits().bytes / sizeof(Value);
  for (Value item; iterator->next(runtime, item);) {
    if (items.size() == limit) fail("the template makes a list of more than " + std::to_string(limit) + " items");
    items.push_back(item);
  }
  return items;
}

int64_t length_or_negative(Runtime& runtime, Value value) {
  switch (value.kind()) {
    case Kind::kString: return static_cast<int64_t>(characters(*value.text()));
    case Kind::kList:
    case Kind::kTuple: return static_cast<int64_t>(value.list_data()->count);
    case Kind::kDict: return value.dict_data()->count;
    case Kind::kDictView: return value.as<DictView>().dict->count;
    case Kind::kRange: return static_cast<int64_t>(value.as<Range>().count);
    case Kind::kUndefined: return 0;
    case Kind::kLoop: return value.as<Loop>().count(runtime);
    default: return -1;
  }
}

int64_t length(Runtime& runtime, Value value) {
  const int64_t size = length_or_negative(runtime, value);
  if (size < 0) fail("object of type '" + std::string(type_name(value)) + "' has no len()");
  return size;
}

bool Loop::advance(Runtime& runtime, Value& item) {
  if (!ahead.is_missing()) {
    item = ahead;
    ahead = Value();
  } else if (exhausted || !iterator->next(runtime, item)) {
    return false;
  }
  ++index;
  before = current;
  current = item;
  return true;
}

Value Loop::peek(Runtime& runtime) {
  if (ahead.is_missing() && !exhausted && !iterator->next(runtime, ahead)) {
    exhausted = true;
    ahead = Value();
  }
  return ahead;
}

int64_t Loop::count(Runtime& runtime) {
  if (length >= 0) return length;
  length = length_or_negative(runtime, iterable);
  if (length < 0) {
    const std::vector<Value> rest = collect(runtime, Value::object(Kind::kIterator, iterator));
    iterator = iterate(runtime, runtime.list(rest));
    length = static_cast<int64_t>(rest.size()) + index + 1 + (ahead.is_missing() ? 0 : 1);
  }
  return length;
}

}  // namespace hearth::text::jinja
