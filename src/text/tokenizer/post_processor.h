// What happens to a tokenized text last: special tokens around it, offsets trimmed.
//
// Threads: apply() may be called by many at once.
// Source:  huggingface/tokenizers processors, for single sequences.
#pragma once

#include <memory>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer/component.h"

namespace hearth::text {

class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  // Works on the parts that will be joined into one encoding.
  virtual void apply(std::vector<Encoding>& parts, bool add_special_tokens) const = 0;
  // Tokens that apply() adds with add_special_tokens.
  virtual size_t added_tokens() const = 0;
};

// Throws LoadError for a type it does not know or settings it cannot use.
std::unique_ptr<PostProcessor> make_post_processor(const Component& component);

// A template that puts these in front and behind.
std::unique_ptr<PostProcessor> make_template(std::vector<std::pair<int32_t, std::string>> before,
                                             std::vector<std::pair<int32_t, std::string>> behind);

// Appends `part` to `whole`.
void join(Encoding& whole, Encoding&& part);

// An encoding's part [begin, end).
Encoding slice(const Encoding& encoding, size_t begin, size_t end);

// `count` tokens that stand for no text.
Encoding special_tokens(size_t count, int32_t id, std::string_view token, int32_t type_id);

}  // namespace hearth::text
