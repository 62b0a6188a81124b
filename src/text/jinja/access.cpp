// x.name, x[key] and x[a:b:c] by the rules of jinja2's immutable sandbox: attributes before items for the dot, items
// before attributes for the brackets; names that begin with an underscore or change a container are undefined.
#include <algorithm>

#include "base/unicode.h"
#include "text/jinja/html.h"
#include "text/jinja/methods.h"
#include "text/jinja/objects.h"
#include "text/jinja/operations.h"

namespace hearth::text::jinja {

namespace {

Value unsafe_attribute(Runtime& runtime, Value object, std::string_view name) {
  const std::string hint =
      "access to attribute '" + std::string(name) + "' of '" + std::string(type_name(object)) + "' object is unsafe.";
  return runtime.undefined(runtime.string(hint).view());
}

// Every object has these; the sandbox refuses them all.
bool is_common_dunder(Value object, std::string_view name) {
  if (!name.starts_with("__") || !name.ends_with("__")) return false;
  constexpr std::string_view kCommon[] = {
      "__class__",   "__delattr__", "__dir__",           "__doc__",         "__eq__",
      "__format__",  "__ge__",      "__getattribute__",  "__getstate__",    "__gt__",
      "__hash__",    "__init__",    "__init_subclass__", "__le__",          "__lt__",
      "__ne__",      "__new__",     "__reduce__",        "__reduce_ex__",   "__repr__",
      "__setattr__", "__sizeof__",  "__str__",           "__subclasshook__"};
  constexpr std::string_view kContainer[] = {"__contains__", "__getitem__", "__iter__", "__len__"};
  if (std::find(std::begin(kCommon), std::end(kCommon), name) != std::end(kCommon)) return true;
  const bool container = object.is_string() || object.is_sequence() || object.is(Kind::kDict);
  return container && std::find(std::begin(kContainer), std::end(kContainer), name) != std::end(kContainer);
}

// getattr(object, name) under the sandbox; missing when there is no such attribute.
Value own_attribute(Runtime& runtime, Value object, std::string_view name) {
  if (object.is(Kind::kNamespace)) {
    if (name == "__class__") return unsafe_attribute(runtime, object, name);
    const Value* found = object.as<Namespace>().attributes.find(runtime, name);
    if (found == nullptr) return Value();
    return name.starts_with('_') ? unsafe_attribute(runtime, object, name) : *found;
  }
  if (const Attribute* attribute = find_attribute(object, name)) {
    if (attribute->property != nullptr) return attribute->property(runtime, object);
    if (attribute->method != nullptr) return Value::object(Kind::kMethod, runtime.make<BoundMethod>(attribute, object));
    return unsafe_attribute(runtime, object, name);
  }
  return is_common_dunder(object, name) ? unsafe_attribute(runtime, object, name) : Value();
}

// object[key]; missing where Python raises a TypeError or LookupError.
Value own_item(Runtime& runtime, Value object, Value key) {
  switch (object.kind()) {
    case Kind::kDict: {
      if (key.is(Kind::kList) || key.is(Kind::kDict) || key.is(Kind::kDictView)) return Value();
      const Value* found = object.dict_data()->find(runtime, key);
      return found == nullptr ? Value() : *found;
    }
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kString:
    case Kind::kRange: {
      if (!key.is_integral()) return Value();
      const int64_t size = length(runtime, object);
      int64_t at = key.as_int();
      if (at < 0) at += size;
      if (at < 0 || at >= size) return Value();
      const auto position = static_cast<size_t>(at);
      if (object.is_sequence()) return object.list_data()->items(runtime)[position];
      if (object.is(Kind::kRange)) return object.as<Range>().at(position);
      return substring(runtime, object, position, position + 1);
    }
    default: return Value();
  }
}

// slice.indices(): where to begin, how far to step, how many.
struct Steps {
  int64_t start, stop, step;
  size_t count;
};

Steps slice_steps(Runtime& runtime, Value start, Value stop, Value step, int64_t size) {
  const auto index = [&](Value value, int64_t otherwise) {
    if (value.is_missing() || value.is(Kind::kNone)) return otherwise;
    if (value.is(Kind::kHuge)) return INT64_MAX;
    if (!value.is_integral()) fail("slice indices must be integers or None or have an __index__ method");
    return value.as_int();
  };
  Steps steps{};
  steps.step = index(step, 1);
  if (steps.step == 0) fail("slice step cannot be zero");
  steps.step = std::max(steps.step, -INT64_MAX);
  const bool back = steps.step < 0;
  const int64_t lowest = back ? -1 : 0, highest = back ? size - 1 : size;
  const auto clamp = [&](int64_t at) {
    if (at < 0) return std::max(at + size, lowest);
    return std::min(at, highest);
  };
  steps.start = clamp(index(start, back ? size - 1 : 0));
  const bool whole = stop.is_missing() || stop.is(Kind::kNone);
  const int64_t end = steps.stop = whole ? (back ? -1 : size) : clamp(index(stop, 0));
  if (back) {
    steps.count = end < steps.start ? static_cast<size_t>((steps.start - end - 1) / -steps.step + 1) : 0;
  } else {
    steps.count = steps.start < end ? static_cast<size_t>((end - steps.start - 1) / steps.step + 1) : 0;
  }
  runtime.step(steps.count / 8);
  return steps;
}

Value slice_string(Runtime& runtime, Value text, const Steps& steps) {
  const auto start = static_cast<size_t>(steps.start);
  if (steps.count == 0) return runtime.borrow("", text.is_markup());
  if (steps.step == 1) return substring(runtime, text, start, start + steps.count);
  const std::string_view view = text.view();
  runtime.charge_bytes(view.size() * 4);
  const bool back = steps.step < 0;
  const auto is_inside = [&](size_t byte) {  // a character, not at its first byte
    return byte < view.size() && (static_cast<unsigned char>(view[byte]) & 0xc0) == 0x80;
  };
  size_t at = 0;
  const auto move = [&](uint64_t characters, bool backwards) {
    for (; characters > 0; --characters) {
      do {
        backwards ? --at : ++at;
      } while (is_inside(at));
    }
  };
  move(start, false);
  std::string out;
  for (size_t i = 0; i < steps.count; ++i) {
    if (i > 0) move(static_cast<uint64_t>(back ? -steps.step : steps.step), back);
    size_t end = at + 1;
    while (is_inside(end)) ++end;
    out.append(view, at, end - at);
  }
  return runtime.string(out, text.is_markup());
}

Value slice_range(Runtime& runtime, const Range& range, const Steps& steps) {
  const auto bounded = [](__int128 number) {
    if (number < INT64_MIN || number > INT64_MAX) fail("integer overflow: templates compute with 64-bit integers");
    return static_cast<int64_t>(number);
  };
  const __int128 step = range.step;
  return Value::object(Kind::kRange, runtime.make<Range>(bounded(range.start + steps.start * step),
                                                         bounded(range.start + steps.stop * step),
                                                         bounded(steps.step * step), steps.count));
}

}  // namespace

size_t characters(const StringData& text) {
  if (text.characters == StringData::kUnknown) text.characters = count_characters(text.view());
  return text.characters;
}

Value substring(Runtime& runtime, Value text, size_t begin, size_t end) {
  const std::string_view view = text.view();
  runtime.charge_bytes(view.size());
  if (characters(*text.text()) == view.size()) return runtime.borrow(view.substr(begin, end - begin), text.is_markup());
  size_t at = 0;
  const auto skip = [&](size_t count) {
    while (count > 0 && at < view.size()) {
      next_character(view, at);
      --count;
    }
    return at;
  };
  const size_t first = skip(begin);
  return runtime.borrow(view.substr(first, skip(end - begin) - first), text.is_markup());
}

const Attribute* find_attribute(Value object, std::string_view name) {
  if (object.is_markup())
    for (const Attribute& attribute : markup_attributes())
      if (attribute.name == name) return &attribute;
  const std::span<const Attribute> all = attributes_of(object);
  const auto found =
      std::lower_bound(all.begin(), all.end(), name, [](const Attribute& a, std::string_view n) { return a.name < n; });
  return found != all.end() && found->name == name ? &*found : nullptr;
}

bool is_never_dict_attribute(std::string_view name) {
  static DictData none;
  return !name.starts_with('_') && find_attribute(Value::dict(&none), name) == nullptr;
}

Value get_attribute(Runtime& runtime, Value object, Value name) {
  if (object.is(Kind::kUndefined) && !is_common_dunder(object, name.view())) fail_undefined(runtime, object);
  Value found = own_attribute(runtime, object, name.view());
  if (found.is_missing()) found = own_item(runtime, object, name);
  return found.is_missing() ? runtime.undefined_of(object, name) : found;
}

Value get_attribute_only(Runtime& runtime, Value object, Value name) {
  const Value found = own_attribute(runtime, object, name.view());
  return found.is_missing() ? runtime.undefined_of(object, name) : found;
}

Value get_item(Runtime& runtime, Value object, Value key) {
  if (object.is(Kind::kUndefined)) fail_undefined(runtime, object);
  Value found = own_item(runtime, object, key);
  if (found.is_missing() && key.is_string()) found = own_attribute(runtime, object, key.view());
  return found.is_missing() ? runtime.undefined_of(object, key) : found;
}

Value get_slice(Runtime& runtime, Value object, Value start, Value stop, Value step) {
  switch (object.kind()) {
    case Kind::kUndefined: fail_undefined(runtime, object);
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange: break;
    case Kind::kDict: fail("unhashable type: 'slice'");
    default: fail("'" + std::string(type_name(object)) + "' object is not subscriptable");
  }
  const Steps steps = slice_steps(runtime, start, stop, step, length(runtime, object));
  if (object.is_string()) return slice_string(runtime, object, steps);
  if (object.is(Kind::kRange)) {
    return slice_range(runtime, object.as<Range>(), steps);
  }
  const auto items = object.list_data()->items(runtime);
  ListData* out = runtime.make<ListData>();
  out->count = steps.count;
  out->values = runtime.make_array<Value>(steps.count);
  for (size_t i = 0; i < steps.count; ++i)
    out->values[i] = items[static_cast<size_t>(steps.start + static_cast<int64_t>(i) * steps.step)];
  return object.is(Kind::kList) ? Value::list(out) : Value::tuple(out);
}

}  // namespace hearth::text::jinja
