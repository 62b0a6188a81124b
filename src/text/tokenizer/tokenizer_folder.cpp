#include "base/error.h"
#include "base/file.h"
#include "text/tokenizer/pipeline.h"

namespace hearth::text {

std::unique_ptr<Tokenizer::Pipeline> read_tokenizer_folder(const std::filesystem::path& folder) {
  const std::filesystem::path json = folder / "tokenizer.json";
  return read_tokenizer_json(read_file(json, 256 << 20), json.string());
}

}  // namespace hearth::text
