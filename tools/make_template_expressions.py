#!/usr/bin/env python3
"""Writes src/text/testdata/template_expressions.json: each line of template_expressions.txt as transformers renders it.

    python tools/make_template_expressions.py > src/text/testdata/template_expressions.json
"""
import json
import pathlib

import template_oracle

MESSAGES = [{"role": "user", "content": "H\u00e9 <b>"}, {"role": "assistant", "content": "x\ny"}]


def main():
    cases = []
    for source in (pathlib.Path(__file__).parent / "template_expressions.txt").read_text(encoding="utf-8").splitlines():
        kind, text, _ = template_oracle.render(source, MESSAGES)
        cases.append([source, text if kind == "text" else None])
    print(json.dumps({"messages": MESSAGES, "cases": cases}, ensure_ascii=False, indent=0))


main()
