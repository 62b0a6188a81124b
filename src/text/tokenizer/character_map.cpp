#include "text/tokenizer/character_map.h"

#include <cstring>

#include "text/tokenizer/utf8.h"

namespace hearth::text {

CharacterMap::CharacterMap(std::string_view blob, const Component& where) {
  uint32_t trie_bytes = 0;
  if (blob.size() < 4) where.fail("character map shorter than its header");
  std::memcpy(&trie_bytes, blob.data(), 4);
  if (trie_bytes % 4 != 0 || trie_bytes == 0 || trie_bytes > blob.size() - 4) where.fail("character map cut short");
  std::vector<uint32_t> units(trie_bytes / 4);
  std::memcpy(units.data(), blob.data() + 4, trie_bytes);
  trie_ = DoubleArray(std::move(units));
  replacements_ = blob.substr(4 + trie_bytes);
  if (!is_valid_utf8(replacements_)) where.fail("character map: replacements are not UTF-8");
}

std::optional<CharacterMap::Match> CharacterMap::find(std::string_view text, bool longest) const {
  std::optional<std::pair<size_t, uint32_t>> found;
  trie_.prefixes(text, [&](size_t length, uint32_t index) {
    found = {length, index};
    return longest;
  });
  if (!found || found->second > replacements_.size()) return std::nullopt;
  std::string_view replacement = std::string_view(replacements_).substr(found->second);
  replacement = replacement.substr(0, replacement.find('\0'));
  // A damaged map may point into the middle of a character.
  if (!replacement.empty() && is_utf8_continuation(replacement[0])) return std::nullopt;
  return Match{found->first, replacement};
}

}  // namespace hearth::text
