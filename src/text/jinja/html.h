// The corners of markupsafe and html that filters and Markup strings need.
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/objects.h"

namespace hearth::text::jinja {

// Markup.striptags(): tags and comments go, white space becomes single spaces, entities their characters.
std::string strip_tags(std::string_view text);
// html.unescape() for numeric entities and the named ones of HTML 2: amp, lt, gt, quot, apos, nbsp.
std::string unescape_html(std::string_view text);

// str.replace with Markup kept; `limit` < 0: all.
Value replace_text(Runtime& runtime, Value self, std::string_view old, std::string_view fresh, int64_t limit);

// dict.fromkeys(keys, value).
Value make_dict_from_keys(Runtime& runtime, const Args& args);

// The methods that Markup adds to str.
std::span<const Attribute> markup_attributes();

}  // namespace hearth::text::jinja
