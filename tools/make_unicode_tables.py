#!/usr/bin/env python3
"""Writes src/text/tokenizer/unicode_data.inc: what the `tokenizers` library knows of every code point.

The library draws on five Unicode tables of different ages (oniguruma, Rust's std, the crates regex, unicode_categories,
unicode-normalization-alignments), so no single Unicode version gives its answers. This script asks the library itself,
code point by code point. Takes about two minutes.

    python tools/make_unicode_tables.py        (needs Python 3.11, whose unicodedata is Unicode 14 as PCRE2's is,
                                                tokenizers 0.23 and regex, see tools/requirements.txt)
"""
import base64
import json
import pathlib
import struct
import unicodedata

import regex
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

OUT = pathlib.Path(__file__).parent.parent / "src/text/tokenizer/unicode_data.inc"
POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
ALL = "".join(map(chr, POINTS))
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cn Co".split()
# Scripts with their four-letter codes; those that the library does not know are left out.
SCRIPTS = dict(pair.split("=") for pair in (
    "Han=Hani Hiragana=Hira Katakana=Kana Hangul=Hang Latin=Latn Greek=Grek Cyrillic=Cyrl Arabic=Arab Hebrew=Hebr Thai=Thai Lao=Laoo "
    "Devanagari=Deva Bengali=Beng Tamil=Taml Telugu=Telu Kannada=Knda Malayalam=Mlym Gujarati=Gujr Gurmukhi=Guru Oriya=Orya Sinhala=Sinh "
    "Myanmar=Mymr Khmer=Khmr Tibetan=Tibt Georgian=Geor Armenian=Armn Ethiopic=Ethi Mongolian=Mong Bopomofo=Bopo Common=Zyyy Inherited=Zinh "
    "Unknown=Zzzz Adlam=Adlm Ahom=Ahom Anatolian_Hieroglyphs=Hluw Avestan=Avst Balinese=Bali Bamum=Bamu Bassa_Vah=Bass Batak=Batk "
    "Bhaiksuki=Bhks Brahmi=Brah Braille=Brai Buginese=Bugi Buhid=Buhd Canadian_Aboriginal=Cans Carian=Cari Caucasian_Albanian=Aghb "
    "Chakma=Cakm Cham=Cham Cherokee=Cher Chorasmian=Chrs Coptic=Copt Cuneiform=Xsux Cypriot=Cprt Cypro_Minoan=Cpmn Deseret=Dsrt "
    "Dives_Akuru=Diak Dogra=Dogr Duployan=Dupl Egyptian_Hieroglyphs=Egyp Elbasan=Elba Elymaic=Elym Glagolitic=Glag Gothic=Goth "
    "Grantha=Gran Gunjala_Gondi=Gong Hanifi_Rohingya=Rohg Hanunoo=Hano Hatran=Hatr Imperial_Aramaic=Armi Inscriptional_Pahlavi=Phli "
    "Inscriptional_Parthian=Prti Javanese=Java Kaithi=Kthi Kawi=Kawi Kayah_Li=Kali Kharoshthi=Khar Khitan_Small_Script=Kits Khojki=Khoj "
    "Khudawadi=Sind Lepcha=Lepc Limbu=Limb Linear_A=Lina Linear_B=Linb Lisu=Lisu Lycian=Lyci Lydian=Lydi Mahajani=Mahj Makasar=Maka "
    "Mandaic=Mand Manichaean=Mani Marchen=Marc Masaram_Gondi=Gonm Medefaidrin=Medf Meetei_Mayek=Mtei Mende_Kikakui=Mend "
    "Meroitic_Cursive=Merc Meroitic_Hieroglyphs=Mero Miao=Plrd Modi=Modi Mro=Mroo Multani=Mult Nabataean=Nbat Nag_Mundari=Nagm "
    "Nandinagari=Nand New_Tai_Lue=Talu Newa=Newa Nko=Nkoo Nushu=Nshu Nyiakeng_Puachue_Hmong=Hmnp Ogham=Ogam Ol_Chiki=Olck "
    "Old_Hungarian=Hung Old_Italic=Ital Old_North_Arabian=Narb Old_Permic=Perm Old_Persian=Xpeo Old_Sogdian=Sogo Old_South_Arabian=Sarb "
    "Old_Turkic=Orkh Old_Uyghur=Ougr Osage=Osge Osmanya=Osma Pahawh_Hmong=Hmng Palmyrene=Palm Pau_Cin_Hau=Pauc Phags_Pa=Phag "
    "Phoenician=Phnx Psalter_Pahlavi=Phlp Rejang=Rjng Runic=Runr Samaritan=Samr Saurashtra=Saur Sharada=Shrd Shavian=Shaw Siddham=Sidd "
    "SignWriting=Sgnw Sogdian=Sogd Sora_Sompeng=Sora Soyombo=Soyo Sundanese=Sund Syloti_Nagri=Sylo Syriac=Syrc Tagalog=Tglg Tagbanwa=Tagb "
    "Tai_Le=Tale Tai_Tham=Lana Tai_Viet=Tavt Takri=Takr Tangsa=Tnsa Tangut=Tang Thaana=Thaa Tifinagh=Tfng Tirhuta=Tirh Toto=Toto "
    "Ugaritic=Ugar Vai=Vaii Vithkuqi=Vith Wancho=Wcho Warang_Citi=Wara Yezidi=Yezi Yi=Yiii Zanabazar_Square=Zanb").split())
