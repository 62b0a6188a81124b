// Functions that a template finds without being given them.
#include <ctime>
#include <nlohmann/json.hpp>

#include "text/jinja/filters.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"

namespace hearth::text::jinja {

namespace {

// dict(mapping or pairs, **kwargs) into `dict`.
void fill_dict(Runtime& runtime, DictData& dict, const Args& args) {
  if (args.positional.size() > 1) fail("dict expected at most 1 argument");
  if (!args.positional.empty() && args.positional[0].is(Kind::kUndefined)) fail_undefined(runtime, args.positional[0]);
  if (!args.positional.empty()) {
    const Value source = args.positional[0];
    if (source.is(Kind::kUndefined)) {
      // Undefined has no keys() and iterates over nothing.
    } else if (source.is(Kind::kDict)) {
      for (const Entry& entry : source.dict_data()->entries(runtime)) dict.set(runtime, entry.key, entry.value);
    } else {
      for (const Value item : collect(runtime, source)) {
        const std::vector<Value> pair = collect(runtime, item);
        if (pair.size() != 2) fail("dictionary update sequence element has length other than 2");
        dict.set(runtime, pair[0], pair[1]);
      }
    }
  }
  for (const Keyword& keyword : args.keywords) dict.set(runtime, runtime.borrow(keyword.name), keyword.value);
}

Value make_dict(Runtime& runtime, const Args& args) {
  const Value dict = runtime.dict();
  fill_dict(runtime, *dict.dict_data(), args);
  return dict;
}

Value make_namespace(Runtime& runtime, const Args& args) {
  Namespace* space = runtime.make<Namespace>();
  fill_dict(runtime, space->attributes, args);
  for (const Entry& entry : space->attributes.entries(runtime))
    if (entry.key.is_string() && entry.key.view().starts_with('_'))
      fail("Chat templates cannot store underscore-prefixed attributes on a namespace, but got '" +
           std::string(entry.key.view()) + "'. Please rename the attribute.");
  return Value::object(Kind::kNamespace, space);
}

Value make_range(Runtime& runtime, const Args& args) {
  if (!args.keywords.empty()) fail("range() takes no keyword arguments");
  if (args.positional.empty() || args.positional.size() > 3) fail("range expected 1 to 3 arguments");
  int64_t numbers[3] = {0, 0, 1};
  for (size_t i = 0; i < args.positional.size(); ++i) numbers[i] = to_index(runtime, args.positional[i], "range");
  if (args.positional.size() == 1) std::swap(numbers[0], numbers[1]);
  const auto [start, stop, step] = numbers;
  if (step == 0) fail("range() arg 3 must not be zero");
  __int128 count = 0;
  if (step > 0 && start < stop) count = (static_cast<__int128>(stop) - start - 1) / step + 1;
  if (step < 0 && start > stop) count = (static_cast<__int128>(start) - stop - 1) / -static_cast<__int128>(step) + 1;
  const size_t limit = runtime.limits().range;
  if (count > static_cast<__int128>(limit))
    fail("Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + std::to_string(limit) + ").");
  return Value::object(Kind::kRange, runtime.make<Range>(start, stop, step, static_cast<size_t>(count)));
}

Value make_cycler(Runtime& runtime, const Args& args) {
  if (!args.keywords.empty()) fail("cycler() got an unexpected keyword argument");
  if (args.positional.empty()) fail("at least one item has to be provided");
  return Value::object(Kind::kCycler, runtime.make<Cycler>(runtime.sequence(args.positional)->items(runtime)));
}

Value make_joiner(Runtime& runtime, const Args& args) {
  const auto [separator] = bind(args, "joiner", {"sep"});
  return Value::object(Kind::kJoiner, runtime.make<Joiner>(separator.is_missing() ? runtime.borrow(", ") : separator));
}

Value raise_exception(Runtime& runtime, const Args& args) {
  const auto [message] = bind(args, "raise_exception", {"message"}, 1);
  fail(std::string(to_view(runtime, message)));
}

Value strftime_now(Runtime& runtime, const Args& args) {
  const auto [format] = bind(args, "strftime_now", {"format"}, 1);
  if (!format.is_string()) fail("strftime() argument 1 must be str, not " + std::string(type_name(format)));
  if (format.view().size() > 4096) fail("strftime_now(): the format is too long");
  if (format.view().find('\0') != std::string_view::npos) fail("embedded null character");
  const std::string pattern = ' ' + std::string(format.view());  // never empty: 0 means that the room is too small
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::string out(pattern.size() * 8 + 256, '\0');
  size_t written = 0;
  while ((written = std::strftime(out.data(), out.size(), pattern.c_str(), &local)) == 0) {
    runtime.charge_bytes(out.size() * 4);
    if (out.size() > runtime.limits().bytes / 8) fail("strftime_now(): the result is too long");
    out.resize(out.size() * 2);
  }
  return runtime.string(std::string_view(out).substr(1, written - 1));
}

Value lipsum(Runtime&, const Args&) { fail("lipsum() is random and not supported"); }

constexpr GlobalEntry kGlobals[] = {
    {"cycler", {"cycler", make_cycler}},
    {"dict", {"dict", make_dict}},
    {"joiner", {"joiner", make_joiner}},
    {"lipsum", {"lipsum", lipsum}},
    {"namespace", {"namespace", make_namespace}},
    {"raise_exception", {"raise_exception", raise_exception}},
    {"range", {"range", make_range}},
    {"strftime_now", {"strftime_now", strftime_now}},
};

}  // namespace

const GlobalEntry* find_global(std::string_view name) {
  for (const GlobalEntry& entry : kGlobals)
    if (entry.name == name) return &entry;
  return nullptr;
}

}  // namespace hearth::text::jinja
