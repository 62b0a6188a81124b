#!/usr/bin/env python3
"""Writes mixed text for comparisons and speed: the translations installed on this machine (gettext catalogues, in as many
scripts as there are), this repository's code, and made-up lines of emoji, combining marks, control and unassigned
characters and long runs.

    python tools/make_mixed_text.py OUT.txt [--megabytes 5]

Prints how many scripts the text has. The same machine gives the same text.
"""
import argparse
import collections
import gettext
import pathlib
import random
import unicodedata

ROOT = pathlib.Path(__file__).parent.parent


def translations():
    """Script -> texts, a script being what the first word of a letter's name says."""
    out = collections.defaultdict(list)
    for file in sorted(pathlib.Path("/usr/share").rglob("*.mo")):
        try:
            with open(file, "rb") as opened:
                texts = gettext.GNUTranslations(opened)._catalog.values()
        except (OSError, LookupError, ValueError):  # damaged, or in no encoding that Python has
            continue
        for text in texts:
            if isinstance(text, str) and len(text) > 3:
                out[script(text)].append(text)
    return out


def script(text):
    names = collections.Counter(unicodedata.name(c, "?").split()[0] for c in text if c.isalpha())
    return names.most_common(1)[0][0] if names else "none"


def made_up(rng):
    emoji = ["👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "👍🏽", "🤷🏿‍♀️", "1️⃣", "☺️"]
    line = "".join(rng.choice(emoji) for _ in range(rng.randint(1, 9)))
    line += "".join("aeon"[rng.randrange(4)] + "".join(chr(rng.randrange(0x300, 0x370)) for _ in range(rng.randint(1, 4))) for _ in range(5))
    line += "".join(chr(rng.choice([0x378, 0x1F, 0x7F, 0x85, 0xE0001, 0x1FFFE, 0x10FFFF, 0xFFFD, 0xE000, 0xFEFF, 0x200B])) for _ in range(4))
    return line + rng.choice("a0 \n-=я中") * rng.randint(1, 400)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--megabytes", type=float, default=5)
    options = parser.parse_args()
    rng = random.Random(1)
    sources = translations()
    sources["code"] = [part for file in sorted(ROOT.glob("src/*/*.cpp")) + sorted(ROOT.glob("tools/*.py"))
                       for part in file.read_text(encoding="utf-8").split("\n\n")]
    names, parts, size = sorted(sources), [], 0
    while size < options.megabytes * 1e6:
        part = made_up(rng) if rng.random() < 0.02 else rng.choice(sources[rng.choice(names)])
        parts.append(part)
        size += len(part.encode()) + 1
    text = "\n".join(parts)
    options.out.write_text(text, encoding="utf-8", newline="")
    scripts = collections.Counter(unicodedata.name(c, "?").split()[0] for c in text if c.isalpha())
    print(f"{size / 1e6:.1f} MB, {sum(count > 200 for count in scripts.values())} scripts: {scripts.most_common(40)}")


if __name__ == "__main__":
    main()
