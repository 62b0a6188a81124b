// The arena grows by chunks that double up to 1 MB; nothing is ever given back before the end. Dicts are arrays of
// entries, searched in order up to eight and through an open-addressing index beyond.
#include "text/jinja/runtime.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "text/jinja/operations.h"

namespace hearth::text::jinja {

void fail(const std::string& message) { throw Failure(message); }

void Runtime::too_many_steps() const {
  fail("the template takes more than " + std::to_string(limits_.steps) + " steps");
}

void* Runtime::allocate_chunk(size_t bytes) {
  if (bytes > limits_.bytes || bytes_ > limits_.bytes - bytes)
    fail("the template uses more than " + std::to_string(limits_.bytes) + " bytes");
  const size_t size = std::max(bytes, chunk_size_);
  chunk_size_ = std::min(chunk_size_ * 2, size_t{1} << 20);
  chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
  bytes_ += size;
  char* memory = chunks_.back().get();
  // What is left of a chunk goes on serving small requests unless the other is larger.
  if (size - bytes >= static_cast<size_t>(end_ - next_)) {
    next_ = memory + bytes;
    end_ = memory + size;
  }
  return memory;
}

Value Runtime::string(std::string_view text, bool markup) {
  charge_bytes(text.size());
  char* copy = static_cast<char*>(allocate(text.size()));
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  return borrow({copy, text.size()}, markup);
}

Value Runtime::concat(std::string_view a, std::string_view b, bool markup) {
  if (b.empty()) return borrow(a, markup);
  char* after = const_cast<char*>(a.data()) + a.size();
  // `grown_end_` is the first free byte behind the string grown last: nobody else's bytes lie there.
  if (after == grown_end_ && b.size() <= static_cast<size_t>(grown_limit_ - grown_end_)) {
    charge_bytes(b.size());
    std::memcpy(after, b.data(), b.size());
    grown_end_ += b.size();
    return borrow({a.data(), a.size() + b.size()}, markup);
  }
  const size_t size = a.size() + b.size();
  charge_bytes(size);
  // Only long texts get room to grow: short ones are mostly joined once.
  const size_t room = size < 1024 ? size : size * 2;
  char* copy = static_cast<char*>(allocate(room));
  if (!a.empty()) std::memcpy(copy, a.data(), a.size());
  std::memcpy(copy + a.size(), b.data(), b.size());
  if (room > size) {
    grown_end_ = copy + size;
    grown_limit_ = copy + room;
  }
  return borrow({copy, size}, markup);
}

Value Runtime::join(std::span<const Value> strings) {
  constexpr size_t kShort = 1024;
  size_t size = 0;
  for (const Value string : strings) size += string.view().size();
  if (size >= kShort) {  // what is long may go on growing
    Value joined = strings[0];
    for (const Value string : strings.subspan(1)) joined = concat(joined.view(), string.view());
    return joined;
  }
  charge_bytes(size);
  char* const begin = static_cast<char*>(allocate(size));
  char* end = begin;
  for (const Value string : strings) end = std::copy_n(string.view().data(), string.view().size(), end);
  return borrow({begin, size});
}

ListData* Runtime::sequence(std::span<const Value> items) {
  step(items.size() / 8);
  ListData* list = make<ListData>();
  list->values = make_array<Value>(items.size());
  list->count = items.size();
  std::copy(items.begin(), items.end(), list->values);
  return list;
}

Value Runtime::from_json(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean: return Value::boolean(json.get<bool>());
    case Json::value_t::number_integer: return Value::integer(json.get<int64_t>());
    case Json::value_t::number_unsigned: {
      const auto number = json.get<uint64_t>();
      return number > INT64_MAX ? Value::huge(number) : Value::integer(static_cast<int64_t>(number));
    }
    case Json::value_t::number_float: return Value::real(json.get<double>());
    case Json::value_t::string: return borrow(json.get_ref<const std::string&>());
    case Json::value_t::array: {
      ListData* list = make<ListData>();
      list->count = json.size();
      list->source = &json;
      return Value::list(list);
    }
    case Json::value_t::object: {
      DictData* dict = make<DictData>();
      dict->count = static_cast<uint32_t>(json.size());
      dict->source = &json;
      return Value::dict(dict);
    }
    default: return Value::none();
  }
}

