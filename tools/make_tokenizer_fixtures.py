#!/usr/bin/env python3
"""Writes src/text/testdata/tokenizers/: small tokenizers that together use every component of tokenizer.json, and what
the `tokenizers` library answers for them.

    python tools/make_tokenizer_fixtures.py            (needs tokenizers 0.23 and sentencepiece, see tools/requirements.txt)

`zoo()` gives the tokenizers; tools/compare_tokenizers.py runs the long comparison over the same ones.
"""
import base64
import io
import json
import pathlib
import random
import struct

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = pathlib.Path(__file__).parent.parent / "src/text/testdata/tokenizers"

LINES = [
    "Hello, world! The quick brown fox jumps over the lazy dog. It's 12345 o'clock; WE'LL see, don't you?",
    "Привет, мир! Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "你好,世界!敏捷的棕色狐狸跳过了懒狗。我今天能为你做什么?", "こんにちは世界。カタカナとひらがな、漢字。ｱｲｳ ｶﾞ",
    "안녕하세요 세계. 각각 힣 \u1112\u1161\u11ab", "مرحبا بالعالم كيف الحال؟ ١٢٣ ﷺ", "שלום עולם מה שלומך",
    "नमस्ते दुनिया, कैसे हो? १२३ क्षि", "สวัสดีชาวโลก ๑๒๓ ำ", "Γειά σου Κόσμε! ΑΒΓΔ ς Σ", "ሰላም ዓለም", "გამარჯობა მსოფლიო",
    "Բարեւ աշխարհ", "ওহে বিশ্ব ১২", "வணக்கம் உலகம்", "హలో ప్రపంచం", "ಹಲೋ ವರ್ಲ್ಡ್", "ഹലോ വേൾഡ്", "မင်္ဂလာပါကမ္ဘာလောက",
    "សួស្តី​ពិភពលោក", "བཀྲ་ཤིས་བདེ་ལེགས།", "ᠮᠣᠩᠭᠣᠯ", "ສະບາຍດີ",
    "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪👍🏽🤷🏿‍♀️ e\u0301a\u0300\u0316 o\u0316\u0300 \u0344\u0345 \u200b\u200d\ufeff\u00a0\u2028\u3000",
    "\x01\x7f\x85\u0378\U000e0001\U0001f9ff\u0600x\ue000\U00010ffd", "def f(x):\n\treturn  x**2 + 0xFF  # no\n\n\n  if a != b:\r\n    pass\r\n",
    "ﬁ ﬀ Ａｂｃ ① ㎏ ½ № ™ Ⅷ İıſẞß K Å ﬁ\u0301", "<s> </s> <unk>[CLS] [MASK]  <mask> x<pad>y  <SPECIAL>  <special>",
    "a" * 40 + " " * 20 + "\n" * 8 + "!" * 20 + "\t\t", " leading and trailing  ", "one two, three. n't 'm 's do not ' x ' ' . ?",
]
CORPUS = LINES * 4 + [word * 2 for line in LINES for word in line.split()]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"
            r"\s*[\r\n]+|\s+(?!\S)|\s+")
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
        r"\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIALS = ["<unk>", "<s>", "</s>", "<pad>"]


def train(model, trainer_class, size=400, specials=SPECIALS, **options):
    """A trained model on a given pipeline: call with the pipeline's parts as keyword arguments."""
    extra = {k: options.pop(k) for k in list(options) if k in ("initial_alphabet", "unk_token", "continuing_subword_prefix",
                                                              "end_of_word_suffix", "limit_alphabet", "show_progress")}
    tokenizer = Tokenizer(model)
    for name, part in options.items():
        if part is not None:
            setattr(tokenizer, name, part)
    tokenizer.train_from_iterator(CORPUS, trainer_class(vocab_size=size, special_tokens=specials, show_progress=False, **extra))
    return tokenizer


def with_json(tokenizer, change):
    data = json.loads(tokenizer.to_str())
    change(data)
    return Tokenizer.from_str(json.dumps(data))


def set_model(**options):
    return lambda data: data["model"].update(options)


def byte_level(pattern=None, add_prefix_space=False, size=500, alphabet=True, **more):
    steps = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=pattern is None)
    if pattern is not None:
        patterns = pattern if isinstance(pattern, list) else [pattern]
        steps = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), "isolated") for p in patterns] + [steps])
    parts = {"pre_tokenizer": steps, "decoder": decoders.ByteLevel(), **more}
    return train(models.BPE(), trainers.BpeTrainer, size, ["<|endoftext|>", "<|im_start|>"],
                 initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if alphabet else [], **parts)


