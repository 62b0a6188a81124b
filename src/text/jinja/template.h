// A Jinja template as transformers compiles it: parsed once, rendered many times.
//
// Threads: render() may be called from many threads at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/template_error.h"
#include "text/template_limits.h"

namespace hearth::text::jinja {

struct Tree;
class Interpreter;
class Runtime;

struct Rendering {
  std::string text;
  std::vector<std::pair<size_t, size_t>> generation_spans;  // bytes of text, half-open
};

class Template {
 public:
  // Throws TemplateError when the source does not parse.
  explicit Template(std::string_view source, const TemplateLimits& limits = {});
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  // Renders with the variables that `define` gives. What they refer to must outlive the call. Throws TemplateError.
  Rendering render(const std::function<void(Runtime&, Interpreter&)>& define) const;

 private:
  std::unique_ptr<const Tree> tree_;
  TemplateLimits limits_;
};

}  // namespace hearth::text::jinja
