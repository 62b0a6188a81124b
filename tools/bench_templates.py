#!/usr/bin/env python3
"""A chat of 40 messages with 20 tools, rendered by jinja2 (compiled once) and by Hearth, best of many, in one run.

    python tools/bench_templates.py --renderer /tmp/render_templates --template tokenizer_config.json
"""
import argparse
import json
import subprocess
import time

import template_oracle
from transformers.utils import chat_template_utils as hf


def conversation():
    messages = [{"role": "system", "content": "You are a careful assistant that answers briefly and names its sources."}]
    for i in range(13):
        messages.append({"role": "user", "content": f"Question {i}: what is the weather in city number {i}, and why?\n" * 3})
        messages.append({"role": "assistant", "content": "", "tool_calls": [{"id": str(i), "type": "function", "function": {
            "name": "get_weather", "arguments": {"location": f"City {i}", "days": i, "units": ["metric", "imperial"]}}}]})
        messages.append({"role": "tool", "content": json.dumps({"temperature": 20 + i, "sky": "clear", "wind": 3.5}), "tool_call_id": str(i)})
    return messages[:40]


def tools():
    return [{"type": "function", "function": {
        "name": f"tool_{i}", "description": f"Tool number {i}: looks something up and returns it as JSON, with \"quotes\".",
        "parameters": {"type": "object", "required": ["location"], "properties": {
            "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
            "days": {"type": "integer", "minimum": 1, "maximum": 14, "default": 3},
            "units": {"type": "array", "items": {"type": "string", "enum": ["metric", "imperial"]}},
            "options": {"type": "object", "properties": {"verbose": {"type": "boolean"}, "limit": {"type": "number"}}}}}}}
        for i in range(20)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--renderer", required=True)
    arguments.add_argument("--template", required=True, help="a tokenizer_config.json or a .jinja file")
    options = arguments.parse_args()
    text = open(options.template, encoding="utf-8").read()
    source = json.loads(text)["chat_template"] if options.template.endswith(".json") else text
    request = {"template": source, "messages": conversation(), "tools": tools(), "options": {"add_generation_prompt": True}}

    compiled = hf._compile_jinja_template(source)
    variables = dict(messages=request["messages"], tools=request["tools"], documents=None, add_generation_prompt=True,
                     **template_oracle.TOKENS)
    best = 1e9
    for _ in range(300):
        begin = time.perf_counter()
        expected = compiled.render(**variables)
        best = min(best, time.perf_counter() - begin)
    answer = json.loads(subprocess.run([options.renderer], input=json.dumps({**request, "repeat": 2000}) + "\n", text=True,
                                       capture_output=True).stdout)
    assert answer["text"] == expected, "the texts differ"
    print(f"jinja2 {best * 1e6:.0f} us, Hearth {answer['microseconds']:.0f} us, ratio {best * 1e6 / answer['microseconds']:.1f}, "
          f"{len(expected)} characters")


if __name__ == "__main__":
    main()