def charsmap(kind="nmt_nfkc"):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=model, vocab_size=500,
                                             normalization_rule_name=kind, hard_vocab_limit=False, minloglevel=2)
    proto = model.getvalue()
    # normalizer_spec is field 3 of ModelProto, its precompiled_charsmap field 2.
    for number, value in fields(proto):
        if number == 3:
            for inner, blob in fields(value):
                if inner == 2:
                    return blob
    raise ValueError("no charsmap")


def fields(data):
    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at
    at = 0
    while at < len(data):
        key, at = varint(at)
        if key & 7 == 2:
            size, at = varint(at)
            yield key >> 3, data[at:at + size]
            at += size
        elif key & 7 == 0:
            value, at = varint(at)
            yield key >> 3, value
        else:
            at += 4 if key & 7 == 5 else 8


def small_charsmap():
    """A character map of our own: a double array with a few entries, so that the fixture stays small."""
    entries = {"\r\n": " ", "\r": " ", "\n": " ", "\t": " ", "ﬁ": "fi", "™": "TM", "①": "1", "Ａ": "A", "\u200b": "", "ｶﾞ": "ガ",
               "½": "1⁄2", "\u00a0": " ", "\u3000": " ", "e\u0301": "é", "\x01": "", "\u0600": "#", "x": "x"}
    blob, offset_of = b"\0", {}
    for value in entries.values():
        if value not in offset_of:
            offset_of[value] = len(blob)
            blob += value.encode() + b"\0"
    offset_of[""] = 0
    trie = {}
    for key, value in entries.items():
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[-1] = offset_of[value]
    units = [0] * 4096
    used = [False] * 4096
    used[0] = True

    def place(node, at):
        children = sorted(k for k in node if k >= 0)
        labels = ([0] if -1 in node else []) + children
        base = next(b for b in range(1, 3800) if all(not used[b ^ c] for c in labels) and (at ^ b) >> 21 == 0)
        for c in labels:
            used[base ^ c] = True
        units[at] |= (at ^ base) << 10 | (256 if -1 in node else 0)
        if -1 in node:
            units[base] = node[-1] | 1 << 31
        for c in children:
            units[base ^ c] |= c
            place(node[c], base ^ c)

    place(trie, 0)
    data = struct.pack("<4096I", *units)
    return struct.pack("<I", len(data)) + data + blob


def precompiled(blob):
    return lambda data: data.update(normalizer={"type": "Precompiled", "precompiled_charsmap": base64.b64encode(blob).decode()})


