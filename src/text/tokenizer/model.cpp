#include "text/tokenizer/model.h"

#include <string>

#include "base/error.h"

namespace hearth::text {

void Model::fail_unknown(std::string_view unk_token) {
  throw RequestError(400, "the text has characters without a token, and the vocabulary lacks the unknown token" +
                              (unk_token.empty() ? "" : " '" + std::string(unk_token.substr(0, 64)) + "'"));
}

}  // namespace hearth::text
