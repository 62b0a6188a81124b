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
      : runtime_(runtime),
        out_(out),
        options_(options),
        item_separator_(options.item_separator.value_or(options.indent ? "," : ", ")) {}

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
  void check_size() const {
    if (out_.size() > runtime_.limits().bytes) fail("tojson(): the result is too long");
  }

  // Untouched JSON is written without unpacking it.
  bool write_source(const Json* source, bool untouched) {
    if (source == nullptr || !untouched || (options_.indent && level_ > 0)) return false;
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
    open('[');
    bool first = true;
    for (const Value item : items) {
      separate(first);
      write(item);
    }
    close(']');
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
    open('{');
    bool first = true;
    for (const Entry& entry : entries) {
      separate(first);
      write_key(entry.key);
      out_ += options_.key_separator;
      write(entry.value);
    }
    close('}');
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
      default:
        fail("keys must be str, int, float, bool or None, not " + std::string(type_name(key)));
    }
  }

  void open(char bracket) {
    out_ += bracket;
    ++level_;
    new_line();
  }
  void close(char bracket) {
    --level_;
    new_line();
    out_ += bracket;
  }
  void separate(bool& first) {
    if (!first) {
      out_ += item_separator_;
      new_line();
    }
    first = false;
  }
  void new_line() {
    if (!options_.indent) return;
    out_ += '\n';
    for (int i = 0; i < level_; ++i) {
      out_ += *options_.indent;
      check_size();
    }
  }

  Runtime& runtime_;
  std::string& out_;
  const JsonDumpsOptions& options_;
  const std::string item_separator_;
  int level_ = 0;
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
