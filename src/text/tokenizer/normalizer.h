// What happens to a text before it is cut into pieces.
//
// Threads: apply() may be called by many at once.
// Source:  huggingface/tokenizers normalizers.
#pragma once

#include <memory>

#include "text/tokenizer/aligned_text.h"
#include "text/tokenizer/component.h"

namespace hearth::text {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text) const = 0;
};

// Throws LoadError for a type it does not know or settings it cannot use.
std::unique_ptr<Normalizer> make_normalizer(const Component& component);

// SentencePiece's compiled character map, as base64 says it or as bytes; throws LoadError when it is damaged.
std::unique_ptr<Normalizer> make_precompiled(std::string_view charsmap, const Component& component);

}  // namespace hearth::text
