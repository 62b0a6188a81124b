// How a normalized text is cut into the pieces that the model sees one by one.
//
// Threads: apply() may be called by many at once.
// Source:  huggingface/tokenizers pre_tokenizers.
#pragma once

#include <memory>
#include <vector>

#include "text/tokenizer/component.h"
#include "text/tokenizer/split_text.h"

namespace hearth::text {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(SplitText& text) const = 0;
};

// The steps of a "pre_tokenizer", sequences unfolded.
struct PreTokenizerChain {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  // The last step is ByteLevel: it leaves pieces as bytes, and spell_bytes writes them as its stand-ins; a model that
  // reads bytes does without.
  bool ends_in_bytes = false;
  bool changes_text = false;       // some step but the last inserts or replaces characters
  bool prepends_at_start = false;  // a Metaspace asks whether a piece begins where the input does
};

// Throws LoadError for a type it does not know or settings it cannot use.
PreTokenizerChain make_pre_tokenizers(const Component& component);

// Writes open pieces as byte-level stand-ins.
void spell_bytes(SplitText& text);

// How a Metaspace inserts its mark, shared with the decoder of that name.
enum class PrependScheme { kFirst, kNever, kAlways };
PrependScheme prepend_scheme(const Component& metaspace);

}  // namespace hearth::text
