#!/usr/bin/env python3
"""Checks that includes only point down (the arrows below) and that a few rules of the house hold. Exit 1 and a list if not.

Usage: tools/check_layers.py [REPOSITORY]
"""
import pathlib
import re
import sys

# area -> the areas it may include, besides itself.
ARROWS = {
    "base": [],
    "core/cpu": ["base"],
    "core": ["base", "core/cpu"],
    "text": ["base"],
    "weights": ["base", "core"],
    "ops": ["base", "core", "core/cpu"],
    "cache": ["base", "core", "ops"],
    "nn": ["base", "core", "ops", "cache", "weights"],
    "models": ["base", "core", "ops", "cache", "nn", "weights"],
    "generate": ["base", "core", "text", "weights", "cache", "models"],
    "session": ["base", "core", "text", "weights", "cache", "models", "generate"],
    "cli": ["base", "core", "core/cpu", "text", "weights", "cache", "models", "generate", "session"],
}
LONGEST_FILE = 800
LONGEST_LINE = 120  # but for literals
DEEPEST = 3  # src/<area>/<sub>/file
HEAVY = re.compile(r"#include <(nlohmann/json\.hpp|CLI/|boost/|spdlog/|fmt/|pcre2\.h|histedit\.h)")


def area_of(path):
    parts = path.split("/")
    return "core/cpu" if parts[:2] == ["core", "cpu"] else parts[0]


def check(root):
    src = root / "src"
    for file in sorted(src.rglob("*")):
        if file.suffix not in (".h", ".cpp") or not file.is_file():
            continue
        name = str(file.relative_to(src))
        text = file.read_text()
        area = area_of(name)
        if area not in ARROWS:
            yield f"src/{name}: area '{area}' is not in tools/check_layers.py"
            continue
        if len(name.split("/")) > DEEPEST:
            yield f"src/{name}: deeper than src/<area>/<sub>/file"
        if text.count("\n") > LONGEST_FILE:
            yield f"src/{name}: more than {LONGEST_FILE} lines"
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > LONGEST_LINE and '"' not in line:
                yield f"src/{name}:{number}: more than {LONGEST_LINE} columns"
        if file.suffix == ".h":
            if "#pragma once" not in text:
                yield f"src/{name}: no #pragma once"
            if found := HEAVY.search(text):
                yield f"src/{name}: a header includes {found.group(1)}"
        is_test = re.search(r"_(test|bench|fuzz)\.(cpp|h)$", name) is not None
        for line, target in re.findall(r'^(\s*#include "([^"]+)")', text, re.M):
            if not (src / target).is_file():
                yield f"src/{name}: include {target} is not a path from src/"
                continue
            to = area_of(target)
            if to != area and to not in ARROWS[area] and not (is_test and area_rank(to) < area_rank(area)):
                yield f"src/{name}: {area} must not include {target}"
        if area not in ("models",) and not is_test:
            if found := re.search(r"\b(qwen|smollm)", text, re.I):
                if area not in ("text", "weights"):  # file formats and tokenizers carry the names of their authors
                    yield f"src/{name}: names a model family ({found.group(1)})"
        if found := re.search(r"\b(TODO|FIXME|XXX)\b", text):
            yield f"src/{name}: {found.group(1)}"


def area_rank(area):
    return list(ARROWS).index(area)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    problems = list(check(root))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
