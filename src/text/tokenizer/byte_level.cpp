#include "text/tokenizer/byte_level.h"

#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

constexpr size_t kLimit = 0x144;

struct Tables {
  std::array<char32_t, 256> character;
  std::array<int16_t, kLimit> byte;

  Tables() {
    byte.fill(-1);
    char32_t next = 256;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      character[b] = printable ? b : next++;
      byte[character[b]] = static_cast<int16_t>(b);
    }
  }
};

const Tables& tables() {
  static const Tables tables;
  return tables;
}

}  // namespace

const std::array<char32_t, 256>& byte_level_characters() { return tables().character; }

void append_byte_level(std::string& out, std::string_view bytes) {
  const auto& characters = tables().character;
  for (const char b : bytes) append_character(out, characters[static_cast<uint8_t>(b)]);
}

bool append_from_byte_level(std::string& out, std::string_view spelled) {
  const auto& bytes = tables().byte;
  const size_t before = out.size();
  for (size_t at = 0; at < spelled.size();) {
    const char32_t c = next_character(spelled, at);
    if (c >= kLimit || bytes[c] < 0) {
      out.resize(before);
      return false;
    }
    out += static_cast<char>(bytes[c]);
  }
  return true;
}

}  // namespace hearth::text
