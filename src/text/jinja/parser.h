// A template's text to its tree.
#pragma once

#include <memory>
#include <string_view>

#include "text/jinja/ast.h"
#include "text/template_limits.h"

namespace hearth::text::jinja {

// The tree with every variable given its slot. Throws TemplateError where jinja2 would refuse to compile, or when the
// source exceeds a limit.
std::unique_ptr<Tree> parse(std::string_view source, const TemplateLimits& limits);

}  // namespace hearth::text::jinja