PROPERTIES = ("Alphabetic Uppercase Lowercase Emoji Extended_Pictographic Emoji_Presentation Emoji_Modifier Emoji_Modifier_Base Emoji_Component "
              "Graph Print Math Ideographic Unified_Ideograph Dash Hyphen Hex_Digit ID_Start ID_Continue XID_Start XID_Continue Diacritic "
              "Extender Quotation_Mark Terminal_Punctuation Sentence_Terminal Variation_Selector Regional_Indicator Cased Case_Ignorable "
              "Default_Ignorable_Code_Point Noncharacter_Code_Point Pattern_White_Space Pattern_Syntax Join_Control Radical").split()
BREAKS = "Other CR LF Control Extend ZWJ Regional_Indicator Prepend SpacingMark L V T LV LVT".split()


def matched(pattern):
    pieces = pre_tokenizers.Split(Regex(pattern + "+"), "removed", invert=True).pre_tokenize_str(ALL)
    return {ord(c) for piece, _ in pieces for c in piece}


def is_known(name):
    try:
        Regex(r"\p{%s}" % name)
        return True
    except BaseException:
        return False


def spelled(name):
    """As the library compares names: without case, spaces, hyphens and underscores."""
    return name.lower().replace("_", "")


def index_by(names, pattern):
    found = {}
    for i, name in enumerate(names):
        for c in matched(pattern % name):
            found[c] = i
    return found


def ranges(points):
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def script_groups():
    """UnicodeScripts' own grouping: 0 joins anything, equal numbers stay together."""
    split = pre_tokenizers.UnicodeScripts()
    together = lambda a, b: len(split.pre_tokenize_str(chr(a) + chr(b))) == 1
    first_of, group, last = [], {}, None
    for c in POINTS:
        if not split.pre_tokenize_str(chr(c)):
            group[c] = 0
            continue
        if last is None or not together(first_of[last - 1], c):
            last = next((i + 1 for i, f in enumerate(first_of) if together(f, c)), None)
            if last is None:
                first_of.append(c)
                last = len(first_of)
        group[c] = last
    return group


def combining_classes(nfd):
    classes = {}
    by_class = {}
    for c in POINTS:
        if unicodedata.combining(chr(c)):
            by_class.setdefault(unicodedata.combining(chr(c)), c)
    order = sorted(by_class)
    swaps = lambda a, b: nfd.normalize_str("a" + chr(a) + chr(b)) == "a" + chr(b) + chr(a)
    for c in POINTS:
        claimed = unicodedata.combining(chr(c))
        if not claimed and unicodedata.category(chr(c)) not in ("Mn", "Mc", "Me", "Cn"):
            continue
        if nfd.normalize_str(chr(c)) != chr(c):
            continue
        lower = [k for k in order if by_class[k] != c and swaps(c, by_class[k])]  # classes below c's
        higher = [k for k in order if by_class[k] != c and swaps(by_class[k], c)]  # classes above it
        if not lower and not higher:
            continue
        between = [k for k in order if k not in lower and k not in higher]
        classes[c] = claimed if claimed in between else between[0]
    return classes


