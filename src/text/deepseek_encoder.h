// The prompt of DeepSeek V3.2, which ships no Jinja template.
//
// Source: DeepSeek-V3.2's published encoding, as mlx-lm's chat_templates/deepseek_v32.py has it.
#pragma once

#include <string>

#include "base/json.h"

namespace hearth::text {

// As ChatTemplate::render. Of `options` it reads add_generation_prompt, continue_final_message, enable_thinking or
// thinking_mode ("thinking" or "chat"; thinking unless said otherwise), drop_thinking and add_default_bos_token.
// Throws RequestError (status 400) for conversations that the format cannot say.
std::string encode_deepseek_v32(const Json& messages, const Json& tools, const Json& options);

}  // namespace hearth::text
