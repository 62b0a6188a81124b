// Any bytes as a tokenizer.model: refused with a LoadError, or a tokenizer that works.
#include "base/error.h"
#include "text/tokenizer/model_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::text;
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  try {
    SentencePieceNames names;
    const auto pipeline = read_sentencepiece(content, "tokenizer.model", true, names);
    std::vector<int32_t> ids;
    pipeline->encode("  Hello \xF0\x9F\x98\x80 a\xCC\x81 <s>ab\xFF ", true, ids);
    pipeline->encode_fully("  Hello \xF0\x9F\x98\x80 a\xCC\x81 <s>ab\xFF ", true, OffsetUnit::kCharacters, true);
    pipeline->decode(ids, false);
  } catch (const hearth::LoadError&) {
  } catch (const hearth::RequestError&) {  // this text is beyond this tokenizer
  }
  return 0;
}
