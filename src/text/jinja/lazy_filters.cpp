// Filters that are generators in jinja2: nothing happens, and nothing fails, before an item is asked for.
#include <algorithm>

#include "text/jinja/filters.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

namespace {

template <typename T, typename... Args>
Value generator(Runtime& runtime, Args&&... args) {
  Iterator* iterator = runtime.make<T>(std::forward<Args>(args)...);
  return Value::object(Kind::kIterator, iterator);
}

// A generator over `input`, opened at the first item; with `skip_empty`, not even opened when it is false.
class Generator : public Iterator {
 public:
  Generator(Value input, bool skip_empty) : input_(input), skip_empty_(skip_empty) {}

  bool next(Runtime& runtime, Value& item) override {
    if (done_) return false;
    const Runtime::DepthGuard guard(runtime);  // generators over generators over ...
    if (source_ == nullptr && !open(runtime)) return false;
    done_ = !produce(runtime, item);
    return !done_;
  }

 protected:
  virtual void prepare(Runtime&) {}
  virtual bool produce(Runtime& runtime, Value& item) = 0;
  bool pull(Runtime& runtime, Value& item) { return source_->next(runtime, item); }

 private:
  bool open(Runtime& runtime) {
    done_ = skip_empty_ && !truthy(runtime, input_);
    if (done_) return false;
    prepare(runtime);
    source_ = iterate(runtime, input_);
    return true;
  }

  Value input_;
  bool skip_empty_;
  bool done_ = false;
  Iterator* source_ = nullptr;
};

// The arguments of a filter, kept beyond its call.
Args keep(Runtime& runtime, const Args& args) {
  Keyword* keywords = runtime.make_array<Keyword>(args.keywords.size());
  std::copy(args.keywords.begin(), args.keywords.end(), keywords);
  return {runtime.sequence(args.positional)->items(runtime), {keywords, args.keywords.size()}};
}

Args without_first(const Args& args, size_t count) { return {args.positional.subspan(count), args.keywords}; }

[[noreturn]] void fail_unknown(Runtime& runtime, const char* what, Value name) {
  std::string text;
  append_repr(runtime, text, name);
  fail(std::string("No ") + what + " named " + text + ".");
}

class MapGenerator : public Generator {
 public:
  MapGenerator(Value input, const Args& args) : Generator(input, true), args_(args) {}
  std::string_view name() const override { return "generator object sync_do_map"; }

 protected:
  void prepare(Runtime& runtime) override {
    if (args_.positional.empty() && !args_.keywords.empty()) {
      for (const Keyword& keyword : args_.keywords)
        if (keyword.name == "attribute") path_ = runtime.make<AttributePath>(runtime, keyword.value);
      for (const Keyword& keyword : args_.keywords) {
        if (path_ == nullptr || keyword.name == "attribute") continue;
        if (keyword.name != "default") fail("Unexpected keyword argument '" + std::string(keyword.name) + "'");
        if (!keyword.value.is(Kind::kNone)) default_ = keyword.value;
      }
      if (path_ != nullptr) return;
    }
    if (args_.positional.empty()) fail("map requires a filter argument");
  }

  bool produce(Runtime& runtime, Value& item) override {
    if (!pull(runtime, item)) return false;
    if (path_ != nullptr) {
      item = path_->of(runtime, item, default_);
      return true;
    }
    if (filter_ == nullptr) {
      const Value name = args_.positional[0];
      filter_ = name.is_string() ? find_filter(name.view()) : nullptr;
      if (filter_ == nullptr) fail_unknown(runtime, "filter", name);
    }
    runtime.step(8);
    item = filter_->apply(runtime, item, without_first(args_, 1));
    return true;
  }

 private:
  Args args_;
  const AttributePath* path_ = nullptr;
  Value default_;
  const FilterEntry* filter_ = nullptr;
};

// select, reject and their attribute forms.
class SelectGenerator : public Generator {
 public:
  SelectGenerator(Value input, const Args& args, bool by_attribute, bool reject)
      : Generator(input, true), args_(args), by_attribute_(by_attribute), reject_(reject) {}
  std::string_view name() const override { return "generator object select_or_reject"; }

 protected:
  void prepare(Runtime& runtime) override {
    if (!by_attribute_) return;
    if (args_.positional.empty()) fail("Missing parameter for attribute name");
    path_ = runtime.make<AttributePath>(runtime, args_.positional[0]);
    args_ = without_first(args_, 1);
  }

  bool produce(Runtime& runtime, Value& item) override {
    while (pull(runtime, item)) {
      const Value tested = path_ == nullptr ? item : path_->of(runtime, item);
      if (holds(runtime, tested) != reject_) return true;
    }
    return false;
  }

 private:
  bool holds(Runtime& runtime, Value value) {
    if (args_.positional.empty()) return truthy(runtime, value);
    if (test_ == nullptr) {
      const Value name = args_.positional[0];
      test_ = name.is_string() ? find_test(name.view()) : nullptr;
      if (test_ == nullptr) fail_unknown(runtime, "test", name);
    }
    return test_->holds(runtime, value, without_first(args_, 1));
  }

