// What a template may use before it is stopped. The defaults let the largest known templates (40 KB of source, 200,000
// steps for a long agent conversation) pass fifty times over, and stop a hostile one in well under a second.
#pragma once

#include <cstddef>

namespace hearth::text {

struct TemplateLimits {
  size_t source_bytes = size_t{2} << 20;  // of template text
  int nesting = 400;                      // of grammar rules in the source: about 100 brackets or blocks
  size_t steps = 10'000'000;              // statements and expressions evaluated, items visited
  size_t bytes = size_t{128} << 20;       // of text and lists alive or made while rendering, counted once each
  size_t output_bytes = size_t{32} << 20;
  int recursion = 150;     // of macro calls and recursive loops
  size_t range = 100'000;  // items of one range(), as jinja2's sandbox has it
};

}  // namespace hearth::text
