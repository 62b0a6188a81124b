// The tokens <0x00> to <0xFF> that SentencePiece's models spell unknown characters with.
#pragma once

#include <array>
#include <cstdint>

#include "text/tokenizer/vocabulary.h"

namespace hearth::text {

// The id of each byte's token, or -1.
inline std::array<int32_t, 256> byte_fallback_ids(const Vocabulary& vocabulary) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::array<int32_t, 256> ids;
  for (unsigned b = 0; b < 256; ++b) {
    const char name[] = {'<', '0', 'x', kHex[b >> 4], kHex[b & 15], '>'};
    ids[b] = vocabulary.find({name, sizeof name});
  }
  return ids;
}

}  // namespace hearth::text
