// Unicode normalization forms, character by character with the marks of what stands for what.
//
// Source: UAX #15; the order and marks of the crate unicode-normalization-alignments, which `tokenizers` uses.
#pragma once

#include <string_view>
#include <vector>

#include "text/tokenizer/aligned_text.h"

namespace hearth::text {

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

// The normal form of `text`; clears `out` first. Returns false, `out` empty, where a look at each character shows that
// nothing would change.
bool normalize(std::string_view text, NormalForm form, std::vector<Change>& out);

}  // namespace hearth::text
