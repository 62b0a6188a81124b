#!/usr/bin/env python3
"""Compares `hearth tokenize` with the `tokenizers` library: ids, offsets, decodings, on long text and random strings.

    python tools/compare_tokenizers.py --hearth build/release/hearth [--strings 1000000] [--megabytes 5] [MODEL_DIR...]

A MODEL_DIR needs a tokenizer.json (or .xz). Without any, the zoo of make_tokenizer_fixtures.py is compared. Exit status 1
on any difference; the first few are printed. Needs tokenizers 0.23 (tools/requirements.txt).
"""
import argparse
import json
import lzma
import pathlib
import random
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

import make_tokenizer_fixtures as fixtures

RANGES = [(0x20, 0x7F)] * 4 + [(0, 0x20), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x530, 0x700), (0x900, 0xE00),
          (0xE00, 0x1100), (0x1100, 0x1200), (0x1200, 0x2000), (0x2000, 0x2C00), (0x2C00, 0x3100), (0x3040, 0x3200),
          (0x4E00, 0xA000), (0xAC00, 0xD7B0), (0xE000, 0xE010), (0xF900, 0x10000), (0x10000, 0x12000), (0x1D000, 0x1F000),
          (0x1F000, 0x1FB00), (0x20000, 0x20100), (0x30000, 0x323B0), (0xE0000, 0xE0200)]


def random_text(rng, specials):
    out = []
    for _ in range(rng.randint(0, 6)):
        kind = rng.random()
        if kind < 0.35:
            line = rng.choice(fixtures.LINES)
            start = rng.randrange(len(line))
            out.append(line[start:start + rng.randint(1, 20)])
        elif kind < 0.75:
            low, high = rng.choice(RANGES)
            out.append("".join(chr(rng.randrange(low, high)) for _ in range(rng.randint(1, 6))))
        elif kind < 0.85:
            out.append(rng.choice(" \n\t\r'-.,!?▁Ġ") * rng.randint(1, 5))
        elif kind < 0.9 and specials:
            out.append(rng.choice(["", " ", "  "]) + rng.choice(specials) + rng.choice(["", " ", "x"]))
        else:
            out.append(rng.choice(["'s", "'S", "'LL", "'ſ", "don't ", " 1234567 ", "a\u0301", "\r\n", " \n x", "\u1100\u1161\u11a8", "K", "ß"]))
    return "".join(c for c in "".join(out) if not 0xD800 <= ord(c) < 0xE000)


class Hearth:
    """One `hearth tokenize --jsonl`, kept running."""

    def __init__(self, program, model, *options):
        self.process = subprocess.Popen([program, "tokenize", "--model", str(model), "--jsonl", *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def ask(self, value):
        self.process.stdin.write(json.dumps(value) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def compare(program, name, folder, reference, strings, megabytes):
    rng = random.Random(name)
    specials = [t.content for t in reference.get_added_tokens_decoder().values()][:64]
    encoder, decoder = Hearth(program, folder), Hearth(program, folder, "--decode")
    differences = 0

    def check(text):
        nonlocal differences
        try:
            want = reference.encode(text)
            decoded = reference.decode(want.ids, skip_special_tokens=False)
        except BaseException:  # the library itself panics on a few odd pipelines
            return
        got = encoder.ask(text)
        pairs = [("ids", want.ids, got["ids"]), ("offsets", [list(o) for o in want.offsets], got["offsets"])]
        pairs += [("pieces", want.tokens, got["pieces"]), ("text", decoded, decoder.ask(want.ids)["text"])]
        for what, expected, actual in pairs:
            if expected != actual:
                differences += 1
                if differences <= 5:
                    print(f"{name}: {what} differ on {text[:80]!r}: want {str(expected)[:200]}, got {str(actual)[:200]}")

    size = 0
    while size < megabytes * 1e6:
        text = "\n".join(rng.choice(fixtures.LINES) if rng.random() < 0.5 else random_text(rng, specials) for _ in range(200))
        size += len(text.encode())
        check(text)
    for _ in range(strings):
        check(random_text(rng, specials))
    print(f"{name}: {size / 1e6:.1f} MB and {strings} strings, {differences} differences", flush=True)
    return differences


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hearth", default="build/release/hearth")
    parser.add_argument("--strings", type=int, default=20000)
    parser.add_argument("--megabytes", type=float, default=5)
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    differences = 0
    with tempfile.TemporaryDirectory() as scratch:
        jobs = []
        for model in options.models:
            packed = model / "tokenizer.json.xz"
            text = lzma.open(packed).read().decode() if packed.exists() else (model / "tokenizer.json").read_text(encoding="utf-8")
            jobs.append((model.name, text))
        for name, text in jobs or ((name, tokenizer.to_str()) for name, tokenizer in fixtures.zoo().items()):
            folder = pathlib.Path(scratch) / name
            folder.mkdir(exist_ok=True)
            (folder / "tokenizer.json").write_text(text, encoding="utf-8")
            differences += compare(options.hearth, name, folder, Tokenizer.from_str(text), options.strings, options.megabytes)
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
