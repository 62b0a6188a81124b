#!/usr/bin/env python3
"""Writes src/text/testdata/templates.json: templates in many models' styles with what transformers renders.

    python tools/make_template_fixtures.py > src/text/testdata/templates.json
"""
import json

import template_oracle
from template_styles import STYLES

TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city, in °C.", "parameters": {
        "type": "object", "required": ["city"], "properties": {
            "city": {"type": "string", "description": "Name, e.g. \"Köln\""},
            "days": {"type": "integer", "description": "How many", "default": 3},
            "units": {"type": "array", "description": "Units", "items": {"type": "string"}},
            "mode": {"type": ["string", "null"], "description": "Mode"}}}}},
    {"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {
        "type": "object", "properties": {"exact": {"type": "boolean", "description": "Exact", "default": False}}, "required": []}}},
]
CHATS = {
    "one": [{"role": "user", "content": "Hello <there> & \"you\""}],
    "turns": [{"role": "system", "content": "Be brief. "}, {"role": "user", "content": " Grüße, 世界 😀\n"},
              {"role": "assistant", "content": "<think>\nhm\n</think>\n\nYes."}, {"role": "user", "content": "More?"}],
    "plain": [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B "}, {"role": "user", "content": "C"},
              {"role": "assistant", "content": "  D"}],
    "calls": [{"role": "user", "content": "Weather?"},
              {"role": "assistant", "content": "", "tool_calls": [
                  {"id": "call00001", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Köln", "days": 2, "f": 1.5}}},
                  {"id": "call00002", "type": "function", "function": {"name": "now", "arguments": {}}}]},
              {"role": "tool", "content": "{\"t\": 7}", "tool_call_id": "call00001"}, {"role": "tool", "content": "12:00", "tool_call_id": "call00002"},
              {"role": "assistant", "content": "7 °C.", "reasoning_content": "easy"}],
    "call": [{"role": "system", "content": "S"}, {"role": "user", "content": "Weather?"},
             {"role": "assistant", "content": None, "tool_calls": [
                 {"id": "abcdefghi", "type": "function", "function": {"name": "brave_search", "arguments": {"query": "x \"y\"", "n": "2"}}}]},
             {"role": "tool", "content": "found", "tool_call_id": "abcdefghi"}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "Look "}, {"type": "image"}, {"type": "text", "text": "here"}]}],
}
OPTIONS = [{}, {"add_generation_prompt": True}, {"add_generation_prompt": True, "enable_thinking": False, "thinking": True, "reasoning_effort": "low",
           "documents": [{"title": "T", "text": "doc one"}, {"title": "U", "text": "zwei"}]}, {"continue_final_message": True}]


def cases():
    for chat in CHATS:
        for with_tools in (False, True):
            for option in range(len(OPTIONS)):
                if with_tools and option in (0, 3) or (chat in ("plain", "parts") and with_tools):
                    continue
                if option == 3 and chat not in ("plain", "calls", "parts"):
                    continue
                if option == 2 and chat in ("plain", "call", "parts"):
                    continue
                yield chat, with_tools, option


def main():
    fixtures = {"chats": CHATS, "tools": TOOLS, "options": OPTIONS, "templates": []}
    texts = {}
    for name, source in STYLES.items():
        rows = []
        for chat, with_tools, option in cases():
            kind, text, spans = template_oracle.render(source, CHATS[chat], TOOLS if with_tools else None, OPTIONS[option])
            row = [chat, int(with_tools), option]
            if kind == "text":  # equal texts are stored once
                row.append(texts.setdefault(text, len(texts)))
                if spans:
                    row.append(spans)
            rows.append(row)
        fixtures["templates"].append({"name": name, "source": source, "cases": rows})
    fixtures["texts"] = list(texts)
    print(json.dumps(fixtures, ensure_ascii=False, separators=(",", ":")))


main()
