#!/usr/bin/env python3
"""Compares `hearth tokenize` with the `tokenizers` library: ids, offsets, pieces, decodings and streamed decodings, on long
text and on random strings and ids.

    python tools/compare_tokenizers.py [--strings 20000] [--megabytes 5] [--text FILE...] [--only REGEX] [MODEL_DIR...]

A MODEL_DIR needs a tokenizer.json (or .xz). Without any, the zoo of make_tokenizer_fixtures.py, which has every component,
and the families of hub_tokenizers.py are compared. Exit status 1 on any difference; the first few are printed. Needs tokenizers 0.23 (tools/requirements.txt).
"""
import argparse
import json
import lzma
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading

os.environ["RUST_BACKTRACE"] = "0"
import sentencepiece  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402  (the variable must be set before)

import hub_tokenizers
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
    """One `hearth tokenize --jsonl`, kept running; takes many values at once, so that both sides work meanwhile."""

    def __init__(self, program, model, *options):
        self.process = subprocess.Popen([program, "tokenize", "--model", str(model), "--jsonl", *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def ask(self, values):
        def write():
            self.process.stdin.write("".join(json.dumps(value) + "\n" for value in values))
            self.process.stdin.flush()
        writer = threading.Thread(target=write)
        writer.start()
        answers = [json.loads(self.process.stdout.readline()) for _ in values]
        writer.join()
        return answers


def reference_answers(reference, text):
    """What the library says of a text; nothing, or no decoding, where it panics itself, as it does on a few odd pipelines."""
    try:
        want = reference.encode(text)
    except BaseException:
        return None
    answers = {"ids": want.ids, "offsets": [list(o) for o in want.offsets], "pieces": want.tokens}
    try:
        answers["text"] = reference.decode(want.ids, skip_special_tokens=False)
    except BaseException:
        pass
    return answers


class Comparison:
    def __init__(self, program, name, folder, reference, answers, *flags):
        self.name, self.reference, self.answers = name, reference, answers
        self.encoder, self.decoder = Hearth(program, folder, *flags), Hearth(program, folder, "--decode", "--stream")
        self.differences = self.texts = self.bytes = 0

    def differ(self, what, text, expected, actual):
        self.differences += 1
        if self.differences <= 5:
            print(f"{self.name}: {what} differ on {text[:80]!r}: want {str(expected)[:200]}, got {str(actual)[:200]}")

    def check(self, texts):
        wanted = [(text, want) for text in texts if (want := self.answers(text))]
        encoded = self.encoder.ask([text for text, _ in wanted])
        decoded = self.decoder.ask([want["ids"] for _, want in wanted])
        for (text, want), got, back in zip(wanted, encoded, decoded):
            for what in ("ids", "offsets", "pieces"):
                if what in want and want[what] != got.get(what):
                    self.differ(what, text, want[what], got.get(what, got))
            if want.get("text", back["text"]) != back["text"]:
                self.differ("decodings", text, want["text"], back["text"])
            if "".join(back["pieces"]) != back["text"]:
                self.differ("streamed pieces", text, back["text"], back["pieces"])
        self.texts += len(wanted)
        self.bytes += sum(len(text.encode()) for text, _ in wanted)

    def check_ids(self, rng, count):
        """Random ids, which no text need come to."""
        size = self.reference.get_vocab_size()
        lists = [[rng.randrange(size) for _ in range(rng.randint(1, 12))] for _ in range(count)]
        for ids, back in zip(lists, self.decoder.ask(lists)):
            try:
                want = self.reference.decode(ids, skip_special_tokens=False)
            except BaseException:
                continue
            if want != back["text"] or "".join(back["pieces"]) != want:
                self.differ("decodings", str(ids), want, back)


def compare(comparison, rng, specials, options):
    for file in options.text:
        text = file.read_bytes().decode("utf-8", errors="replace")
        comparison.check([text[at:at + 200_000] for at in range(0, len(text), 200_000)])
    while comparison.bytes < options.megabytes * 1e6:
        before = comparison.bytes
        comparison.check(["\n".join(rng.choice(fixtures.LINES) if rng.random() < 0.5 else random_text(rng, specials) for _ in range(200)) for _ in range(20)])
        if comparison.bytes == before:
            break  # the library answers nothing
    megabytes = comparison.bytes / 1e6
    for begin in range(0, options.strings, 1000):
        comparison.check([random_text(rng, specials) for _ in range(min(1000, options.strings - begin))])
    if isinstance(comparison.reference, Tokenizer):
        comparison.check_ids(rng, max(1, options.strings // 10))
    print(f"{comparison.name}: {megabytes:.1f} MB and {options.strings} strings, {comparison.differences} differences", flush=True)
    return comparison.differences


class SentencePiece:
    """The sentencepiece library, asked as if it were `tokenizers`: it tells ids and decodings only."""

    def __init__(self, model):
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=model)

    def answers(self, text):
        ids = self.processor.encode(text)
        # Of an unknown piece the library writes a mark of its own, which is not part of a model.
        known = not any(self.processor.is_unknown(i) for i in ids)
        return {"ids": ids, **({"text": self.processor.decode(ids)} if known else {})}


def compare_sentencepiece(options):
    differences = 0
    for name, model in fixtures.sentencepiece_models().items():
        if not re.search(options.only, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "tokenizer.model").write_bytes(model)
            reference = SentencePiece(model)
            comparison = Comparison(options.hearth, f"sentencepiece {name}", folder, reference, reference.answers, "--no-special")
            differences += compare(comparison, random.Random(f"{name} {options.seed}"), [], options)
    return differences


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hearth", default="build/release/hearth")
    parser.add_argument("--strings", type=int, default=20000)
    parser.add_argument("--megabytes", type=float, default=5)
    parser.add_argument("--text", type=pathlib.Path, nargs="*", default=[], help="files to take besides, whole")
    parser.add_argument("--only", default="", help="regular expression of names")
    parser.add_argument("--sentencepiece", action="store_true", help="compare tokenizer.model files with the sentencepiece library")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    if options.sentencepiece:
        sys.exit(1 if compare_sentencepiece(options) else 0)
    jobs = [(model.name, model_text(model)) for model in options.models]
    jobs = jobs or list(fixtures.zoo().items()) + list(hub_tokenizers.families().items())
    differences = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name, tokenizer in jobs:
            if not re.search(options.only, name):
                continue
            text = tokenizer if isinstance(tokenizer, str) else tokenizer.to_str()
            folder = pathlib.Path(scratch) / name
            folder.mkdir(exist_ok=True)
            (folder / "tokenizer.json").write_text(text, encoding="utf-8")
            reference = Tokenizer.from_str(text)
            specials = [t.content for t in reference.get_added_tokens_decoder().values()][:64]
            comparison = Comparison(options.hearth, name, folder, reference, lambda text: reference_answers(reference, text))
            differences += compare(comparison, random.Random(f"{name} {options.seed}"), specials, options)
    sys.exit(1 if differences else 0)


def model_text(model):
    packed = model / "tokenizer.json.xz"
    return lzma.open(packed).read().decode() if packed.exists() else (model / "tokenizer.json").read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
