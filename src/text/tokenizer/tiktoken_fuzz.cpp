// Any bytes as a rank file, the first choosing the family: refused with a LoadError, or a tokenizer that works.
#include "base/error.h"
#include "text/tokenizer/model_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::text;
  if (size == 0) return 0;
  constexpr std::string_view kClasses[] = {"", "QWenTokenizer", "TikTokenTokenizer"};
  const std::string_view content(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const auto pipeline = read_tiktoken(content, "x.tiktoken", kClasses[data[0] % 3]);
    std::vector<int32_t> ids;
    pipeline->encode("Hello \xF0\x9F\x98\x80 a\xCC\x81 <|im_start|>ab\xFF 123\n", true, ids);
    pipeline->decode(ids, false);
  } catch (const hearth::LoadError&) {
  } catch (const hearth::RequestError&) {  // this text is beyond this tokenizer
  }
  return 0;
}
