// SentencePiece's compiled character map: a trie from strings to their replacements.
//
// Source: google/sentencepiece normalizer.cc (DecodePrecompiledCharsMap).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/tokenizer/component.h"
#include "text/tokenizer/double_array.h"

namespace hearth::text {

class CharacterMap {
 public:
  CharacterMap() = default;
  // Four bytes of length, the trie's units, replacements ended by zeros. Throws LoadError through `where`.
  CharacterMap(std::string_view blob, const Component& where);

  struct Match {
    size_t length;                 // of the key
    std::string_view replacement;  // Lifetime: the map's
  };
  std::optional<Match> shortest(std::string_view text) const { return find(text, false); }
  std::optional<Match> longest(std::string_view text) const { return find(text, true); }

 private:
  std::optional<Match> find(std::string_view text, bool longest) const;
  DoubleArray trie_;
  std::string replacements_;
};

}  // namespace hearth::text
