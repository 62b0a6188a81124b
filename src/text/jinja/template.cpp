#include "text/jinja/template.h"

#include "base/unicode.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/parser.h"

namespace hearth::text::jinja {

namespace {

// Ranges of characters as ranges of bytes.
std::vector<std::pair<size_t, size_t>> to_bytes(std::string_view text,
                                                const std::vector<std::pair<size_t, size_t>>& spans) {
  std::vector<std::pair<size_t, size_t>> out;
  for (const auto& [begin, end] : spans) {
    size_t at = 0, character = 0;
    const auto seek = [&](size_t wanted) {
      for (; character < wanted && at < text.size(); ++character) next_character(text, at);
      return at;
    };
    const size_t first = seek(begin);
    out.emplace_back(first, seek(end));
  }
  return out;
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
