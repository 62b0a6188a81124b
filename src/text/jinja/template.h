// A Jinja template as transformers compiles it: parsed once, rendered many times.
//
// Threads: render() may be called from many threads at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/template_error.h"
#include "text/template_limits.h"

namespace hearth::text::jinja {

struct Tree;

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

  // `variables`: an object; each entry is a variable, `more` after it and stronger. Throws TemplateError.
  Rendering render(const Json& variables, const Json& more) const;

 private:
  std::unique_ptr<const Tree> tree_;
  TemplateLimits limits_;
};

}  // namespace hearth::text::jinja
