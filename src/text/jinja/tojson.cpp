// The tojson filter: transformers' own, which is json.dumps without HTML escaping.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/python_format.h"
#include "text/jinja/filters.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"

namespace hearth::text::jinja {

namespace {

class Writer {
 public:
  Writer(Runtime& runtime, std::string& out, const JsonDumpsOptions& options)
      : runtime_(runtime), out_(out), options_(options), layout_(out, options) {}

  void write(Value value) {
    runtime_.step();
    const Runtime::DepthGuard guard(runtime_);
    check_size();
    switch (value.kind()) {
      case Kind::kNone: out_ += "null"; break;
      case Kind::kBool: out_ += value.as_bool() ? "true" : "false"; break;
      case Kind::kInt: out_ += std::to_string(value.as_int()); break;
      case Kind::kHuge: out_ += std::to_string(value.as_huge()); break;
      case Kind::kFloat: out_ += python_json_float(value.as_real()); break;
      case Kind::kString:
        runtime_.charge_bytes(value.text()->size * 2);
        append_json_string(out_, value.view(), options_.ensure_ascii);
        break;
      case Kind::kList:
      case Kind::kTuple: write_list(value.list_data()); break;
      case Kind::kDict: write_dict(value.dict_data()); break;
      default: fail("Object of type " + std::string(type_name(value)) + " is not JSON serializable");
    }
  }

 private:
  // Before every value: what layout it may bring must fit, too.
  void check_size() const {
    if (out_.size() + layout_.next_bytes() > runtime_.limits().bytes) fail("tojson(): the result is too long");
  }

  // Untouched JSON is written without unpacking it.
  bool write_source(const Json* source, bool untouched) {
    if (source == nullptr || !untouched || (options_.indent && layout_.level() > 0)) return false;
    const size_t before = out_.size();
    append_json_dumps(out_, *source, options_);
    runtime_.charge_bytes((out_.size() - before) * 2);
    return true;
  }

  void write_list(ListData* list) {
    if (write_source(list->source, list->values == nullptr)) return;
    const auto items = list->items(runtime_);
    if (items.empty()) {
      out_ += "[]";
      return;
    }
    layout_.open('[');
    bool first = true;
    for (const Value item : items) {
      layout_.separate(first);
      write(item);
    }
    layout_.close(']');
  }

  void write_dict(DictData* dict) {
    if (write_source(dict->source, dict->values == nullptr)) return;
    auto entries = dict->entries(runtime_);
    if (entries.empty()) {
      out_ += "{}";
      return;
    }
    std::vector<Entry> sorted;
    if (options_.sort_keys) {
      sorted.assign(entries.begin(), entries.end());
      std::stable_sort(sorted.begin(), sorted.end(), [&](const Entry& a, const Entry& b) {
        runtime_.step();
        return compare(runtime_, Order::kLess, a.key, b.key);
      });
      entries = sorted;
    }
    layout_.open('{');
    bool first = true;
    for (const Entry& entry : entries) {
      layout_.separate(first);
      write_key(entry.key);
      out_ += options_.key_separator;
      write(entry.value);
    }
    layout_.close('}');
  }

  void write_key(Value key) {
    switch (key.kind()) {
      case Kind::kString: write(key); return;
      case Kind::kNone:
      case Kind::kBool:
      case Kind::kInt:
      case Kind::kHuge:
      case Kind::kFloat:
        out_ += '"';
        write(key);
        out_ += '"';
        return;
      default: fail("keys must be str, int, float, bool or None, not " + std::string(type_name(key)));
    }
  }

  Runtime& runtime_;
  std::string& out_;
  const JsonDumpsOptions& options_;
  JsonLayout layout_;
};

}  // namespace

Value tojson_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [ensure_ascii, indent, separators, sort_keys] =
      bind(args, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonDumpsOptions options;
  options.ensure_ascii = !ensure_ascii.is_missing() && truthy(runtime, ensure_ascii);
  options.sort_keys = !sort_keys.is_missing() && truthy(runtime, sort_keys);
  if (!indent.is_missing() && !indent.is(Kind::kNone)) {
    const Value level = indent.is_string() ? indent
                                           : arithmetic(runtime, Arithmetic::kMultiply, runtime.borrow(" "),
                                                        Value::integer(to_index(runtime, indent, "indent")));
    options.indent = std::string(level.view());
  }
  if (!separators.is_missing() && !separators.is(Kind::kNone)) {
    const std::vector<Value> pair = collect(runtime, separators);
    if (pair.size() != 2) fail("separators must be a pair");
    if (!pair[0].is_string() || !pair[1].is_string()) fail("separators must be strings");
    options.item_separator = std::string(pair[0].view());
    options.key_separator = std::string(pair[1].view());
  }
  std::string out;
  Writer(runtime, out, options).write(input);
  return runtime.string(out);
}

}  // namespace hearth::text::jinja
