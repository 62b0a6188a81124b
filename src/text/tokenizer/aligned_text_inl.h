// Private to aligned_text.h: the templates' bodies.
#pragma once

#include "text/tokenizer/utf8.h"

namespace hearth::text {

template <typename Keep>
void AlignedText::filter(Keep&& keep) {
  changes.clear();
  int32_t dropped = 0;
  size_t dropped_first = 0;
  char32_t last = 0;
  bool any = false, all = true;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (!keep(c)) {
      ++dropped;
      all = false;
      continue;
    }
    if (any) {
      changes.push_back({last, -dropped});
    } else {
      dropped_first = static_cast<size_t>(dropped);
    }
    any = true;
    last = c;
    dropped = 0;
  }
  if (all && !tracked) return;
  if (any) changes.push_back({last, -dropped});
  transform(changes, dropped_first);
}

template <typename Map>
void AlignedText::map(Map&& map) {
  changes.clear();
  for (size_t at = 0; at < text.size();) changes.push_back({map(next_character(text, at)), 0});
  transform(changes);
}

}  // namespace hearth::text
