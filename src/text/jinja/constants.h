// Which expressions jinja2 computes while it compiles a template.
//
// This is observable: what stands inside such an expression is never compiled, so an unknown filter there is no error;
// and a dict with a list for a key is an error of the whole template, even in a branch that never runs.
// Source: jinja2 3.1, optimizer.py, as_const() in nodes.py, optimizeconst and visit_Output in compiler.py.
#pragma once

#include <unordered_set>

#include "text/jinja/ast.h"
#include "text/template_limits.h"

namespace hearth::text::jinja {

// The expressions that a value takes the place of, each the largest of its kind. Throws TemplateError where computing
// one is an error in jinja2.
std::unordered_set<const Expr*> fold_constants(const Tree& tree, const TemplateLimits& limits);

}  // namespace hearth::text::jinja
