// Any bytes as a tokenizer.json: refused with a LoadError, or a tokenizer that encodes, decodes and streams alike, or
// refuses the text.
// The part behind a zero byte, if there is one, is the text.
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::text;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t zero = all.find('\0');
  const std::string_view json = all.substr(0, zero);
  const std::string text = zero == all.npos ? "Hello \xF0\x9F\x98\x80 a\xCC\x81 ab" : std::string(all.substr(zero + 1));
  try {
    const auto tokenizer = Tokenizer::from_json(json);
    const std::vector<int32_t> ids = tokenizer->encode(text);
    if (tokenizer->encode_with_offsets(text).ids != ids) std::abort();
    const std::string decoded = tokenizer->decode(ids);
    Detokenizer detokenizer(tokenizer, false);
    std::string streamed;
    for (const int32_t id : ids) streamed += detokenizer.add(id);
    if (streamed + detokenizer.finish() != decoded) std::abort();
  } catch (const hearth::LoadError&) {
  } catch (const hearth::RequestError&) {  // this text is beyond this tokenizer
  }
  return 0;
}
