"""Small tokenizers laid out as the families of the hub lay theirs out: their pipelines and patterns, flags, old spellings
and oddities, on vocabularies trained here. tools/compare_tokenizers.py compares them, with the zoo of
make_tokenizer_fixtures.py, which has one tokenizer for each component instead.
"""
import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders as D, models, normalizers as N, pre_tokenizers as P, processors, trainers

import make_tokenizer_fixtures as fixtures
from make_tokenizer_fixtures import SPECIALS, byte_level, precompiled, set_model, small_charsmap, train, with_json

PHI4 = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
          r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
SUPERBPE = r"(?=(\d{3})+(?!\d))"
EXAONE = (r"(?:[^\r\n\p{L}\p{N}\p{M}]?(?:\p{L}|\p{M})+|\p{N}{1,3}|\s?[\p{P}\p{S}]+|[\r\n]+|\s+(?!\S)|\s+)")
HANGUL = r"\p{Hangul}+|\p{Han}+|[\p{Hiragana}\p{Katakana}ー]+|[\p{Cyrillic}\p{Greek}]+|\p{Arabic}+|[^\p{Hangul}\p{Han}]"
LEGACY_GPT4 = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
MINIMAX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
DEEPSEEK_CODER = [r"[\r\n]", r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅⰀ-ⱻⱾ-ⳤꙀ-ꙭ"
                  r"ﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𞤀-𞥃]+", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", r"[一-龥ࠀ-一가-퟿]+"]


def rebuilt(tokenizer, change):
    """The tokenizer's file, changed as text would be: for spellings that the library reads but does not write."""
    data = json.loads(tokenizer.to_str())
    change(data)
    return json.dumps(data, ensure_ascii=False)


def with_tokens(tokenizer, tokens=(), special=()):
    tokenizer = Tokenizer.from_str(tokenizer.to_str())
    tokenizer.add_tokens(list(tokens))
    tokenizer.add_special_tokens(list(special))
    return tokenizer


def blocks(count):
    return [AddedToken(" " * n, normalized=True) for n in range(count, 1, -1)]


def byte_families(out):
    out["falcon"] = byte_level(pre_tokenizer=P.Sequence([P.Punctuation("contiguous"), P.ByteLevel(False), P.Digits(False), P.Split(Regex("[0-9][0-9][0-9]"), "isolated")]))
    out["bloom"] = byte_level(BLOOM)
    out["starcoder2"] = byte_level(pre_tokenizer=P.Sequence([P.Digits(True), P.ByteLevel(False)]))
    out["command_r"] = byte_level(normalizer=N.NFC(), pre_tokenizer=P.Sequence([P.Digits(True), P.ByteLevel(False, trim_offsets=True)]))
    out["phi4"] = byte_level(PHI4)
    out["gpt4_possessive"] = byte_level(LEGACY_GPT4)
    out["tekken"] = with_json(byte_level(TEKKEN), set_model(ignore_merges=True))
    out["superbpe"] = byte_level([SUPERBPE, fixtures.CL100K])
    out["exaone"] = byte_level(EXAONE, normalizer=N.NFC())
    out["scripts_regex"] = byte_level(HANGUL)
    out["minimax"] = byte_level(MINIMAX)
    out["deepseek_coder"] = byte_level(pre_tokenizer=P.Sequence([P.Split(Regex(p), "isolated") for p in DEEPSEEK_CODER] + [P.Digits(True), P.ByteLevel(False, use_regex=False)]))
    out["neox"] = with_tokens(byte_level(normalizer=N.NFC()), blocks(8), [AddedToken("<|padding|>", normalized=False)])
    out["modernbert"] = with_tokens(byte_level(normalizer=N.NFC(), post_processor=processors.TemplateProcessing(
        single="<|im_start|> $A <|endoftext|>", pair="<|im_start|> $A <|endoftext|> $B <|endoftext|>", special_tokens=[("<|im_start|>", 1), ("<|endoftext|>", 0)])),
        blocks(6) + [AddedToken("|||IP_ADDRESS|||", normalized=True), AddedToken("\t", normalized=True)], [AddedToken("[MASK]", lstrip=True)])
    out["whisper"] = with_tokens(byte_level(pre_tokenizer=P.ByteLevel(False)), [AddedToken(f"<|{i / 50:.2f}|>", normalized=False) for i in range(60)],
                                 [AddedToken("<|startoftranscript|>"), AddedToken("<|en|>"), AddedToken("<|notimestamps|>")])
    out["harmony"] = with_tokens(byte_level(fixtures.O200K), (), [AddedToken(t, normalized=False) for t in
                                 ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|call|>", "<|return|>", "<|constrain|>")])
    out["clip"] = train(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"), trainers.BpeTrainer, 700, ["<|startoftext|>", "<|endoftext|>"],
                        end_of_word_suffix="</w>", initial_alphabet=P.ByteLevel.alphabet(), decoder=D.ByteLevel(),
                        normalizer=N.Sequence([N.NFC(), N.Replace(Regex(r"\s+"), " "), N.Lowercase()]),
                        pre_tokenizer=P.Sequence([P.Split(Regex(CLIP), "removed", True), P.ByteLevel(False)]),
                        post_processor=processors.RobertaProcessing(("<|endoftext|>", 1), ("<|startoftext|>", 0), trim_offsets=False, add_prefix_space=False))
    out["bart"] = with_tokens(byte_level(add_prefix_space=False, post_processor=processors.RobertaProcessing(("<|im_start|>", 1), ("<|endoftext|>", 0), True, False)),
                              (), [AddedToken("<mask>", lstrip=True, normalized=True)])
    out["offsets_kept"] = byte_level(add_prefix_space=True, post_processor=processors.ByteLevel(trim_offsets=False))
    out["lone_unk_bytes"] = train(models.BPE(unk_token="<unk>"), trainers.BpeTrainer, 300, ["<unk>"], pre_tokenizer=P.ByteLevel(False), decoder=D.ByteLevel())


def spm_families(out):
    spm = dict(unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    all_bytes = [f"<0x{b:02X}>" for b in range(256)]
    spm_decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
    bpe = lambda **parts: train(models.BPE(**spm), trainers.BpeTrainer, 700, SPECIALS + all_bytes, **{"decoder": spm_decoder, **parts})
    out["gemma3"] = with_tokens(bpe(normalizer=N.Replace(" ", "▁"), pre_tokenizer=P.Split(" ", "merged_with_previous"),
                                    decoder=D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse()]),
                                    post_processor=processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])),
                                [AddedToken("\n" * n, normalized=False) for n in range(2, 6)] + [AddedToken("▁" * n, normalized=False) for n in range(2, 6)]
                                + [AddedToken("<h1>", normalized=False)], [AddedToken("<start_of_turn>", normalized=False)])
    out["codellama"] = with_tokens(bpe(normalizer=N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")])), [AddedToken("▁<PRE>", normalized=False), AddedToken("▁<MID>", normalized=True)])
    out["phi3"] = with_tokens(bpe(normalizer=N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")])), (), [AddedToken(t, rstrip=True) for t in ("<|assistant|>", "<|end|>", "<|user|>")])
    out["metaspace_legacy"] = rebuilt(bpe(pre_tokenizer=P.Metaspace(prepend_scheme="always", split=True), decoder=D.Metaspace()),
                                      lambda d: (d.update(pre_tokenizer={"type": "Metaspace", "replacement": "▁", "add_prefix_space": True, "str_rep": "▁"}),
                                                 d.update(decoder={"type": "Metaspace", "replacement": "▁", "add_prefix_space": True})))
    out["metaspace_no_prefix"] = rebuilt(bpe(pre_tokenizer=P.Metaspace(prepend_scheme="never", split=True), decoder=D.Metaspace(prepend_scheme="never")),
                                         lambda d: d.update(pre_tokenizer={"type": "Metaspace", "replacement": "▁", "add_prefix_space": False, "prepend_scheme": "never"}))
    out["metaspace_other"] = bpe(pre_tokenizer=P.Metaspace(replacement="_", prepend_scheme="first", split=True), decoder=D.Metaspace(replacement="_", prepend_scheme="first"))
    out["nllb"] = with_json(bpe(pre_tokenizer=P.Metaspace(prepend_scheme="always"), decoder=D.Metaspace(), post_processor=processors.TemplateProcessing(
        single="<pad> $A </s>", pair="<pad> $A $B </s>", special_tokens=[("<pad>", 3), ("</s>", 2)])),
        lambda d: (precompiled(small_charsmap())(d), d.update(normalizer={"type": "Sequence", "normalizers": [d["normalizer"], {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]})))
    out["merges_as_pairs"] = rebuilt(bpe(normalizer=N.Replace(" ", "▁")), lambda d: d["model"].update(merges=[m if isinstance(m, list) else m.split(" ") for m in d["model"]["merges"]]))
    out["merges_as_text"] = rebuilt(bpe(normalizer=N.Replace(" ", "▁")), lambda d: d["model"].update(merges=[m if isinstance(m, str) else " ".join(m) for m in d["model"]["merges"]]))


def unigram_families(out):
    blob = {"type": "Precompiled", "precompiled_charsmap": None}
    import base64
    blob["precompiled_charsmap"] = base64.b64encode(fixtures.charsmap()).decode()
    unigram = lambda **parts: train(models.Unigram(), trainers.UnigramTrainer, 500, unk_token="<unk>", **{"decoder": D.Metaspace(), **parts})
    nfkc = lambda *more: lambda d: d.update(normalizer={"type": "Sequence", "normalizers": [blob, *more]})
    two_spaces = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    to_mark = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}
    out["mt5"] = with_json(unigram(pre_tokenizer=P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="always")]),
                                   post_processor=processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])), nfkc())
    out["t5_v11"] = with_tokens(with_json(unigram(pre_tokenizer=P.Metaspace(prepend_scheme="always")), nfkc({"type": "Strip", "strip_left": False, "strip_right": True}, to_mark)),
                                [AddedToken("<extra_id_0>", normalized=False)], [AddedToken(f"<extra_id_{i}>", lstrip=True, rstrip=True) for i in range(1, 9)])
    out["camembert"] = with_json(unigram(pre_tokenizer=P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="always")])), nfkc(to_mark))
    out["deberta"] = with_tokens(with_json(unigram(pre_tokenizer=P.Metaspace(prepend_scheme="always")), nfkc({"type": "Strip", "strip_left": True, "strip_right": True}, two_spaces)),
                                 (), [AddedToken("[MASK]", lstrip=False, normalized=True)])
    out["albert"] = with_json(unigram(pre_tokenizer=P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="always")])),
                              lambda d: d.update(normalizer={"type": "Sequence", "normalizers": [
                                  {"type": "Replace", "pattern": {"String": "``"}, "content": '"'}, {"type": "Replace", "pattern": {"String": "''"}, "content": '"'},
                                  {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, blob, two_spaces]}))
    out["pegasus"] = with_json(unigram(pre_tokenizer=P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="always")])),
                               lambda d: d.update(normalizer={"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "\n"}, "content": "<n>"}, blob]}))


def word_families(out):
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    piece = lambda **parts: train(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100), trainers.WordPieceTrainer, 600, specials,
                                  **{"pre_tokenizer": P.BertPreTokenizer(), "decoder": D.WordPiece("##", True), **parts})
    out["mbert"] = piece(normalizer=N.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=False),
                         post_processor=processors.TemplateProcessing(single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]))
    out["electra"] = with_tokens(piece(normalizer=N.BertNormalizer(), post_processor=processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))), [AddedToken("##x", single_word=True), AddedToken("de la")])
    out["bert_japanese"] = piece(normalizer=N.Sequence([N.NFKC(), N.BertNormalizer(lowercase=False, strip_accents=False)]))
    out["protein"] = train(models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer, 100, ["<cls>", "<pad>", "<eos>", "<unk>"], pre_tokenizer=P.Split("", "isolated"),
                           post_processor=processors.TemplateProcessing(single="<cls> $A <eos>", special_tokens=[("<cls>", 0), ("<eos>", 2)]))
    out["uncased_suffix"] = train(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"), trainers.BpeTrainer, 500, ["<s>", "<pad>", "</s>", "<unk>"], end_of_word_suffix="</w>",
                                  normalizer=N.BertNormalizer(), pre_tokenizer=P.BertPreTokenizer(), decoder=D.BPEDecoder("</w>"))


def families():
    """Name -> a tokenizer, or the text of its file."""
    out = {}
    for add in (byte_families, spm_families, unigram_families, word_families):
        add(out)
    return out


if __name__ == "__main__":
    for name, tokenizer in families().items():
        text = tokenizer if isinstance(tokenizer, str) else tokenizer.to_str()
        print(f"{name:20} {len(Tokenizer.from_str(text).encode(fixtures.LINES[0]).ids):4} tokens")
