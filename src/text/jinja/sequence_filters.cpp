// Filters that need all items at once: sorting, grouping, joining, picking.
#include <algorithm>

#include "base/python_format.h"
#include "text/jinja/filters.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

namespace {

// jinja2's ignore_case: strings in lower case, everything else as it is.
Value ignore_case(Runtime& runtime, Value value) {
  if (!value.is_string()) return value;
  runtime.charge_bytes(value.text()->size * 8);
  return runtime.string(lower(value.view()), value.is_markup());
}

struct Keyed {
  Value key, item;
};

// sorted(): stable, also in reverse.
void sort_keyed(Runtime& runtime, std::vector<Keyed>& items, bool reverse) {
  const auto before = [&](const Keyed& a, const Keyed& b) {
    runtime.step();
    return compare(runtime, Order::kLess, a.key, b.key);
  };
  if (reverse) std::reverse(items.begin(), items.end());
  std::stable_sort(items.begin(), items.end(), before);
  if (reverse) std::reverse(items.begin(), items.end());
}

Value items_of(Runtime& runtime, const std::vector<Keyed>& keyed) {
  std::vector<Value> items;
  items.reserve(keyed.size());
  for (const Keyed& one : keyed) items.push_back(one.item);
  return runtime.list(items);
}

bool flag(Runtime& runtime, Value value) { return !value.is_missing() && truthy(runtime, value); }

Value sort_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [reverse, case_sensitive, attribute] = bind(args, "sort", {"reverse", "case_sensitive", "attribute"});
  std::vector<AttributePath> paths;
  if (!attribute.is_missing() && attribute.is_string()) {
    for (const std::string_view path : split(attribute.view(), ",", -1, false))
      paths.emplace_back(runtime, runtime.borrow(path));
  } else {
    paths.emplace_back(runtime, attribute);
  }
  const bool exact = flag(runtime, case_sensitive);
  std::vector<Keyed> keyed;
  for (const Value item : collect(runtime, input)) {
    std::vector<Value> keys;
    for (const AttributePath& path : paths) {
      const Value key = path.of(runtime, item);
      keys.push_back(exact ? key : ignore_case(runtime, key));
    }
    keyed.push_back({runtime.list(keys), item});
  }
  sort_keyed(runtime, keyed, flag(runtime, reverse));
  return items_of(runtime, keyed);
}

Value dictsort_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [case_sensitive, by, reverse] = bind(args, "dictsort", {"case_sensitive", "by", "reverse"});
  const std::string_view order = by.is_missing() ? "key" : by.is_string() ? by.view() : std::string_view();
  if (order != "key" && order != "value") fail("You can only sort by either \"key\" or \"value\"");
  if (input.is(Kind::kUndefined)) fail_undefined(runtime, input);
  if (!input.is(Kind::kDict)) fail("'" + std::string(type_name(input)) + "' object has no attribute 'items'");
  const bool exact = flag(runtime, case_sensitive);
  std::vector<Keyed> keyed;
  for (const Entry& entry : input.dict_data()->entries(runtime)) {
    const Value key = order == "key" ? entry.key : entry.value;
    keyed.push_back({exact ? key : ignore_case(runtime, key), runtime.tuple({entry.key, entry.value})});
  }
  sort_keyed(runtime, keyed, flag(runtime, reverse));
  return items_of(runtime, keyed);
}

Value groupby_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [attribute, otherwise, case_sensitive] =
      bind(args, "groupby", {"attribute", "default", "case_sensitive"}, 1);
  const AttributePath path(runtime, attribute);
  const Value fallback = otherwise.is(Kind::kNone) ? Value() : otherwise;
  const bool exact = flag(runtime, case_sensitive);
  std::vector<Keyed> keyed;
  for (const Value item : collect(runtime, input)) {
    const Value key = path.of(runtime, item, fallback);
    keyed.push_back({exact ? key : ignore_case(runtime, key), item});
  }
  sort_keyed(runtime, keyed, false);
  std::vector<Value> groups;
  for (size_t begin = 0, end; begin < keyed.size(); begin = end) {
    std::vector<Value> members;
    for (end = begin; end < keyed.size() && (end == begin || equals(runtime, keyed[begin].key, keyed[end].key)); ++end)
      members.push_back(keyed[end].item);
    const Value key = exact ? keyed[begin].key : path.of(runtime, members.front(), fallback);
    const Value group = runtime.tuple({key, runtime.list(members)});
    group.list_data()->is_group = true;
    groups.push_back(group);
  }
  return runtime.list(groups);
}

template <Order Better>
Value extreme_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [case_sensitive, attribute] = bind(args, "min", {"case_sensitive", "attribute"});
  const AttributePath path(runtime, attribute);
  const bool exact = flag(runtime, case_sensitive);
  Value best, best_key;
  Iterator* iterator = iterate(runtime, input);
  for (Value item; iterator->next(runtime, item);) {
    Value key = path.of(runtime, item);
    if (!exact) key = ignore_case(runtime, key);
    if (best.is_missing() || compare(runtime, Better, key, best_key)) {
      best = item;
      best_key = key;
    }
  }
  return best.is_missing() ? runtime.undefined("No aggregated item, sequence was empty.") : best;
}

