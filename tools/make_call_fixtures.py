#!/usr/bin/env python3
"""Writes src/text/testdata/call_templates.json: what transformers makes of conversations with tool calls in the templates of
call_templates.py, for the test that parses the answers back.

    python tools/make_call_fixtures.py > src/text/testdata/call_templates.json
"""
import json
import sys

import call_templates
import make_parser_fixtures as vectors
import template_oracle

# What a template of the format cannot say: its syntax has no such values, or takes one call, or has no reasoning.
CANNOT = {"pythonic": {"code", "reasoning before", "reasoning and content"}, "llama4_pythonic": {"code", "nested", "commas and brackets", "numbers and words", "content before", "reasoning and content"}, "llama3_json": {"two calls", "three calls"},
          "harmony": {"two calls", "three calls"}, "xlam": {"content before", "reasoning and content"}, "olmo3": {"code"}}


def message(reasoning, content, calls):
    calls = [{"id": f"functions.{name}:{i}", "type": "function", "function": {"name": name, "arguments": arguments}} for i, (name, arguments) in enumerate(calls)]
    out = {"role": "assistant", "content": content, "tool_calls": calls}
    return {**out, "reasoning_content": reasoning} if reasoning else out


def main():
    user = {"role": "user", "content": "Weather?"}
    rows = []
    for name, source, end in call_templates.TEMPLATES:
        for scenario, (reasoning, content, calls) in vectors.SCENARIOS.items():
            if scenario in CANNOT.get(name, ()):
                continue
            answered = message(reasoning, content, calls)
            if "mistral" in name:
                for i, call in enumerate(answered["tool_calls"]):
                    call["id"] = f"abcdef{i:03d}"
            kind, whole, _ = template_oracle.render(source, [user, answered], vectors.TOOLS, {})
            asked, prompt, _ = template_oracle.render(source, [user], vectors.TOOLS, {"add_generation_prompt": True})
            if asked == "text" and kind == "text" and not whole.startswith(prompt):
                prompt = prompt[:prompt.rindex("<think>")]  # the model need not think, though the prompt asks it to
            if kind != "text" or asked != "text" or not whole.startswith(prompt):
                print(name, scenario, "does not go on from its prompt:", whole[-200:], file=sys.stderr)
                continue
            answer = whole[len(prompt):]
            if end:
                answer = answer[:answer.rindex(end)]
            rows.append({"format": name, "case": scenario, "source": source, "message": answered, "prompt": prompt, "answer": answer})
    shared = {key: list(dict.fromkeys(row[key] for row in rows)) for key in ("source", "prompt")}
    for row in rows:
        row.update({key: texts.index(row[key]) for key, texts in shared.items()})
    print(json.dumps({"tools": vectors.TOOLS, "user": user, "sources": shared["source"], "prompts": shared["prompt"], "cases": rows}, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
