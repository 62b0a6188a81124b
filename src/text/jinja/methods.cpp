// Methods and properties of every type but str, and the binding of arguments to names.
#include "text/jinja/methods.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/python_format.h"
#include "text/jinja/html.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/operations.h"

namespace hearth::text::jinja {

void bind_arguments(const Args& args, std::string_view function, std::span<const std::string_view> names,
                    std::span<Value> out, size_t required, size_t positional_only) {
  const std::string prefix = std::string(function) + "() ";
  if (args.positional.size() > names.size())
    fail(prefix + "takes at most " + std::to_string(names.size()) + " arguments (" +
         std::to_string(args.positional.size()) + " given)");
  std::copy(args.positional.begin(), args.positional.end(), out.begin());
  for (const Keyword& keyword : args.keywords) {
    const auto name = std::find(names.begin(), names.end(), keyword.name);
    const auto at = static_cast<size_t>(name - names.begin());
    if (name == names.end() || at < positional_only)
      fail(prefix + "got an unexpected keyword argument '" + std::string(keyword.name) + "'");
    if (!out[at].is_missing()) fail(prefix + "got multiple values for argument '" + std::string(keyword.name) + "'");
    out[at] = keyword.value;
  }
  for (size_t i = 0; i < required; ++i)
    if (out[i].is_missing()) fail(prefix + "missing required argument: '" + std::string(names[i]) + "'");
}

void refuse_arguments(const Args& args, std::string_view function) {
  if (!args.positional.empty() || !args.keywords.empty()) fail(std::string(function) + "() takes no arguments");
}

namespace {

// --- list, tuple, range ---

// The items of a list or tuple where they lie, those of anything else in `storage`.
std::span<const Value> view_items(Runtime& runtime, Value self, std::vector<Value>& storage) {
  if (self.is_sequence()) return self.list_data()->items(runtime);
  return storage = collect(runtime, self);
}

Value sequence_index(Runtime& runtime, Value self, const Args& args) {
  const auto [wanted, start, stop] = bind(args, "index", {"value", "start", "stop"}, 1, 3);
  std::vector<Value> storage;
  const std::span<const Value> items = view_items(runtime, self, storage);
  const auto size = static_cast<int64_t>(items.size());
  const auto bound = [&](Value value, int64_t otherwise) {
    if (value.is_missing()) return otherwise;
    const int64_t at = to_index(runtime, value, "index");
    return at < 0 ? std::max<int64_t>(at + size, 0) : std::min(at, size);
  };
  for (int64_t i = bound(start, 0); i < bound(stop, size); ++i) {
    runtime.step();
    if (equals(runtime, items[static_cast<size_t>(i)], wanted)) return Value::integer(i);
  }
  fail("value is not in " + std::string(type_name(self)));
}

Value sequence_count(Runtime& runtime, Value self, const Args& args) {
  const auto [wanted] = bind(args, "count", {"value"}, 1, 1);
  int64_t found = 0;
  std::vector<Value> storage;
  for (const Value item : view_items(runtime, self, storage)) {
    runtime.step();
    found += equals(runtime, item, wanted);
  }
  return Value::integer(found);
}

Value same_value(Runtime&, Value self, const Args& args) {
  refuse_arguments(args, "copy");
  return self;
}

// clang-format off
constexpr Attribute kListAttributes[] = {
    {"__add__"}, {"__class_getitem__"}, {"__delitem__"}, {"__iadd__"}, {"__imul__"}, {"__mul__"}, {"__reversed__"},
    {"__rmul__"}, {"__setitem__"},
    {"append"}, {"clear"}, {"copy", same_value}, {"count", sequence_count}, {"extend"}, {"index", sequence_index},
    {"insert"}, {"pop"}, {"remove"}, {"reverse"}, {"sort"},
};

constexpr Attribute kTupleAttributes[] = {
    {"__add__"}, {"__class_getitem__"}, {"__getnewargs__"}, {"__mul__"}, {"__rmul__"},
    {"count", sequence_count}, {"index", sequence_index},
};
// clang-format on

// What groupby yields.
// clang-format off
constexpr Attribute kGroupAttributes[] = {
    {"__add__"}, {"__class_getitem__"}, {"__getnewargs__"}, {"__mul__"}, {"__rmul__"},
    {"count", sequence_count},
    {"grouper", nullptr, [](Runtime& runtime, Value self) { return self.list_data()->items(runtime)[0]; }},
    {"index", sequence_index},
    {"list", nullptr, [](Runtime& runtime, Value self) { return self.list_data()->items(runtime)[1]; }},
};

constexpr Attribute kRangeAttributes[] = {
    {"__bool__"}, {"__contains__"}, {"__getitem__"}, {"__iter__"}, {"__len__"}, {"__reversed__"},
    {"count", sequence_count}, {"index", sequence_index},
    {"start", nullptr, [](Runtime&, Value self) { return Value::integer(self.as<Range>().start); }},
    {"step", nullptr, [](Runtime&, Value self) { return Value::integer(self.as<Range>().step); }},
    {"stop", nullptr, [](Runtime&, Value self) { return Value::integer(self.as<Range>().stop); }},
};
// clang-format on

// --- dict ---

Value dict_get(Runtime& runtime, Value self, const Args& args) {
  const auto [key, otherwise] = bind(args, "get", {"key", "default"}, 1, 2);
  const Value* found = self.dict_data()->find(runtime, key);
  if (found != nullptr) return *found;
  return otherwise.is_missing() ? Value::none() : otherwise;
}

template <DictView::What What>
Value dict_view(Runtime& runtime, Value self, const Args& args) {
  refuse_arguments(args, "items");
  self.dict_data()->entries(runtime);
  return Value::object(Kind::kDictView, runtime.make<DictView>(What, self.dict_data()));
}

Value dict_fromkeys(Runtime& runtime, Value, const Args& args) { return make_dict_from_keys(runtime, args); }

// clang-format off
constexpr Attribute kDictAttributes[] = {
    {"__class_getitem__"}, {"__delitem__"}, {"__ior__"}, {"__or__"}, {"__reversed__"}, {"__ror__"}, {"__setitem__"},
    {"clear"}, {"copy", same_value}, {"fromkeys", dict_fromkeys}, {"get", dict_get},
    {"items", dict_view<DictView::kItems>}, {"keys", dict_view<DictView::kKeys>}, {"pop"}, {"popitem"},
    {"setdefault"}, {"update"}, {"values", dict_view<DictView::kValues>},
};
// clang-format on

Value view_isdisjoint(Runtime& runtime, Value self, const Args& args) {
  const auto [other] = bind(args, "isdisjoint", {"other"}, 1, 1);
  for (const Value item : collect(runtime, other))
    if (contains(runtime, self, item)) return Value::boolean(false);
  return Value::boolean(true);
}

constexpr Attribute kViewAttributes[] = {{"isdisjoint", view_isdisjoint}};

// --- numbers ---

Value integer_self(Runtime&, Value self) { return Value::integer(self.as_int()); }
Value integer_conjugate(Runtime&, Value self, const Args& args) {
  refuse_arguments(args, "conjugate");
  return Value::integer(self.as_int());
}
Value bit_length(Runtime&, Value self, const Args& args) {
  refuse_arguments(args, "bit_length");
  const int64_t value = self.as_int();
  const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  return Value::integer(64 - std::countl_zero(magnitude));
}
Value bit_count(Runtime&, Value self, const Args& args) {
  refuse_arguments(args, "bit_count");
  const int64_t value = self.as_int();
  const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  return Value::integer(std::popcount(magnitude));
}
Value integer_ratio(Runtime& runtime, Value self, const Args& args) {
  refuse_arguments(args, "as_integer_ratio");
  return runtime.tuple({Value::integer(self.as_int()), Value::integer(1)});
}

// clang-format off
constexpr Attribute kIntegerAttributes[] = {
    {"__abs__"}, {"__add__"}, {"__and__"}, {"__bool__"}, {"__ceil__"}, {"__divmod__"}, {"__float__"}, {"__floor__"},
    {"__floordiv__"}, {"__index__"}, {"__int__"}, {"__invert__"}, {"__lshift__"}, {"__mod__"}, {"__mul__"},
    {"__neg__"}, {"__or__"}, {"__pos__"}, {"__pow__"}, {"__round__"}, {"__rshift__"}, {"__sub__"}, {"__truediv__"},
    {"__trunc__"}, {"__xor__"},
    {"as_integer_ratio", integer_ratio}, {"bit_count", bit_count}, {"bit_length", bit_length},
    {"conjugate", integer_conjugate},
    {"denominator", nullptr, [](Runtime&, Value) { return Value::integer(1); }},
    {"imag", nullptr, [](Runtime&, Value) { return Value::integer(0); }},
    {"numerator", nullptr, integer_self}, {"real", nullptr, integer_self},
};
// clang-format on

Value float_is_integer(Runtime&, Value self, const Args& args) {
  refuse_arguments(args, "is_integer");
  return Value::boolean(std::isfinite(self.as_real()) && self.as_real() == std::floor(self.as_real()));
}

// clang-format off
constexpr Attribute kFloatAttributes[] = {
    {"__abs__"}, {"__add__"}, {"__bool__"}, {"__int__"}, {"__mul__"}, {"__neg__"}, {"__round__"}, {"__sub__"},
    {"conjugate", same_value},
    {"imag", nullptr, [](Runtime&, Value) { return Value::real(0.0); }},
    {"is_integer", float_is_integer},
    {"real", nullptr, [](Runtime&, Value self) { return self; }},
};
// clang-format on

// --- loop ---

Value loop_cycle(Runtime&, Value self, const Args& args) {
  if (!args.keywords.empty()) fail("cycle() got an unexpected keyword argument");
  if (args.positional.empty()) fail("no items for cycling given");
  return args.positional[static_cast<size_t>(self.as<Loop>().index) % args.positional.size()];
}

Value loop_changed(Runtime& runtime, Value self, const Args& args) {
  if (!args.keywords.empty()) fail("changed() got an unexpected keyword argument");
  Loop& loop = self.as<Loop>();
  ListData* now = runtime.sequence(args.positional);
  if (loop.changed != nullptr && equals(runtime, Value::tuple(loop.changed), Value::tuple(now)))
    return Value::boolean(false);
  loop.changed = now;
  return Value::boolean(true);
}

Value loop_previous(Runtime& runtime, Value self) {
  const Loop& loop = self.as<Loop>();
  return loop.index == 0 ? runtime.undefined("there is no previous item") : loop.before;
}

Value loop_next(Runtime& runtime, Value self) {
  const Value next = self.as<Loop>().peek(runtime);
  return next.is_missing() ? runtime.undefined("there is no next item") : next;
}

// clang-format off
constexpr Attribute kLoopAttributes[] = {
    {"__call__"}, {"__iter__"}, {"__len__"}, {"__next__"},
    {"changed", loop_changed}, {"cycle", loop_cycle},
    {"depth", nullptr, [](Runtime&, Value s) { return Value::integer(static_cast<int64_t>(s.as<Loop>().depth) + 1); }},
    {"depth0", nullptr, [](Runtime&, Value s) { return Value::integer(static_cast<int64_t>(s.as<Loop>().depth)); }},
    {"first", nullptr, [](Runtime&, Value s) { return Value::boolean(s.as<Loop>().index == 0); }},
    {"index", nullptr, [](Runtime&, Value s) { return Value::integer(s.as<Loop>().index + 1); }},
    {"index0", nullptr, [](Runtime&, Value s) { return Value::integer(s.as<Loop>().index); }},
    {"last", nullptr, [](Runtime& r, Value s) { return Value::boolean(s.as<Loop>().peek(r).is_missing()); }},
    {"length", nullptr, [](Runtime& r, Value s) { return Value::integer(s.as<Loop>().count(r)); }},
    {"nextitem", nullptr, loop_next},
    {"previtem", nullptr, loop_previous},
    {"revindex", nullptr,
     [](Runtime& r, Value s) { return Value::integer(s.as<Loop>().count(r) - s.as<Loop>().index); }},
    {"revindex0", nullptr,
     [](Runtime& r, Value s) { return Value::integer(s.as<Loop>().count(r) - s.as<Loop>().index - 1); }},
};
// clang-format on

// --- cycler, joiner ---

Value cycler_next(Runtime&, Value self, const Args& args) {
  refuse_arguments(args, "next");
  Cycler& cycler = self.as<Cycler>();
  const Value item = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  return item;
}

Value cycler_reset(Runtime&, Value self, const Args& args) {
  refuse_arguments(args, "reset");
  self.as<Cycler>().position = 0;
  return Value::none();
}

// clang-format off
constexpr Attribute kCyclerAttributes[] = {
    {"current", nullptr, [](Runtime&, Value s) { return s.as<Cycler>().items[s.as<Cycler>().position]; }},
    {"items", nullptr, [](Runtime& runtime, Value s) { return runtime.tuple(s.as<Cycler>().items); }},
    {"next", cycler_next},
    {"pos", nullptr, [](Runtime&, Value s) { return Value::integer(static_cast<int64_t>(s.as<Cycler>().position)); }},
    {"reset", cycler_reset},
};

constexpr Attribute kJoinerAttributes[] = {
    {"sep", nullptr, [](Runtime&, Value s) { return s.as<Joiner>().separator; }},
    {"used", nullptr, [](Runtime&, Value s) { return Value::boolean(s.as<Joiner>().used); }},
};
// clang-format on

constexpr Attribute kFunctionAttributes[] = {{"fromkeys", dict_fromkeys}};

}  // namespace

std::span<const Attribute> attributes_of(Value object) {
  switch (object.kind()) {
    case Kind::kString: return string_attributes();
    case Kind::kList: return kListAttributes;
    case Kind::kTuple:
      if (object.list_data()->is_group) return kGroupAttributes;
      return kTupleAttributes;
    case Kind::kDict: return kDictAttributes;
    case Kind::kDictView: return kViewAttributes;
    case Kind::kRange: return kRangeAttributes;
    case Kind::kBool:
    case Kind::kInt: return kIntegerAttributes;
    case Kind::kFloat: return kFloatAttributes;
    case Kind::kLoop: return kLoopAttributes;
    case Kind::kMacro: return macro_attributes();
    case Kind::kCycler: return kCyclerAttributes;
    case Kind::kJoiner: return kJoinerAttributes;
    case Kind::kFunction:
      if (object.as<Function>().name == "dict") return kFunctionAttributes;
      return {};
    default: return {};
  }
}

}  // namespace hearth::text::jinja