Value sum_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [attribute, start] = bind(args, "sum", {"attribute", "start"});
  const AttributePath path(runtime, attribute);
  Value total = start.is_missing() ? Value::integer(0) : start;
  if (total.is_string()) fail("sum() can't sum strings [use ''.join(seq) instead]");
  Iterator* iterator = iterate(runtime, input);
  for (Value item; iterator->next(runtime, item);)
    total = arithmetic(runtime, Arithmetic::kAdd, total, path.of(runtime, item));
  return total;
}

Value join_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [separator, attribute] = bind(args, "join", {"d", "attribute"});
  const AttributePath path(runtime, attribute);
  const std::string_view between = separator.is_missing() ? "" : to_view(runtime, separator);
  std::string out;
  bool first = true;
  Iterator* iterator = iterate(runtime, input);
  for (Value item; iterator->next(runtime, item);) {
    if (!first) out += between;
    first = false;
    append_str(runtime, out, path.of(runtime, item));
    if (out.size() > runtime.limits().bytes) fail("join(): the result is too long");
  }
  return runtime.string(out);
}

Value first_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "first");
  Value item;
  if (iterate(runtime, input)->next(runtime, item)) return item;
  return runtime.undefined("No first item, sequence was empty.");
}

bool is_reversible(Value value) {
  switch (value.kind()) {
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange:
    case Kind::kDict:
    case Kind::kDictView:
    case Kind::kUndefined: return true;
    default: return false;
  }
}

Value last_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "last");
  if (!is_reversible(input)) fail("'" + std::string(type_name(input)) + "' object is not reversible");
  if (input.is_sequence() && input.list_data()->count > 0) return input.list_data()->items(runtime).back();
  const std::vector<Value> items = collect(runtime, input);
  if (items.empty()) return runtime.undefined("No last item, sequence was empty.");
  // Indexing Markup gives Markup, iterating over it does not; reversed() indexes.
  return input.is_markup() ? Value::string(items.back().text(), true) : items.back();
}

Value length_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "length");
  return Value::integer(length(runtime, input));
}

Value list_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "list");
  return runtime.list(collect(runtime, input));
}

class Reversed : public Iterator {
 public:
  Reversed(Value input, Iterator* items) : input_(input), items_(items) {}
  bool next(Runtime& runtime, Value& item) override { return items_->next(runtime, item); }
  std::string_view name() const override {
    switch (input_.kind()) {
      case Kind::kList: return "list_reverseiterator object";
      case Kind::kRange: return "range_iterator object";
      case Kind::kDict: return "dict_reversekeyiterator object";
      case Kind::kDictView:
        switch (input_.as<DictView>().what) {
          case DictView::kKeys: return "dict_reversekeyiterator object";
          case DictView::kValues: return "dict_reversevalueiterator object";
          case DictView::kItems: return "dict_reverseitemiterator object";
        }
        [[fallthrough]];
      default: return "reversed object";
    }
  }

 private:
  Value input_;
  Iterator* items_;
};

Value reverse_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "reverse");
  if (input.is_string()) return get_slice(runtime, input, Value(), Value(), Value::integer(-1));
  if (try_iterate(runtime, input) == nullptr) fail("argument must be iterable");
  std::vector<Value> items = collect(runtime, input);
  std::reverse(items.begin(), items.end());
  if (!is_reversible(input)) return runtime.list(items);
  Iterator* reversed = runtime.make<Reversed>(input, iterate(runtime, runtime.list(items)));
  return Value::object(Kind::kIterator, reversed);
}

Value default_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [otherwise, boolean] = bind(args, "default", {"default_value", "boolean"});
  const bool replace = input.is(Kind::kUndefined) || (flag(runtime, boolean) && !truthy(runtime, input));
  if (!replace) return input;
  return otherwise.is_missing() ? runtime.borrow("") : otherwise;
}

Value attr_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [name] = bind(args, "attr", {"name"}, 1);
  if (!name.is_string()) fail("attribute name must be string, not '" + std::string(type_name(name)) + "'");
  if (input.is(Kind::kUndefined)) return get_attribute(runtime, input, name);
  return get_attribute_only(runtime, input, name);
}

Value random_filter(Runtime&, Value, const Args&) { fail("random is not supported: templates are deterministic"); }
Value urlize_filter(Runtime&, Value, const Args&) { fail("urlize is not supported"); }

constexpr FilterEntry kSequenceFilters[] = {
    {"attr", attr_filter},
    {"count", length_filter},
    {"d", default_filter},
    {"default", default_filter},
    {"dictsort", dictsort_filter},
    {"first", first_filter},
    {"groupby", groupby_filter},
    {"join", join_filter},
    {"last", last_filter},
    {"length", length_filter},
    {"list", list_filter},
    {"max", extreme_filter<Order::kGreater>},
    {"min", extreme_filter<Order::kLess>},
    {"random", random_filter},
    {"reverse", reverse_filter},
    {"sort", sort_filter},
    {"sum", sum_filter},
    {"urlize", urlize_filter},
};

}  // namespace

std::span<const FilterEntry> sequence_filters() { return kSequenceFilters; }

}  // namespace hearth::text::jinja