  Args args_;
  bool by_attribute_, reject_;
  const AttributePath* path_ = nullptr;
  const TestEntry* test_ = nullptr;
};

template <bool ByAttribute, bool Reject>
Value select_filter(Runtime& runtime, Value input, const Args& args) {
  return generator<SelectGenerator>(runtime, input, keep(runtime, args), ByAttribute, Reject);
}

Value map_filter(Runtime& runtime, Value input, const Args& args) {
  return generator<MapGenerator>(runtime, input, keep(runtime, args));
}

class ItemsGenerator : public Iterator {
 public:
  explicit ItemsGenerator(Value input) : input_(input) {}
  std::string_view name() const override { return "generator object do_items"; }
  bool next(Runtime& runtime, Value& item) override {
    if (input_.is(Kind::kUndefined)) return false;
    if (!input_.is(Kind::kDict)) fail("Can only get item pairs from a mapping.");
    const auto entries = input_.dict_data()->entries(runtime);
    if (at_ == entries.size()) return false;
    runtime.step();
    item = runtime.tuple({entries[at_].key, entries[at_].value});
    ++at_;
    return true;
  }

 private:
  Value input_;
  size_t at_ = 0;
};

Value items_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "items");
  return generator<ItemsGenerator>(runtime, input);
}

class UniqueGenerator : public Generator {
 public:
  UniqueGenerator(Value input, AttributePath path, bool case_sensitive)
      : Generator(input, false), path_(path), case_sensitive_(case_sensitive) {}
  std::string_view name() const override { return "generator object sync_do_unique"; }

 protected:
  bool produce(Runtime& runtime, Value& item) override {
    while (pull(runtime, item)) {
      Value key = path_.of(runtime, item);
      if (!case_sensitive_ && key.is_string()) key = runtime.string(lower(key.view()));
      if (seen_.find(runtime, key) != nullptr) continue;
      seen_.set(runtime, key, Value::none());
      return true;
    }
    return false;
  }

 private:
  AttributePath path_;
  bool case_sensitive_;
  DictData seen_;
};

Value unique_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [case_sensitive, attribute] = bind(args, "unique", {"case_sensitive", "attribute"});
  const bool exact = !case_sensitive.is_missing() && truthy(runtime, case_sensitive);
  return generator<UniqueGenerator>(runtime, input, AttributePath(runtime, attribute), exact);
}

class BatchGenerator : public Generator {
 public:
  BatchGenerator(Value input, Value count, Value fill) : Generator(input, false), count_(count), fill_(fill) {}
  std::string_view name() const override { return "generator object do_batch"; }

 protected:
  bool produce(Runtime& runtime, Value& batch) override {
    std::vector<Value> items;
    if (!waiting_.is_missing()) items.push_back(waiting_);
    waiting_ = Value();
    for (Value item; pull(runtime, item);) {
      if (equals(runtime, Value::integer(static_cast<int64_t>(items.size())), count_)) {
        waiting_ = item;
        batch = runtime.list(items);
        return true;
      }
      items.push_back(item);
    }
    if (items.empty()) return false;
    if (!fill_.is(Kind::kNone) &&
        compare(runtime, Order::kLess, Value::integer(static_cast<int64_t>(items.size())), count_)) {
      const int64_t count = to_index(runtime, count_, "batch");
      if (static_cast<uint64_t>(count) > runtime.limits().bytes / sizeof(Value)) fail("batch(): the list is too long");
      items.resize(static_cast<size_t>(count), fill_);
    }
    batch = runtime.list(items);
    return true;
  }

 private:
  Value count_, fill_, waiting_;
};

Value batch_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [count, fill] = bind(args, "batch", {"linecount", "fill_with"}, 1);
  return generator<BatchGenerator>(runtime, input, count, fill.is_missing() ? Value::none() : fill);
}

class SliceGenerator : public Iterator {
 public:
  SliceGenerator(Value input, Value slices, Value fill) : input_(input), slices_(slices), fill_(fill) {}
  std::string_view name() const override { return "generator object sync_do_slice"; }

  bool next(Runtime& runtime, Value& slice) override {
    if (items_ == nullptr) {
      const Runtime::DepthGuard guard(runtime);
      items_ = runtime.sequence(collect(runtime, input_));
      count_ = to_index(runtime, slices_, "slice");
      if (count_ == 0) fail("integer division or modulo by zero");
    }
    if (number_ >= count_) return false;
    runtime.step(8);
    const auto length = static_cast<int64_t>(items_->count);
    const int64_t each = length / count_, with_extra = length % count_;
    const int64_t begin = offset_ + number_ * each;
    if (number_ < with_extra) ++offset_;
    const int64_t end = offset_ + (number_ + 1) * each;
    std::vector<Value> items(items_->values + begin, items_->values + end);
    if (!fill_.is(Kind::kNone) && number_ >= with_extra) items.push_back(fill_);
    ++number_;
    slice = runtime.list(items);
    return true;
  }

 private:
  Value input_, slices_, fill_;
  ListData* items_ = nullptr;
  int64_t count_ = 0, number_ = 0, offset_ = 0;
};

Value slice_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [slices, fill] = bind(args, "slice", {"slices", "fill_with"}, 1);
  return generator<SliceGenerator>(runtime, input, slices, fill.is_missing() ? Value::none() : fill);
}

constexpr FilterEntry kLazyFilters[] = {
    {"batch", batch_filter},
    {"items", items_filter},
    {"map", map_filter},
    {"reject", select_filter<false, true>},
    {"rejectattr", select_filter<true, true>},
    {"select", select_filter<false, false>},
    {"selectattr", select_filter<true, false>},
    {"slice", slice_filter},
    {"unique", unique_filter},
};

}  // namespace

std::span<const FilterEntry> lazy_filters() { return kLazyFilters; }

}  // namespace hearth::text::jinja