def zoo():
    """Name -> tokenizer."""
    N, P, D = normalizers, pre_tokenizers, decoders
    metaspace = lambda scheme, split=True: P.Metaspace(prepend_scheme=scheme, split=split)
    spm_decoder = lambda: D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    bpe, unigram, wordpiece, level = models.BPE, models.Unigram, models.WordPiece, models.WordLevel
    out = {}

    # Byte-level BPE, as the families that ship tokenizer.json have it.
    out["gpt2"] = byte_level(add_prefix_space=False, post_processor=processors.ByteLevel(trim_offsets=True))
    out["gpt2_prefix"] = byte_level(add_prefix_space=True, post_processor=processors.ByteLevel(trim_offsets=True))
    out["roberta"] = byte_level(add_prefix_space=True, post_processor=processors.RobertaProcessing(("<|im_start|>", 1), ("<|endoftext|>", 0)))
    out["cl100k"] = with_json(byte_level(CL100K, post_processor=processors.Sequence([processors.ByteLevel(trim_offsets=False),
                              processors.TemplateProcessing(single="<|im_start|> $A", special_tokens=[("<|im_start|>", 1)])])),
                              set_model(ignore_merges=True))
    out["qwen"] = byte_level(CL100K.replace("{1,3}", ""), normalizer=N.NFC(), post_processor=processors.ByteLevel(trim_offsets=False))
    out["o200k"] = byte_level(O200K)
    out["kimi"] = byte_level(KIMI)
    out["deepseek"] = byte_level([r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK], normalizer=N.Sequence([]))
    out["smollm"] = train(bpe(), trainers.BpeTrainer, 300, ["<|endoftext|>"], pre_tokenizer=P.Sequence([P.Digits(True), P.ByteLevel(False)]),
                          decoder=D.ByteLevel())
    out["byte_normalizer"] = byte_level(pattern=GPT2, alphabet=True)
    out["byte_normalizer"] = train(bpe(), trainers.BpeTrainer, 400, ["<s>", "</s>"], normalizer=N.Sequence([N.NFC(), N.ByteLevel()]),
                                   pre_tokenizer=P.Split(Regex(r"Ġ?[^Ġ]+|Ġ+"), "isolated"), decoder=D.ByteLevel())
    out["byte_middle"] = byte_level(pre_tokenizer=P.Sequence([P.ByteLevel(True), P.FixedLength(7)]))

    # SentencePiece-style BPE.
    spm = dict(unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    out["llama2"] = train(bpe(**spm), trainers.BpeTrainer, 700, SPECIALS + bytes_, decoder=spm_decoder(),
                          normalizer=N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]),
                          post_processor=processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]))
    out["gemma"] = train(bpe(**spm), trainers.BpeTrainer, 700, SPECIALS + bytes_, normalizer=N.Replace(" ", "▁"),
                         pre_tokenizer=P.Split(" ", "merged_with_previous"), decoder=D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse()]))
    out["mistral"] = train(bpe(**spm), trainers.BpeTrainer, 700, SPECIALS + bytes_, pre_tokenizer=metaspace("first", False),
                           decoder=spm_decoder())
    out["few_bytes"] = train(bpe(unk_token="<unk>", byte_fallback=True, fuse_unk=False), trainers.BpeTrainer, 200,
                             SPECIALS + bytes_[:0xd0], limit_alphabet=40, normalizer=N.Replace(" ", "▁"), decoder=spm_decoder())
    out["fused_unknown"] = train(bpe(unk_token="<unk>", fuse_unk=True), trainers.BpeTrainer, 150, limit_alphabet=30, pre_tokenizer=metaspace("always"), decoder=D.Metaspace())
    out["single_unknown"] = train(bpe(unk_token="<unk>"), trainers.BpeTrainer, 150, limit_alphabet=30, pre_tokenizer=P.WhitespaceSplit())
    out["no_unknown"] = train(bpe(), trainers.BpeTrainer, 150, limit_alphabet=30, pre_tokenizer=P.Whitespace())
    out["suffix"] = train(bpe(unk_token="<unk>", end_of_word_suffix="</w>"), trainers.BpeTrainer, 500, end_of_word_suffix="</w>",
                          normalizer=N.Sequence([N.NFKC(), N.Lowercase()]), pre_tokenizer=P.BertPreTokenizer(), decoder=D.BPEDecoder("</w>"))
    out["prefix"] = train(bpe(unk_token="<unk>", continuing_subword_prefix="##"), trainers.BpeTrainer, 500, continuing_subword_prefix="##",
                          normalizer=N.NFKD(), pre_tokenizer=P.Whitespace(), decoder=D.WordPiece("##", False))

    # WordPiece and WordLevel.
    bert = dict(pre_tokenizer=P.BertPreTokenizer(), decoder=D.WordPiece("##", True), size=500,
                specials=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
                post_processor=processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2)))
    piece = lambda: wordpiece(unk_token="[UNK]", max_input_chars_per_word=30)
    out["bert"] = train(piece(), trainers.WordPieceTrainer, normalizer=N.BertNormalizer(), **bert)
    out["bert_cased"] = train(piece(), trainers.WordPieceTrainer, normalizer=N.BertNormalizer(lowercase=False, strip_accents=True), **bert)
    out["bert_plain"] = train(piece(), trainers.WordPieceTrainer, normalizer=N.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=False), **bert)
    out["words"] = train(level(unk_token="<unk>"), trainers.WordLevelTrainer, 200, pre_tokenizer=P.Sequence([P.WhitespaceSplit(), P.Punctuation()]),
                         normalizer=N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase()]))
    out["words"].normalizer = N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase(), N.Strip()])
    out["ctc"] = train(level(unk_token="<unk>"), trainers.WordLevelTrainer, 120, pre_tokenizer=P.Sequence([P.Split(Regex("."), "isolated")]),
                       normalizer=N.Replace(Regex(r"\s"), "|"), decoder=D.CTC("<pad>", "|", True))

    # Unigram.
    uni = dict(unk_token="<unk>")
    small = small_charsmap()
    t5 = train(unigram(), trainers.UnigramTrainer, 500, normalizer=N.Sequence([N.Nmt(), N.NFKC(), N.Replace(Regex(" {2,}"), " ")]),
               pre_tokenizer=metaspace("always"), decoder=D.Metaspace(),
               post_processor=processors.TemplateProcessing(single="$A </s>:0", special_tokens=[("</s>", 2)]), **uni)
    out["unigram"] = t5
    out["t5"] = with_json(t5, precompiled(small))
    out["xlmr"] = with_json(train(unigram(), trainers.UnigramTrainer, 500, pre_tokenizer=P.Sequence([P.WhitespaceSplit(), metaspace("first")]),
                                  decoder=D.Metaspace(prepend_scheme="first"), **uni),
                            lambda data: data.update(normalizer={"type": "Sequence", "normalizers": [
                                {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(small).decode()},
                                {"type": "Strip", "strip_left": False, "strip_right": True},
                                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]}))
    out["unigram_bytes"] = with_json(train(unigram(), trainers.UnigramTrainer, 800, SPECIALS + bytes_, pre_tokenizer=metaspace("first", False), decoder=spm_decoder(), **uni),
                                     set_model(byte_fallback=True))
    out["scripts"] = train(unigram(), trainers.UnigramTrainer, 400, pre_tokenizer=P.Sequence([P.UnicodeScripts(), metaspace("never")]), decoder=D.Metaspace(prepend_scheme="never"), **uni)
    out["scripts"].normalizer = N.Strip()

    # Splits in every behavior, and the remaining pre-tokenizers and decoders.
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        for invert in (False, True):
            out[f"split_{behavior}{'_inverted' if invert else ''}"] = train(
                bpe(unk_token="<unk>"), trainers.BpeTrainer, 150, pre_tokenizer=P.Sequence([P.Split(Regex(r"[\s.,!]|o+|\p{Lo}"), behavior, invert), P.Punctuation(behavior)]))
    out["digits"] = train(bpe(unk_token="<unk>"), trainers.BpeTrainer, 150, pre_tokenizer=P.Sequence([P.Digits(False), P.CharDelimiterSplit("e")]),
                          decoder=D.Sequence([D.Strip("a", 1, 2), D.Replace(Regex("l+"), "L"), D.Fuse(), D.Replace("an", "ANN"), D.Strip(" ", 0, 1)]))
    out["fixed"] = train(bpe(unk_token="<unk>"), trainers.BpeTrainer, 150, pre_tokenizer=P.FixedLength(4))
    out["fixed"].normalizer = N.Sequence([N.Strip(True, False), N.NFD()])
    out["odd_normalizers"] = train(bpe(unk_token="<unk>"), trainers.BpeTrainer, 200, pre_tokenizer=P.Sequence([metaspace("first"), P.Split("▁", "contiguous")]))
    out["odd_normalizers"].normalizer = (N.Sequence([N.Replace(Regex("^"), "x"), N.NFKC(), N.Replace(Regex("[aeiou]+(?=[a-z])|$"), ""), N.Strip(), N.Prepend("▁▁"), N.Lowercase()]))
    out["regex"] = train(bpe(unk_token="<unk>"), trainers.BpeTrainer, 200, pre_tokenizer=P.Sequence([
        P.Split(Regex(r"\b|(?<=[\p{Han}])(?=\p{Han})|\h{2}|[[:alpha:]&&[^a-m]]{2,3}+|(\d)\1|^x|,$|[^\w\s]++\n?"), "isolated")]))
    out["regex_names"] = train(bpe(unk_token="<unk>"), trainers.BpeTrainer, 200, pre_tokenizer=P.Sequence([
        P.Split(Regex(r"[\w&&[^a-m]]{2,}|\p{Uppercase Letter}|\p{grek}+(?#Greek)|\p{cyrl}(?i)ПР|ЕТ|(?>.[ab]|x)c|(?<q>['\"]).{1,9}\k<q>|[[:punct:]]{2}|\p{Punct}\s|\p{Hangul}\p{Math}|[\p{Ideographic}]\W"), "isolated")]))

    # Added tokens with every flag, limits.
    flags = out["bert"].to_str()
    flagged = Tokenizer.from_str(flags)
    flagged.add_tokens([AddedToken("fox", single_word=True), AddedToken("Dog", lstrip=True, rstrip=True), AddedToken("lazy dog", normalized=True),
                        AddedToken("É", normalized=True), AddedToken("  ", normalized=False), AddedToken("мир", single_word=True, normalized=False)])
    flagged.add_special_tokens([AddedToken("<mask>", lstrip=True), AddedToken("<SPECIAL>", normalized=True), AddedToken("[X]", rstrip=True)])
    out["flags"] = flagged
    flagged = Tokenizer.from_str(out["llama2"].to_str())
    flagged.add_tokens([AddedToken("qu"), AddedToken("qui", normalized=False), AddedToken("brown fox"), AddedToken("<mask>", lstrip=True, rstrip=True, special=True)])
    out["llama2_flags"] = flagged
    limited = Tokenizer.from_str(flags)
    limited.enable_truncation(12, stride=2, direction="left")
    limited.enable_padding(direction="left", pad_id=0, pad_token="[PAD]", pad_to_multiple_of=8, pad_type_id=1)
    out["limits_left"] = limited
    limited = Tokenizer.from_str(out["cl100k"].to_str())
    limited.enable_truncation(7)
    limited.enable_padding(length=9, pad_id=3, pad_token="<|endoftext|>")
    out["limits_right"] = limited
    return out


