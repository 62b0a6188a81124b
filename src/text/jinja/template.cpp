#include "text/jinja/template.h"

#include <algorithm>

#include "base/unicode.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/parser.h"

namespace hearth::text::jinja {

namespace {

// Ranges of characters as ranges of bytes, in one pass over the text: ranges may lie inside one another.
std::vector<std::pair<size_t, size_t>> to_bytes(std::string_view text, std::vector<std::pair<size_t, size_t>> spans) {
  std::vector<size_t*> places;
  for (auto& [begin, end] : spans) {
    places.push_back(&begin);
    places.push_back(&end);
  }
  std::sort(places.begin(), places.end(), [](const size_t* a, const size_t* b) { return *a < *b; });
  size_t at = 0, character = 0;
  for (size_t* const place : places) {
    for (; character < *place && at < text.size(); ++character) next_character(text, at);
    *place = at;
  }
  return spans;
}

}  // namespace

Template::Template(std::string_view source, const TemplateLimits& limits)
    : tree_(parse(source, limits)), limits_(limits) {}
Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

Rendering Template::render(const std::function<void(Runtime&, Interpreter&)>& define) const {
  Runtime runtime(limits_);
  Interpreter interpreter(*tree_, runtime);
  try {
    define(runtime, interpreter);
  } catch (const Failure& failure) {  // the data alone exceeds a limit
    throw TemplateError(1, failure.what());
  }
  Rendering rendering;
  rendering.text = interpreter.render();
  rendering.generation_spans = to_bytes(rendering.text, interpreter.generation_spans());
  return rendering;
}

}  // namespace hearth::text::jinja
