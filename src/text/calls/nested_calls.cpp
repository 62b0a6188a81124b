// The mark is one token, which values cannot hold: what stands before it is text of the innermost open element, what
// follows up to > is a tag. An element has text or elements, never both, so a forgotten closing tag shows itself.
#include "text/calls/nested_calls.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace hearth::text {

struct NestedCalls::Element {
  std::string name;
  const Json* schema;  // null if unknown
  std::string text = {};
  std::vector<std::pair<std::string, Json>> children = {};
};

namespace {

constexpr size_t kDeepest = 62;  // elements open at once
constexpr std::string_view kItem = "item";

const Json* member(const Json* object, std::string_view key) {
  if (object == nullptr || !object->is_object()) return nullptr;
  const auto found = object->find(std::string(key));
  return found == object->end() ? nullptr : &*found;
}

bool has_type(const Json* schema, std::string_view type) {
  const Json* types = member(schema, "type");
  if (types == nullptr) return false;
  if (types->is_array()) return std::find(types->begin(), types->end(), type) != types->end();
  return *types == type;
}

Json leaf(const std::string& text, const Json* schema) {
  if (is_string_schema(schema)) return text;
  if (trim(text).empty() && has_type(schema, "null")) return nullptr;
  if (trim(text).empty() && has_type(schema, "array")) return Json::array();
  if (trim(text).empty() && has_type(schema, "object")) return Json::object();
  return coerce_argument(trim(text), schema, Untyped::literal);
}

Json with_children(const std::vector<std::pair<std::string, Json>>& children, const Json* schema) {
  const bool items = std::all_of(children.begin(), children.end(), [](const auto& one) { return one.first == kItem; });
  Json value = items && !has_type(schema, "object") ? Json::array() : Json::object();
  for (const auto& [name, child] : children) {
    if (value.is_array()) {
      value.push_back(child);
    } else {
      value[name] = child;
    }
  }
  return value;
}

}  // namespace

NestedCalls::NestedCalls(std::string_view mark, const CallContext& context)
    : mark_(mark), tools_(context.tools), sink_(context.sink), writer_(context.sink), repair_(context.repair) {}
NestedCalls::~NestedCalls() = default;

CallStatus NestedCalls::push(char c) {
  text_ += c;
  return state_ == State::text ? text() : tag(c);
}

CallStatus NestedCalls::text() {
  const bool leaf_is_open = !elements_.empty() && elements_.back().children.empty();
  if (!leaf_is_open && is_space(text_[0])) text_.clear();
  if (!text_.ends_with(mark_)) {
    if (leaf_is_open || mark_.starts_with(text_)) return CallStatus::more;
    return fail("text between the tags");
  }
  text_.resize(text_.size() - mark_.size());
  if (leaf_is_open) elements_.back().text = text_;
  text_.clear();
  state_ = State::tag;
  return CallStatus::more;
}

CallStatus NestedCalls::tag(char c) {
  if (is_space(text_[0])) text_.clear();
  if (text_.size() > kLongestName) return fail("a tag is too long");
  if (!text_.empty() && text_[0] != '<') return fail("no tag behind its mark");
  if (c != '>') return CallStatus::more;
  const std::string found = std::exchange(text_, "");
  const std::string_view name = trim(std::string_view(found).substr(1, found.size() - 2));
  state_ = State::text;
  return name.starts_with('/') ? closed(trim(name.substr(1))) : opened(name);
}

CallStatus NestedCalls::opened(std::string_view name) {
  // A leaf with text ends where another element begins: its closing tag was forgotten.
  if (!elements_.empty() && !trim(elements_.back().text).empty()) {
    if (!repair_) return fail("an element inside a text");
    repaired_ = true;
    close_element();
  }
  if (name.starts_with("invoke ") && elements_.empty()) {
    if (in_call_ && !repair_) return fail("a call inside a call");
    if (in_call_) {
      repaired_ = true;
      if (const CallStatus status = end_call(); status != CallStatus::more) return status;
    }
    return begin_call(name.substr(7));
  }
  if (!in_call_) return fail("neither a call nor the end marker");
  if (name.empty() || elements_.size() >= kDeepest) return fail("an element without a name, or too deep");
  elements_.push_back({.name = std::string(name), .schema = schema_of(name)});
  return CallStatus::more;
}

CallStatus NestedCalls::begin_call(std::string_view attributes) {
  attributes = trim(attributes);
  if (!attributes.starts_with("name=")) return fail("the call has no name");
  attributes.remove_prefix(5);
  if (attributes.size() >= 2 && (attributes.front() == '"' || attributes.front() == '\'') &&
      attributes.back() == attributes.front())
    attributes = attributes.substr(1, attributes.size() - 2);
  if (attributes.empty() || attributes.find_first_of(" \n\t<\"") != std::string_view::npos)
    return fail("the call has no name");
  name_ = attributes;
  in_call_ = true;
  std::string refusal = sink_.start(name_, "");
  return refusal.empty() ? CallStatus::more : fail(std::move(refusal));
}

const Json* NestedCalls::schema_of(std::string_view name) const {
  if (elements_.empty()) return parameter_schema(tools_, name_, name);
  const Json* outer = elements_.back().schema;
  if (const Json* property = member(member(outer, "properties"), name)) return property;
  return member(outer, name == kItem ? "items" : "additionalProperties");
}

CallStatus NestedCalls::closed(std::string_view name) {
  const bool is_open =
      std::any_of(elements_.begin(), elements_.end(), [&](const Element& element) { return element.name == name; });
  const bool ends_call = !is_open && (name == "invoke" || name == "tool_call");
  if (!ends_call && !is_open) return fail("the end of an element that is not open");
  const bool forgotten =
      ends_call ? !elements_.empty() || (name == "tool_call" && in_call_) : elements_.back().name != name;
  if (forgotten && !repair_) return fail("the end of an element with another inside it");
  repaired_ = repaired_ || forgotten;
  bool closing = !elements_.empty();
  while (closing) {  // with the forgotten ends of those inside
    closing = ends_call ? elements_.size() > 1 : elements_.back().name != name;
    close_element();
  }
  if (ends_call && in_call_)
    if (const CallStatus status = end_call(); status != CallStatus::more) return status;
  if (!ends_call || name != "tool_call") return CallStatus::more;
  return calls_ > 0 ? CallStatus::done : fail("no call before the end marker");
}

void NestedCalls::close_element() {
  const Element element = std::move(elements_.back());
  elements_.pop_back();
  Json value =
      element.children.empty() ? leaf(element.text, element.schema) : with_children(element.children, element.schema);
  if (elements_.empty()) {
    writer_.add(element.name, value);
  } else {
    elements_.back().children.emplace_back(element.name, std::move(value));
  }
}

CallStatus NestedCalls::end_call() {
  writer_.close();
  if (std::string refusal = sink_.end(repaired_); !refusal.empty()) return fail(std::move(refusal));
  in_call_ = repaired_ = false;
  ++calls_;
  return CallStatus::more;
}

CallStatus NestedCalls::finish() {
  if (!in_call_ && calls_ > 0 && trim(text_).empty()) return CallStatus::done;
  return fail("the answer ended inside the call");
}

}  // namespace hearth::text
