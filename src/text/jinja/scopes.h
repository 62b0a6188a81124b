// Gives every variable of a parsed template its place, by jinja2's rules.
#pragma once

#include <unordered_set>

#include "text/jinja/ast.h"

namespace hearth::text::jinja {

// Fills in slots, frames, filters and tests. Throws TemplateError where jinja2 refuses to compile: unknown filters
// outside conditions, assignments to `loop`, break outside a loop. What is inside `folded` (constants.h) is no error.
void resolve_scopes(Tree& tree, const std::unordered_set<const Expr*>& folded);

}  // namespace hearth::text::jinja
