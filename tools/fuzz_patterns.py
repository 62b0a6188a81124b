#!/usr/bin/env python3
"""Random Split patterns, made of the pieces that real pre-tokenizers use, cut by the `tokenizers` library (oniguruma) and by
`hearth tokenize`: equal offsets, or both refuse the pattern.

    python tools/fuzz_patterns.py [--hearth build/release/hearth] [--count 2000] [--seed 1]

Patterns that Hearth refuses though the library takes them are counted, and printed with --show-refused.
"""
import argparse
import itertools
import json
import os
import pathlib
import random
import sys
import tempfile

os.environ["RUST_BACKTRACE"] = "0"
from tokenizers import Regex, Tokenizer, models, pre_tokenizers  # noqa: E402  (the variable must be set before)

import compare_tokenizers as comparison

CLASSES = [r"\p{L}", r"\p{N}", r"\p{M}", r"\p{P}", r"\p{S}", r"\p{Lu}", r"\p{Ll}", r"\p{Lt}", r"\p{Lm}", r"\p{Lo}", r"\p{Han}", r"\p{Hangul}", r"\p{Arabic}",
           r"\p{Cyrillic}", r"\p{Nd}", r"\p{Zs}", r"\p{Sc}", r"\p{Greek}", r"\p{Thai}", r"\p{Emoji}", r"\P{L}", r"\p{^N}", r"\s", r"\S", r"\d", r"\D", r"\w", r"\W", r"\h", r"\p{Alpha}",
           r"\p{Alnum}", r"\p{Space}", r"\p{Upper}", r"\p{Punct}", r"\p{Cntrl}", r"\p{Word}", r"\p{Letter}", r"\p{Lowercase_Letter}", r"\p{Latin}", r"\p{Katakana}", r"\p{Hiragana}", r"\p{C}", r"\p{Cn}", r"\p{Z}", r"\p{Uppercase_Letter}", r"\p{hebr}", r"\p{Bengali}", r"\p{Ideographic}", r"\p{Math}", r"\p{Graph}", r"\p{L C}", r"\p{other_symbol}"]
INSIDE = CLASSES + ["a-z", "A-Za-z", "0-9", "一-龥", "ࠀ-一", "가-힣", "ぁ-ゟ", "\\r\\n", "\\t ", "_", "'’", "\\-", "!-/", "[:alpha:]", "[:^digit:]", "[:punct:]", "\\]", "\\x20-\\x7E", "\\u4e00-\\u9fff", "\\x{1F300}-\\x{1FAFF}", "é", "."]
WORDS = ["'s", "'t", "'re", "ll", "a", "the", "x", "1", "世", "é", "\\.", " ", "\\n", "\\r\\n", "<\\|im_start\\|>", "ß", "ſ", "K", "\\#", "\\/", "@", "-"]
TEXTS = comparison.fixtures.LINES + ["", " ", "\n", "\r\n\r\n  \n", "a\nb\nc\n", "x" * 30, "123456789 12,345.67", "\u2028\u2029\x85\x0b\x0c\x1c", "AaBb İıſK ǅ ß SS", "e\u0301\u0301 \u0345 \u00ad"]


