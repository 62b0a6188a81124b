// str() and repr() of every kind of value, as CPython and jinja2 print them. Where Python prints an address, a fixed
// one of the same length stands instead.
#include <nlohmann/json.hpp>

#include "base/python_format.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/objects.h"
#include "text/jinja/operations.h"

namespace hearth::text::jinja {

namespace {

constexpr std::string_view kAddress = " at 0x7f0000000000>";

// A global of transformers' environment, by the names it has there.
void append_function(std::string& out, std::string_view name) {
  const std::string locals = "_cached_compile_jinja_template.<locals>.";
  if (name == "cycler") {
    out += "<class 'jinja2.utils.Cycler'>";
  } else if (name == "joiner") {
    out += "<class 'jinja2.utils.Joiner'>";
  } else if (name == "namespace") {
    out += "<class 'transformers.utils.chat_template_utils." + locals + "TemplateNamespace'>";
  } else if (name == "dict") {
    out += "<transformers.utils.chat_template_utils." + locals + "TemplateDict object" + std::string(kAddress);
  } else {
    std::string own = locals + std::string(name);
    if (name == "range") own = "safe_range";
    if (name == "lipsum") own = "generate_lorem_ipsum";
    out += "<function " + own + std::string(kAddress);
  }
}

void append_items(Runtime& runtime, std::string& out, std::span<const Value> items) {
  bool first = true;
  for (Value item : items) {
    if (!first) out += ", ";
    first = false;
    append_repr(runtime, out, item);
  }
}

void append_entries(Runtime& runtime, std::string& out, std::span<const Entry> entries) {
  out += '{';
  bool first = true;
  for (const Entry& entry : entries) {
    if (!first) out += ", ";
    first = false;
    append_repr(runtime, out, entry.key);
    out += ": ";
    append_repr(runtime, out, entry.value);
  }
  out += '}';
}

void append_range(std::string& out, const Range& range) {
  out += "range(" + std::to_string(range.start) + ", " + std::to_string(range.stop);
  if (range.step != 1) out += ", " + std::to_string(range.step);
  out += ')';
}

void append_namespace(Runtime& runtime, std::string& out, Namespace& space) {
  if (space.printing) {
    out += "<Namespace {...}>";
    return;
  }
  space.printing = true;
  out += "<Namespace ";
  append_entries(runtime, out, space.attributes.entries(runtime));
  out += '>';
  space.printing = false;
}

}  // namespace

void append_repr(Runtime& runtime, std::string& out, Value value) {
  runtime.step();
  Runtime::DepthGuard guard(runtime);
  if (out.size() > runtime.limits().bytes)
    fail("the template makes a string of more than " + std::to_string(runtime.limits().bytes) + " bytes");
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined: out += "Undefined"; break;
    case Kind::kNone: out += "None"; break;
    case Kind::kBool: out += value.as_bool() ? "True" : "False"; break;
    case Kind::kInt: out += std::to_string(value.as_int()); break;
    case Kind::kHuge: out += std::to_string(value.as_huge()); break;
    case Kind::kFloat: out += python_repr_float(value.as_real()); break;
    case Kind::kString:
      runtime.charge_bytes(value.text()->size * 32);
      if (value.is_markup()) out += "Markup(";
      append_python_repr(out, value.view());
      if (value.is_markup()) out += ')';
      break;
    case Kind::kList:
      out += '[';
      append_items(runtime, out, value.list_data()->items(runtime));
      out += ']';
      break;
    case Kind::kTuple:
      out += '(';
      append_items(runtime, out, value.list_data()->items(runtime));
      out += value.list_data()->count == 1 ? ",)" : ")";
      break;
    case Kind::kDict: append_entries(runtime, out, value.dict_data()->entries(runtime)); break;
    case Kind::kDictView:
      out += type_name(value);
      out += "([";
      append_items(runtime, out, collect(runtime, value));
      out += "])";
      break;
    case Kind::kRange: append_range(out, value.as<Range>()); break;
    case Kind::kNamespace: append_namespace(runtime, out, value.as<Namespace>()); break;
    case Kind::kLoop: {
      Loop& loop = value.as<Loop>();
      out += "<LoopContext " + std::to_string(loop.index + 1) + "/" + std::to_string(loop.count(runtime)) + ">";
      break;
    }
    case Kind::kMacro: out += describe_macro(value); break;
    case Kind::kMethod:
      out += "<built-in method " + std::string(value.as<BoundMethod>().attribute->name) + " of " +
             std::string(type_name(value.as<BoundMethod>().self)) + " object" + std::string(kAddress);
      break;
    case Kind::kFunction: append_function(out, value.as<Function>().name); break;
    case Kind::kIterator: out += "<" + std::string(value.as<Iterator>().name()) + std::string(kAddress); break;
    case Kind::kSelf: out += "<TemplateReference None>"; break;
    case Kind::kCycler: out += "<jinja2.utils.Cycler object" + std::string(kAddress); break;
    case Kind::kJoiner: out += "<jinja2.utils.Joiner object" + std::string(kAddress); break;
    default: out += "<" + std::string(type_name(value)) + " object>"; break;
  }
}

void append_str(Runtime& runtime, std::string& out, Value value) {
  if (value.is_string()) {
    out += value.view();
  } else if (!value.is(Kind::kUndefined)) {
    append_repr(runtime, out, value);
  }
}

Value to_str(Runtime& runtime, Value value) {
  if (value.is_string()) return Value::string(value.text());
  std::string text;
  append_str(runtime, text, value);
  return runtime.string(text);
}

std::string_view to_view(Runtime& runtime, Value value) { return to_str(runtime, value).view(); }

Value soft_str(Runtime& runtime, Value value) { return value.is_string() ? value : to_str(runtime, value); }

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
}

Value escape(Runtime& runtime, Value value) {
  if (value.is_markup()) return value;
  std::string text;
  append_escaped(text, to_view(runtime, value));
  return runtime.string(text, true);
}

}  // namespace hearth::text::jinja
