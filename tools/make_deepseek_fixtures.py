#!/usr/bin/env python3
"""Writes src/text/testdata/deepseek_v32.json: conversations as mlx-lm's encoder for DeepSeek V3.2 renders them.

    python tools/make_deepseek_fixtures.py > src/text/testdata/deepseek_v32.json
"""
import copy
import json

from mlx_lm.chat_templates import deepseek_v32

TOOLS = [{"type": "function", "function": {"name": "f", "description": "Äh \"q\"", "parameters": {"type": "object", "properties": {"a": {"type": "number", "default": 1e-7}}}}},
         {"type": "function", "function": {"name": "g"}}]
CALL = {"role": "assistant", "content": "", "reasoning_content": "r1", "tool_calls": [
    {"function": {"name": "f", "arguments": "{\"a\": 1.50, \"s\": \"x\", \"l\": [1, null, true, \"é\"]}"}}, {"function": {"name": "g", "arguments": "{}"}}]}
CHATS = [
    [{"role": "user", "content": "Hi"}],
    [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A", "reasoning_content": "old"}, {"role": "user", "content": "B"}],
    [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A", "reasoning_content": "new"}],
    [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A"}],
    [{"role": "system", "content": "S"}, {"role": "user", "content": "w"}, CALL, {"role": "tool", "content": "1"}, {"role": "tool", "content": "2"}],
    [{"role": "user", "content": "w"}, CALL, {"role": "tool", "content": "1"}, {"role": "tool", "content": "2"}, {"role": "user", "content": "more"}],
    [{"role": "developer", "content": "do", "tools": TOOLS, "response_format": {"type": "json"}}],
    [{"role": "tool", "content": "lost"}],
    [{"role": "critic", "content": "?"}],
]
OPTIONS = [{}, {"add_generation_prompt": True}, {"enable_thinking": False, "add_generation_prompt": True}, {"continue_final_message": True},
           {"drop_thinking": False, "add_default_bos_token": False}]


def main():
    out = []
    for messages in CHATS:
        for tools in (None, TOOLS):
            for options in OPTIONS:
                try:
                    text = deepseek_v32.apply_chat_template(copy.deepcopy(messages), tools=tools, **options)
                except Exception:
                    text = None
                out.append({"messages": messages, "tools": tools, "options": options, "text": text})
    print(json.dumps(out, ensure_ascii=False, separators=(",", ":")))


main()