std::span<const Value> ListData::items(Runtime& runtime) {
  if (source != nullptr && values == nullptr) {
    runtime.step(count);
    values = runtime.make_array<Value>(count);
    for (size_t i = 0; i < count; ++i) values[i] = runtime.from_json((*source)[i]);
  }
  return {values, count};
}

std::span<const Entry> DictData::entries(Runtime& runtime) {
  if (source != nullptr && values == nullptr) {
    runtime.step(count);
    values = runtime.make_array<Entry>(count);
    capacity = count;
    Entry* entry = values;
    for (const auto& [key, item] : source->get_ref<const Json::object_t&>())
      *entry++ = {runtime.borrow(key), runtime.from_json(item)};
  }
  return {values, count};
}

const Value* DictData::find(Runtime& runtime, std::string_view key) {
  const auto all = entries(runtime);
  runtime.charge_bytes(key.size());
  if (all.size() <= 8) {
    for (const Entry& entry : all) {
      if (!entry.key.is_string() || entry.key.text()->size != key.size()) continue;
      runtime.charge_bytes(key.size());
      if (entry.key.view() == key) return &entry.value;
    }
    return nullptr;
  }
  const StringData text{key.data(), key.size()};
  return probe(runtime, Value::string(&text), std::hash<std::string_view>{}(key));
}

const Value* DictData::find(Runtime& runtime, Value key) {
  if (key.is_string()) return find(runtime, key.view());
  const size_t hash = hash_value(runtime, key);
  const auto all = entries(runtime);
  if (all.size() > 8) return probe(runtime, key, hash);
  for (const Entry& entry : all)
    if (equals(runtime, entry.key, key)) return &entry.value;
  return nullptr;
}

const Value* DictData::probe(Runtime& runtime, Value key, size_t hash) {
  if (index == nullptr) build_index(runtime);
  for (size_t at = hash & index_mask; index[at] != 0; at = (at + 1) & index_mask) {
    runtime.step();
    const Entry& entry = values[index[at] - 1];
    if (equals(runtime, entry.key, key)) return &entry.value;
  }
  return nullptr;
}

void DictData::build_index(Runtime& runtime) {
  size_t slots = 32;
  while (slots < size_t{capacity} * 2 + 2) slots *= 2;
  index = runtime.make_array<uint32_t>(slots);
  std::fill_n(index, slots, 0);
  index_mask = static_cast<uint32_t>(slots - 1);
  for (uint32_t i = 0; i < count; ++i) {
    size_t at = hash_value(runtime, values[i].key) & index_mask;
    for (; index[at] != 0; at = (at + 1) & index_mask) runtime.step();
    index[at] = i + 1;
  }
}

void DictData::set(Runtime& runtime, Value key, Value value) {
  if (const Value* found = find(runtime, key)) {
    *const_cast<Value*>(found) = value;
    return;
  }
  if (!key.is_string()) hash_value(runtime, key);  // refuses what cannot be a key
  append(runtime, key, value);
}

void DictData::append(Runtime& runtime, Value key, Value value) {
  if (count == capacity) {
    const uint32_t larger = std::max<uint32_t>(4, capacity * 2);
    Entry* moved = runtime.make_array<Entry>(larger);
    std::copy(values, values + count, moved);
    values = moved;
    capacity = larger;
    index = nullptr;
  }
  values[count++] = {key, value};
  if (index != nullptr) {
    size_t at = hash_value(runtime, key) & index_mask;
    for (; index[at] != 0; at = (at + 1) & index_mask) runtime.step();
    index[at] = count;
  }
}

}  // namespace hearth::text::jinja
