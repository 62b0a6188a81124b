#include "text/tokenizer/added_token_json.h"

namespace hearth::text {

AddedTokenJson read_added_token_object(JsonReader& in) {
  AddedTokenJson read;
  bool has_content = false;
  std::string key;
  in.begin_object();
  while (in.next_key(key)) {
    if (key == "content") {
      read.token.content = in.string();
      has_content = true;
    } else if (key == "single_word") {
      read.token.single_word = in.boolean();
    } else if (key == "lstrip") {
      read.token.lstrip = in.boolean();
    } else if (key == "rstrip") {
      read.token.rstrip = in.boolean();
    } else if (key == "normalized") {
      read.normalized = in.boolean();
    } else if (key == "special") {
      read.token.special = in.boolean();
    } else if (key == "id") {
      read.id = in.integer();
    } else {
      in.skip_value();
    }
  }
  if (!has_content) in.fail("a token without content");
  return read;
}

}  // namespace hearth::text