def compositions(nfd, nfc):
    pairs = []
    for c in POINTS:
        whole = nfd.normalize_str(chr(c))
        if len(whole) < 2 or nfc.normalize_str(chr(c)) != chr(c) or 0xAC00 <= c <= 0xD7A3:
            continue
        first = nfc.normalize_str(whole[:-1])
        if len(first) == 1 and nfc.normalize_str(first + whole[-1]) == chr(c):
            pairs.append((ord(first), ord(whole[-1]), c))
    return sorted(pairs)


def joins_a_letter():
    """Code points that stay in one grapheme with a letter before them: Precompiled, told to make "b" of "a", makes it of the
    whole grapheme then. The module regex knows newer characters than the library does."""
    units = [0] * 512  # a double array that holds "a"
    units[0], units[256 ^ 97], units[1] = 256 << 10, 97 | (256 ^ 97 ^ 1) << 10 | 256, 1 | 1 << 31
    blob = struct.pack("<I512I", 2048, *units) + b"\0b\0"
    data = json.loads(Tokenizer(models.WordLevel({"x": 0}, unk_token="x")).to_str())
    data["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(blob).decode()}
    normalizer = Tokenizer.from_str(json.dumps(data)).normalizer
    points = [c for c in POINTS if c not in (10, 13)]
    pieces = normalizer.normalize_str("\n".join("a" + chr(c) for c in points)).split("\n")
    return {c for c, piece in zip(points, pieces, strict=True) if piece == "b"}


def numbers(name, kind, values, columns=24):
    values = [f"{v:#x}" if v > 9 else str(v) for v in values]
    lines = [",".join(values[i:i + columns]) for i in range(0, len(values), columns)]
    return f"constexpr {kind} {name}[] = {{\n" + ",\n".join(lines) + "};\n"


def main():
    space = pre_tokenizers.WhitespaceSplit()
    digits = pre_tokenizers.Digits(individual_digits=True)
    punctuation = pre_tokenizers.Punctuation()
    words = pre_tokenizers.Whitespace()
    nfd, nfkd, nfc, nfkc = (getattr(normalizers, n)() for n in ("NFD", "NFKD", "NFC", "NFKC"))
    strip_accents = normalizers.StripAccents()
    nonspacing = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    lowercase = normalizers.Lowercase()

    category = index_by(CATEGORIES, r"\p{%s}")
    scripts = [name for name in SCRIPTS if is_known(name)]
    script = index_by(scripts, r"\p{%s}")
    group = script_groups()
    classes = combining_classes(nfd)
    pairs = compositions(nfd, nfc)
    composes = {b for _, b, _ in pairs} | {0x1161 + i for i in range(21)} | {0x11A8 + i for i in range(27)}
    grapheme = {}
    for i, name in enumerate(BREAKS):
        if i:
            for c in regex.findall(r"\p{GCB=%s}" % name, ALL):
                grapheme[ord(c)] = i
    joining = joins_a_letter()
    for c in list(grapheme):
        if BREAKS[grapheme[c]] in ("Extend", "ZWJ", "SpacingMark") and c not in joining:
            del grapheme[c]
    flags_of = [
        ("kSpace", lambda c, s: not space.pre_tokenize_str(s)),
        ("kNumeric", lambda c, s: len(digits.pre_tokenize_str("a" + s + "a")) == 3),
        ("kPunctuation", lambda c, s: len(punctuation.pre_tokenize_str("a" + s + "a")) == 3),
        ("kWord", lambda c, s: words.pre_tokenize_str("a" + s)[0][0] == "a" + s),
        ("kOnigWord", lambda c, s, found=matched(r"\w"): c in found),
        ("kNonspacing", lambda c, s: nfd.normalize_str(s) == s and nonspacing.normalize_str(s) == ""),
        ("kCombining", lambda c, s: strip_accents.normalize_str(s) == ""),
        ("kOther", lambda c, s: c == 0 or (c != 0xFFFD and clean.normalize_str(s) == "")),
        ("kPictographic", lambda c, s, found=matched(r"\p{Extended_Pictographic}"): c in found),
        ("kUnstableNfc", lambda c, s: nfc.normalize_str(s) != s or c in composes or c in classes),
        ("kUnstableNfkc", lambda c, s: nfkc.normalize_str(s) != s or c in composes or c in classes),
        ("kUnstableNfd", lambda c, s: nfd.normalize_str(s) != s or c in classes),
        ("kUnstableNfkd", lambda c, s: nfkd.normalize_str(s) != s or c in classes),
        ("kHasLower", lambda c, s: lowercase.normalize_str(s) != s),
        ("kCategorySince14", lambda c, s: category.get(c) == CATEGORIES.index(unicodedata.category(s))),
    ]
    records, record_index, runs = [], {}, []
    for c in range(0x110000):
        if 0xD800 <= c <= 0xDFFF:
            record = (CATEGORIES.index("Cn"), 255, 0, 0, 0, 0)
        else:
            flags = sum(1 << i for i, (_, test) in enumerate(flags_of) if test(c, chr(c)))
            record = (category.get(c, CATEGORIES.index("Cn")), script.get(c, 255), group[c], classes.get(c, 0),
                      grapheme.get(c, 0), flags)
        if record not in record_index:
            record_index[record] = len(records)
            records.append(record)
        if not runs or runs[-1][1] != record_index[record]:
            runs.append((c, record_index[record]))

    decompositions = []
    for c in POINTS:
        s = chr(c)
        if 0xAC00 <= c <= 0xD7A3:
            continue
        canonical, compatible = nfd.normalize_str(s), nfkd.normalize_str(s)
        if compatible != s:
            if canonical == compatible:
                canonical = ""
            decompositions += [c, len(canonical) if canonical != s else 255, len(compatible)]
            decompositions += [ord(x) for x in compatible] + ([ord(x) for x in canonical] if canonical != s else [])
    lower = []
    for c in POINTS:
        low = lowercase.normalize_str(chr(c))
        if low != chr(c):
            lower += [c, ord(low[0]), ord(low[1]) if len(low) > 1 else 0]

    with open(OUT, "w") as out:
        out.write("// Written by tools/make_unicode_tables.py from tokenizers' own answers. Do not edit.\n")
        out.write("// clang-format off\n")
        out.write("constexpr const char* kCategoryNames[] = {%s};\n" % ", ".join(f'"{x}"' for x in CATEGORIES))
        out.write("constexpr const char* kScriptNames[] = {%s};\n" % ", ".join(f'"{spelled(x)}"' for x in scripts))
        out.write("constexpr const char* kScriptCodes[] = {%s};\n" % ", ".join(f'"{spelled(SCRIPTS[x]) if is_known(SCRIPTS[x]) else ""}"' for x in scripts))
        out.write("// {category, script, script group, combining class, grapheme break, flags}\n")
        out.write("constexpr CharacterProperties kRecords[] = {\n")
        out.write("\n".join("{%s}," % ",".join(map(str, r)) for r in records) + "};\n")
        out.write("// The first code point of each run, and its record.\n")
        out.write(numbers("kRuns", "uint32_t", [v for run in runs for v in run]))
        out.write("// c, n, m, then m code points (compatible), then n (canonical); n 0: the same, 255: none.\n")
        out.write(numbers("kDecompositions", "char32_t", decompositions))
        out.write("// first, second, composite; sorted.\n")
        out.write(numbers("kCompositions", "uint32_t", [v for p in pairs for v in p]))
        out.write("// c, lower case, second character or 0.\n")
        out.write(numbers("kLowercase", "uint32_t", lower))
        out.write("// Of properties with a name: first and last code point of each range.\n")
        known = [name for name in PROPERTIES if is_known(name)]
        for name in known + ["[:punct:]"]:
            pattern = "[[:punct:]]" if name == "[:punct:]" else r"\p{%s}" % name
            out.write(numbers("k" + name.replace("_", "").replace("[:p", "P").replace(":]", "") + "Ranges", "uint32_t", [v for r in ranges(matched(pattern)) for v in r]))
        out.write("constexpr NamedRanges kNamedRanges[] = {\n")
        out.write("".join('{"%s", k%sRanges},\n' % (spelled(name), name.replace("_", "")) for name in known) + "};\n")
        out.write("// clang-format on\n")
    print(len(records), "records", len(runs), "runs", [n for n, _ in flags_of])


if __name__ == "__main__":
    main()