def answers(tokenizer, rng, corpus):
    cases = []
    for text in corpus:
        try:
            full = tokenizer.encode(text)
        except BaseException:  # the library panics where a normalizer's empty match and another's change meet
            continue
        case = {"text": text, "ids": full.ids, "offsets": [x for o in full.offsets for x in o], "type_ids": full.type_ids,
                "special": full.special_tokens_mask, "attention": full.attention_mask,
                "plain": tokenizer.encode(text, add_special_tokens=False).ids}
        cases.append(case)
    size = tokenizer.get_vocab_size()
    decoded = []
    for ids in [c["ids"] for c in cases] + [[rng.randrange(size) for _ in range(rng.randint(1, 12))] for _ in range(12)]:
        try:
            decoded.append({"ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=False),
                            "skipped": tokenizer.decode(ids, skip_special_tokens=True)})
        except BaseException:  # the library panics on a few (Strip longer than a token)
            pass
    return {"encoded": cases, "decoded": decoded}


def sentencepiece_models():
    """Folder name -> model file."""
    kinds = {"unigram": dict(vocab_size=420), "unigram_bytes": dict(vocab_size=700, byte_fallback=True, normalization_rule_name="identity", character_coverage=0.98),
             "bpe": dict(vocab_size=460, model_type="bpe", normalization_rule_name="identity"),
             "bpe_llama": dict(vocab_size=700, model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
                               remove_extra_whitespaces=False, character_coverage=0.98),
             "bpe_gemma": dict(vocab_size=700, model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
                               remove_extra_whitespaces=False, add_dummy_prefix=False, character_coverage=0.98,
                               user_defined_symbols=["<start_of_turn>", "▁▁", "\n\n", "fox"]),
             "suffix": dict(vocab_size=460, treat_whitespace_as_suffix=True, normalization_rule_name="identity")}
    out = {}
    for name, options in kinds.items():
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=model, hard_vocab_limit=False,
                                                 minloglevel=2, **options)
        out[name] = model.getvalue()
    return out


def write_sentencepiece():
    folder = OUT.parent / "sentencepiece"
    for name, model in sentencepiece_models().items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "tokenizer.model").write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        cases = [{"text": text, "ids": processor.encode(text)} for text in LINES + ["", " ", "  a  b "]]
        for case in cases:
            known = [i for i in case["ids"] if not processor.is_unknown(i)]
            case.update(known=known, decoded=processor.decode(known))
        (folder / name / "answers.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def main():
    write_sentencepiece()
    OUT.mkdir(parents=True, exist_ok=True)
    rng = random.Random(7)
    for name, tokenizer in zoo().items():
        chosen = rng.sample(LINES, 4) + [" x", ""]
        data = {"tokenizer": json.loads(tokenizer.to_str()), "answers": answers(tokenizer, rng, chosen)}
        (OUT / f"{name}.json").write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    print(sum(f.stat().st_size for f in OUT.glob("*.json")), "bytes")


if __name__ == "__main__":
    main()
