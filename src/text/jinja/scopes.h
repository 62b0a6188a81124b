// Gives every variable of a parsed template its place, by jinja2's rules.
#pragma once

#include "text/jinja/ast.h"

namespace hearth::text::jinja {

// Fills in slots, frames, filters and tests. Throws TemplateError where jinja2 refuses to compile: unknown filters
// outside conditions, assignments to `loop`, break outside a loop.
void resolve_scopes(Tree& tree);

}  // namespace hearth::text::jinja
