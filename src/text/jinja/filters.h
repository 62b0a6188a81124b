// The filters (x | name), tests (x is name) and global functions of transformers' template environment.
#pragma once

#include <span>
#include <string_view>

#include "text/jinja/objects.h"

namespace hearth::text::jinja {

struct FilterEntry {
  std::string_view name;
  Value (*apply)(Runtime&, Value input, const Args&);
};

struct TestEntry {
  std::string_view name;
  bool (*holds)(Runtime&, Value input, const Args&);
};

struct GlobalEntry {
  std::string_view name;
  Function function;
};

// Null when there is none of that name.
const FilterEntry* find_filter(std::string_view name);
const TestEntry* find_test(std::string_view name);
const GlobalEntry* find_global(std::string_view name);

// The filters by theme, each with its own file.
std::span<const FilterEntry> text_filters();
std::span<const FilterEntry> number_filters();
std::span<const FilterEntry> layout_filters();    // wordwrap, pprint
std::span<const FilterEntry> sequence_filters();  // all items at once
std::span<const FilterEntry> lazy_filters();      // item by item, as generators

// json.dumps as the tojson filter calls it.
Value tojson_filter(Runtime& runtime, Value input, const Args& args);

// int(text, base) and float(text); false where Python raises a ValueError.
bool parse_python_int(std::string_view text, int base, int64_t& out);
bool parse_python_float(std::string_view text, double& out);

// "address.city.0" applied to an item: environment.getitem part by part.
class AttributePath {
 public:
  // `attribute` is a string, an integer, or missing: the item itself.
  AttributePath(Runtime& runtime, Value attribute);
  // `otherwise`, when not missing, stands for what is undefined on the way.
  Value of(Runtime& runtime, Value item, Value otherwise = Value()) const;

 private:
  ListData* parts_;
};

}  // namespace hearth::text::jinja