class Patterns:
    def __init__(self, rng):
        self.rng = rng

    def pick(self, items):
        return self.rng.choice(items)

    def bracket(self, depth=0):
        parts = "".join(self.pick(INSIDE) for _ in range(self.rng.randint(1, 4)))
        if depth < 1 and self.rng.random() < 0.15:
            parts += self.pick(["&&", "&&", ""]) + self.bracket(depth + 1)
        return "[" + self.pick(["", "", "^"]) + parts + "]"

    def atom(self, depth):
        kind = self.rng.random()
        if kind < 0.3:
            return self.pick(CLASSES)
        if kind < 0.55:
            return self.bracket()
        if kind < 0.7:
            return self.pick(WORDS)
        if kind < 0.75:
            return "."
        if kind < 0.8 or depth > 2:
            return self.pick([r"\b", r"\B", "^", "$", r"\A", r"\z", r"\Z", r"\G", r"\R", r"\X"][:7])
        opening = self.pick(["(?:", "(?:", "(", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?m:", "(?-i:", "(?<n>", "(?i)", "(?#c)(?:"])
        if opening in ("(?<=", "(?<!"):
            return opening + self.pick(CLASSES + [r"a|b", r"\s", "世", r"\d\d", "^"]) + ")"
        # Without classes: oniguruma lets a class that ignores case match several characters (the Armenian ligature "եւ" by its
        # letters), which Hearth does not.
        words = "|".join(self.pick([w for w in WORDS if w != "ß"]) + self.pick(["", "?", "+"]) for _ in range(3))
        if opening == "(?i)":
            return "(?:" + self.pick(WORDS) + opening + words + ")"
        if opening == "(?i:":
            return opening + words + ")"
        return opening + self.alternatives(depth + 1) + ")"

    def piece(self, depth):
        atom = self.atom(depth)
        if self.rng.random() < 0.45:
            if atom in ("^", "$") or atom.startswith((r"\b", r"\B", r"\A", r"\z", r"\Z", "(?=", "(?!", "(?<")):
                return atom
            atom += self.pick(["*", "+", "?", "+", "{1,3}", "{2}", "{2,}", "{,2}", "*?", "+?", "??", "++", "*+", "?+", "{1,3}?"])
        return atom

    def alternatives(self, depth=0):
        return "|".join("".join(self.piece(depth) for _ in range(self.rng.randint(1, 4))) for _ in range(self.rng.randint(1, 4 - depth)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hearth", default="build/release/hearth")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show-refused", action="store_true")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    equal = both_refuse = refused = lenient = different = 0
    with tempfile.TemporaryDirectory() as scratch:
        file = pathlib.Path(scratch) / "tokenizer.json"
        for _ in range(options.count):
            pattern = Patterns(rng).alternatives()
            behavior, invert = rng.choice(["isolated", "isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"]), rng.random() < 0.2
            reference = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
            try:
                reference.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior, invert)
            except BaseException:
                reference.pre_tokenizer = pre_tokenizers.Split(Regex("x"), behavior, invert)
                text, taken = reference.to_str().replace('"Regex":"x"', '"Regex":' + json.dumps(pattern)), False
            else:
                text, taken = reference.to_str(), True
            file.write_text(text, encoding="utf-8")
            hearth = comparison.Hearth(options.hearth, scratch)
            try:
                answers = hearth.ask(TEXTS)
            except (ValueError, BrokenPipeError):  # it has refused the file and ended
                answers = None
            if not taken or answers is None:
                both_refuse += not taken and answers is None
                lenient += not taken and answers is not None
                refused += taken and answers is None
                if taken and options.show_refused:
                    print("refused", pattern)
                continue
            hearth.process.stdin.close()
            hearth.process.wait()
            if any("error" in a for a in answers):  # too many steps on one of the texts
                refused += 1
                if options.show_refused:
                    print("gave up", pattern)
                continue
            wanted = [(t, comparison.reference_answers(reference, t), a["offsets"]) for t, a in zip(TEXTS, answers)]
            wrong = next(((t, want["offsets"], got) for t, want, got in wanted if want and want["offsets"] != got), None)
            equal += wrong is None
            different += wrong is not None
            if wrong is not None and different <= 8:
                at = next(i for i, (a, b) in enumerate(itertools.zip_longest(*wrong[1:])) if a != b)
                print(f"{pattern!r} {behavior} {invert} differs on {wrong[0]!r}: want {str(wrong[1][at:])[:60]}, got {str(wrong[2][at:])[:60]}")
    print(f"{equal} equal, {both_refuse} refused by both, {refused} by Hearth alone, {lenient} by the library alone, {different} different")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
