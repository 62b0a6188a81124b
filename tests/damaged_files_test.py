#!/usr/bin/env python3
"""What the command says about model files that are cut, corrupted or hostile.

Usage: damaged_files_test.py path/to/hearth      (standard library only; the model is tests/testdata/tiny)
"""
import json
import pathlib
import random
import re
import struct
import tempfile
import unittest

from hearth_command import SLOW, SOURCE, TINY, Copy, RefusalTest, generate, hearth, processor_seconds

CUTS = 32


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 988097824\n"


class Pointers(RefusalTest):
    """What a clone without git-lfs leaves."""

    def test_are_named(self):
        for name in ("model.safetensors", "tokenizer.json", "config.json", "tokenizer_config.json", "model.safetensors.index.json", "chat_template.jinja"):
            with self.subTest(name), Copy() as copy:
                (copy.path / name).write_bytes(POINTER)
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), name, "Git LFS")


class Safetensors(RefusalTest):
    WHOLE = (TINY / "model.safetensors").read_bytes()
    HEADER = json.loads(WHOLE[8 : 8 + struct.unpack("<Q", WHOLE[:8])[0]])
    DATA = WHOLE[8 + struct.unpack("<Q", WHOLE[:8])[0] :]
    NAME = "model.norm.weight"

    def with_header(self, header, claimed=None, data=DATA):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text) if claimed is None else claimed) + text + data

    def changed(self, **values):
        return {**self.HEADER, self.NAME: {**self.HEADER[self.NAME], **values}}

    def run_with(self, content):
        with Copy() as copy:
            (copy.path / "model.safetensors").write_bytes(content)
            return generate("--prompt", "hi", "--max-tokens", 1, model=copy.path)

    def test_cut(self):
        for i in range(CUTS):
            with self.subTest(i=i):
                self.refused(lambda: self.run_with(self.WHOLE[: len(self.WHOLE) * i // CUTS]), "model.safetensors")

    def test_cut_within_the_header(self):
        header = len(self.WHOLE) - len(self.DATA)
        for i in range(CUTS):
            with self.subTest(i=i):
                self.refused(lambda: self.run_with(self.WHOLE[: header * i // CUTS]), "model.safetensors")

    def test_lengths(self):
        for claimed in (0, 1, 2**31, 2**32, 100_000_001, 2**63 - 1, 2**63, 2**64 - 8, 2**64 - 1):
            with self.subTest(claimed=claimed):
                self.refused(lambda: self.run_with(self.with_header(self.HEADER, claimed)), "model.safetensors")

    def test_entries(self):
        begin, end = self.HEADER[self.NAME]["data_offsets"]
        for values in ({"data_offsets": [0, 2**62]}, {"data_offsets": [begin + 2, end + 2]}, {"data_offsets": [128, 0]}, {"data_offsets": [2**64 - 128, 2**64 - 1]},
                       {"data_offsets": [begin]}, {"data_offsets": [begin, end, end]}, {"data_offsets": "x"}, {"data_offsets": [-1, 127]}, {"data_offsets": [0.5, 128.5]},
                       {"data_offsets": [2**70, 2**71]}, {"data_offsets": None}, {"data_offsets": [len(self.DATA), len(self.DATA) + 128]}, {"data_offsets": [end, 2 * end - begin]},
                       {"dtype": "F99"}, {"dtype": "F64"}, {"dtype": 5}, {"dtype": ""}, {"dtype": "I16"}, {"dtype": "x" * 10**6},
                       {"shape": [2**40, 2**40]}, {"shape": [-64]}, {"shape": [0], "data_offsets": [begin, begin]}, {"shape": []}, {"shape": [1] * 17 + [64]}, {"shape": [1] * 10**5},
                       {"shape": [64.5]}, {"shape": [[64]]}, {"shape": {"0": 64}}, {"shape": [32, 2]}, {"shape": [2**32 + 64]}, {"shape": [2**31, 2**31, 2**31]}, {"nested": {"a": 1}}):
            with self.subTest(values=str(values)[:60]):
                self.refused(lambda: self.run_with(self.with_header(self.changed(**values))), "model.safetensors", self.NAME)

    def test_headers(self):
        one = json.dumps({self.NAME: self.HEADER[self.NAME]})
        rest = json.dumps(self.HEADER)[1:]
        for text in (b"nonsense", b"[]", b"null", b"{", b"{}" * 40, b"[" * 10**6, b'{"a":' * 10**6, b"{" + b" " * 4_000_000, b"\xff" * 64, b"{" + one[1:-1].encode() + b"," + rest.encode(),
                     b'{"__metadata__": {"a": {"b": 1}},' + rest.encode(), b'{"__metadata__": 5,' + rest.encode(), b'{"": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]},' + rest.encode(),
                     b'{"\\u001b[2J": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]},' + rest.encode()):
            with self.subTest(text=text[:40]):
                self.refused(lambda: self.run_with(self.with_header(text)), "safetensors")

    def test_no_tensors(self):
        self.refused(lambda: self.run_with(self.with_header({})), "model.embed_tokens")

    def test_many_tensors(self):
        many = {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(100_000)}
        self.refused(lambda: self.run_with(self.with_header({**self.HEADER, **many})), "model.safetensors", "no place")

    def test_random_damage(self):
        random.seed(3)
        for i in range(CUTS):
            spoiled = bytearray(self.WHOLE)
            for _ in range(3):
                spoiled[random.randrange(0, 4000)] = random.randrange(256)
            with self.subTest(i=i):
                self.survives(lambda: self.run_with(spoiled))

    def test_numbers_that_are_none(self):
        """Weights of NaN and infinity are legal; the answer may be nonsense, never a crash."""
        for pattern in (b"\xc0\x7f", b"\x80\x7f", b"\xff\xff"):
            with self.subTest(pattern=pattern):
                self.survives(lambda: self.run_with(self.with_header(self.HEADER, data=pattern * (len(self.DATA) // 2))))


class SmallTable(RefusalTest):
    """A tokenizer that knows more tokens than the model: ids beyond the table are refused, not looked up."""

    ROWS = 64

    def spoil(self, copy):
        header, data, offset = {}, b"", 0
        for name, entry in Safetensors.HEADER.items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            piece, shape = Safetensors.DATA[begin:end], entry["shape"]
            if name.startswith("model.embed_tokens."):
                piece, shape = piece[: len(piece) * self.ROWS // shape[0]], [self.ROWS, *shape[1:]]
            header[name] = {"dtype": entry["dtype"], "shape": shape, "data_offsets": [offset, offset + len(piece)]}
            data, offset = data + piece, offset + len(piece)
        text = json.dumps(header).encode()
        (copy.path / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
        copy.config(vocab_size=self.ROWS)

    def test_is_noticed_by_every_command(self):
        with Copy() as copy, tempfile.NamedTemporaryFile("w", suffix=".txt") as text:
            self.spoil(copy)
            text.write("the quick brown fox jumps over the lazy dog " * 20)
            text.flush()
            self.refused(lambda: generate("--prompt", "the quick brown fox", model=copy.path), "vocabulary has 64")
            self.refused(lambda: generate("--prompt", "the quick brown fox", "--ignore-chat-template", model=copy.path), "vocabulary has 64")
            self.refused(lambda: hearth("perplexity", "--model", copy.path, "--data-path", text.name), "vocabulary has 64")
            self.survives(lambda: hearth("bench", "--model", copy.path, "-p", 8, "-g", 4, "-r", 1))
            self.assertIn(b"vocabulary has 64", hearth("chat", "--model", copy.path, stdin=b"the quick brown fox\n").stdout)


class Gguf(RefusalTest):
    FIXTURES = sorted((SOURCE / "src/weights/testdata").glob("tiny_*.gguf"))
    SPLIT = [path for path in FIXTURES if "-of-" in path.name]
    WHOLE = (SOURCE / "src/weights/testdata/tiny_q4_0.gguf").read_bytes()

    def convert(self, content, name="x.gguf"):
        with tempfile.TemporaryDirectory() as folder:
            file, out = pathlib.Path(folder) / name, pathlib.Path(folder) / "out"
            file.write_bytes(content)
            result = hearth("convert", "--gguf", file, "--mlx-path", out)
            if result.returncode != 0:
                self.assertFalse(out.exists())
            return result

    def patched(self, key, skip, format, value):
        """The value `skip` bytes behind a key or tensor name, replaced."""
        place = self.WHOLE.index(struct.pack("<Q", len(key)) + key) + 8 + len(key) + skip
        new = struct.pack(format, value)
        return self.WHOLE[:place] + new + self.WHOLE[place + len(new) :]

    def test_whole_files_convert(self):
        for path in self.FIXTURES:
            with self.subTest(path.name), tempfile.TemporaryDirectory() as out:
                self.assertEqual(hearth("convert", "--gguf", path, "--mlx-path", out).returncode, 0)

    def split(self, **contents):
        """Converts the split model, its parts 1 to 3 replaced as the keywords say; None leaves one out."""
        with tempfile.TemporaryDirectory() as folder:
            for i, path in enumerate(self.SPLIT, 1):
                content = contents.get(f"part{i}", path.read_bytes())
                if content is not None:
                    (pathlib.Path(folder) / path.name).write_bytes(content)
            return hearth("convert", "--gguf", pathlib.Path(folder) / self.SPLIT[1].name, "--mlx-path", pathlib.Path(folder) / "out")

    def test_split(self):
        first, second, third = (path.read_bytes() for path in self.SPLIT)
        count = b"split.tensors.count"
        place = first.index(count) + len(count) + 4
        for contents, culprits in [({"part1": None}, ("00001-of-00003", "missing")), ({"part3": None}, ("00003-of-00003", "part 3 of 3")),
                                   ({"part3": second}, ("00003-of-00003", "split.no")), ({"part1": third}, ("00001-of-00003", "split.no")),
                                   ({"part3": self.WHOLE}, ("00003-of-00003", "split.count")), ({"part3": third[:500]}, ("00003-of-00003",)), ({"part3": b""}, ("00003-of-00003",)),
                                   ({"part1": first[:place] + struct.pack("<i", 7) + first[place + 4 :]}, ("split.tensors.count",)),
                                   ({"part3": third.replace(b"blk.0.ffn_up.weight", b"blk.0.attn_q.weight")}, ("00003-of-00003", "also in another part"))]:
            with self.subTest(culprits=culprits):
                self.refused(lambda: self.split(**contents), *culprits)
        self.assertEqual(self.split().returncode, 0)

    def test_k_quants_of_any_bits(self):
        """Blocks of ones: scales that are NaN, infinite or beyond float16. Legal or refused, never a crash."""
        whole = (SOURCE / "src/weights/testdata/tiny_k_quants.gguf").read_bytes()
        for pattern in (b"\xff", b"\x7b", b"\x00\x7c"):
            with self.subTest(pattern=pattern):
                half = len(whole) // 2
                self.survives(lambda: self.convert(whole[:half] + (pattern * half)[: len(whole) - half]))

    def test_cut(self):
        for path in self.FIXTURES:
            whole = path.read_bytes()
            for i in range(CUTS if path.stem in ("tiny_q4_0", "tiny_spm") else 0):
                with self.subTest(path.name, i=i):
                    self.refused(lambda: self.convert(whole[: len(whole) * i // CUTS]), "x.gguf")

    def test_header(self):
        for content in (b"", b"GGUF", b"nonsense" * 10, *(b"GGUF" + struct.pack("<IQQ", *numbers) for numbers in ((3, 2**60, 2**60), (99, 0, 0), (3, 0, 0), (3, 2**64 - 1, 0), (3, 0, 4096)))):
            with self.subTest(content=content[:24]):
                self.refused(lambda: self.convert(content), "x.gguf")

    def test_tensors(self):
        name, rank2 = b"blk.0.attn_q.weight", 4 + 8 + 8  # rank, two extents; then type, offset
        other = struct.unpack("<Q", self.WHOLE[(at := self.WHOLE.index(b"blk.0.attn_k.weight") + 19 + rank2 + 4) : at + 8])[0]
        for label, content in {"rank 0": self.patched(name, 0, "<I", 0), "rank 9": self.patched(name, 0, "<I", 9), "a huge rank": self.patched(name, 0, "<I", 2**32 - 1),
                               "no columns": self.patched(name, 4, "<Q", 0), "huge": self.patched(name, 4, "<Q", 2**63), "too many rows": self.patched(name, 12, "<Q", 2**30),
                               "other rows": self.patched(name, 12, "<Q", 16), "unknown type": self.patched(name, rank2, "<I", 77), "another type": self.patched(name, rank2, "<I", 0),
                               "an unread type": self.patched(name, rank2, "<I", 12), "offset outside": self.patched(name, rank2 + 4, "<Q", 2**40), "offset wraps": self.patched(name, rank2 + 4, "<Q", 2**64 - 32),
                               "odd offset": self.patched(name, rank2 + 4, "<Q", 3)}.items():
            with self.subTest(label):
                self.refused(lambda: self.convert(content), "x.gguf", "attn_q")
        self.refused(lambda: self.convert(self.patched(name, rank2 + 4, "<Q", other)), "x.gguf", "overlaps")
        self.refused(lambda: self.convert(self.WHOLE.replace(b"blk.0.attn_q.weight", b"blk.0.attn_k.weight")), "x.gguf", "attn_k")
        self.refused(lambda: self.convert(self.WHOLE.replace(b"blk.0.attn_q.weight", b"blk.7.attn_q.weight")), "x.gguf", "attn_q")

    def test_metadata(self):
        for key, format, value in [(b"llama.block_count", "<I", 0), (b"llama.block_count", "<I", 2**32 - 1), (b"llama.embedding_length", "<I", 0), (b"llama.embedding_length", "<I", 2**31),
                                   (b"llama.attention.head_count", "<I", 0), (b"llama.attention.head_count", "<I", 3), (b"llama.attention.head_count_kv", "<I", 5),
                                   (b"llama.rope.dimension_count", "<I", 2**31), (b"llama.rope.freq_base", "<f", float("nan")), (b"llama.rope.freq_base", "<f", -1.0),
                                   (b"llama.attention.layer_norm_rms_epsilon", "<f", float("nan")), (b"tokenizer.ggml.eos_token_id", "<I", 2**32 - 1), (b"tokenizer.ggml.bos_token_id", "<I", 24)]:
            with self.subTest(key=key, value=value):
                self.refused(lambda: self.convert(self.patched(key, 4, format, value)), "x.gguf", key.decode().split(".")[-1].split("_")[0])
        self.refused(lambda: self.convert(self.patched(b"llama.block_count", 4, "<I", 2)), "x.gguf", "blk.1")
        for key in (b"tokenizer.ggml.tokens", b"tokenizer.ggml.merges", b"tokenizer.ggml.token_type"):
            for count in (0, 1, 2**24 + 1, 2**63):
                with self.subTest(key=key, count=count):
                    self.refused(lambda: self.convert(self.patched(key, 8, "<Q", count)), "x.gguf")
            with self.subTest(key=key):
                self.refused(lambda: self.convert(self.patched(key, 4, "<I", 99)), "x.gguf")

    def test_random_damage(self):
        random.seed(5)
        for i in range(2 * CUTS):
            spoiled = bytearray(self.WHOLE)
            for _ in range(3):
                spoiled[random.randrange(0, 2500)] = random.randrange(256)
            with self.subTest(i=i):
                self.survives(lambda: self.convert(spoiled))

    def test_output_that_cannot_be_written(self):
        for out in ("/dev/null/x", "/proc/x", TINY / "config.json"):
            with self.subTest(out):
                self.refused(lambda: hearth("convert", "--gguf", self.FIXTURES[0], "--mlx-path", out), str(out))

    def test_pointer(self):
        self.refused(lambda: self.convert(POINTER), "x.gguf", "Git LFS")


class Tokenizer(RefusalTest):
    WHOLE = (TINY / "tokenizer.json").read_text()

    def run_with(self, text, prompt="hi"):
        with Copy() as copy:
            (copy.path / "tokenizer.json").write_bytes(text if isinstance(text, bytes) else text.encode())
            return generate("--prompt", prompt, "--max-tokens", 1, model=copy.path)

    def changed(self, **values):
        whole = json.loads(self.WHOLE)
        return json.dumps({**whole, "model": {**whole["model"], **values}})

    def test_cut(self):
        for i in range(CUTS):
            with self.subTest(i=i):
                self.refused(lambda: self.run_with(self.WHOLE[: len(self.WHOLE) * i // CUTS]), "tokenizer.json")

    def test_models(self):
        for label, text in {"no JSON": "{", "merges of nothing": self.changed(merges=["nonsense"]), "merges of the unknown": self.changed(merges=["qqqq zzzz"]),
                            "merges of three": self.changed(merges=[["a", "b", "c"]]), "merges of numbers": self.changed(merges=[[1, 2]]), "merges as a text": self.changed(merges="a b"),
                            "merges into the unknown": self.changed(merges=["\u0120 \u0120\u0120\u0120"]), "empty merges": self.changed(merges=[["", ""]]),
                            "a vocabulary of strings": self.changed(vocab={"a": "b"}), "a vocabulary of fractions": self.changed(vocab={"a": 1.5}), "a list": self.changed(vocab=["a"]),
                            "no model": json.dumps({"version": "1.0"}), "an unknown model": self.changed(type="Nonsense"), "a huge id": self.changed(vocab={"a": 2**40}),
                            "a negative id": self.changed(vocab={"a": -1}), "deep": "[" * 10**6, "not UTF-8": b'{"model": "\xff\xfe"}', "null": "null"}.items():
            with self.subTest(label):
                self.refused(lambda: self.run_with(text), "tokenizer.json")

    def test_steps(self):
        whole = json.loads(self.WHOLE)
        for changes in ({"pre_tokenizer": {"type": "Nonsense"}}, {"pre_tokenizer": 5}, {"normalizer": {"type": "Nonsense"}}, {"decoder": {"type": "Nonsense"}},
                        {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": False}},
                        {"added_tokens": [{"id": -1, "content": "x"}]}, {"added_tokens": [{"id": 2**40, "content": "x"}]}, {"added_tokens": [5]}, {"added_tokens": 5}, {"added_tokens": {}}):
            with self.subTest(changes=str(changes)[:60]):
                self.refused(lambda: self.run_with(json.dumps({**whole, **changes})), "tokenizer.json")
        nested = '{"type": "Sequence", "pretokenizers": [' * 5000 + "]}" * 5000
        self.refused(lambda: self.run_with(self.WHOLE.replace('"pre_tokenizer":', '"pre_tokenizer": ' + nested + ', "unused":', 1)), "tokenizer.json")

    def test_patterns_that_backtrack(self):
        whole = json.loads(self.WHOLE)
        for pattern in ("(a+)+$", "(a|aa)+$", "(a*)*b", "((a{1,100}){1,100}){1,100}b"):
            with self.subTest(pattern=pattern):
                split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
                self.survives(lambda: self.run_with(json.dumps({**whole, "pre_tokenizer": split}), "a" * 1500 + "!"))

    def test_random_damage(self):
        random.seed(7)
        for i in range(CUTS):
            spoiled = bytearray(self.WHOLE.encode())
            for _ in range(3):
                spoiled[random.randrange(len(spoiled))] = random.randrange(256)
            with self.subTest(i=i):
                self.survives(lambda: self.run_with(bytes(spoiled)))

    def test_hostile_tokenizers(self):
        vocabulary = '{"a": 0, "b": 1, "ab": 2}'
        split = '"pre_tokenizer": {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex": "%s"}},'
        bpe = '{%s "model": {"type": "BPE", "vocab": %s, "merges": [%s]}}'
        for label, text, culprit in (("exponential", bpe % (split % "^(a+)+[bc]", vocabulary, ""), "exponential"), ("nested groups", bpe % (split % ("(" * 5000), vocabulary, ""), "nested"),
                                     ("ten million merges", bpe % ("", vocabulary, ",".join(['"a b"'] * 10**7)), "2000000 merges"), ("nonsense", bpe % ("", vocabulary, '"q z",' * 10**6 + '"a b"'), "not in the vocabulary"),
                                     ("nested arrays", "[" * 10**6, "tokenizer.json"), ("nested objects", '{"a":' * 10**6, "nested")):
            with self.subTest(label), Copy() as copy:
                (copy.path / "tokenizer.json").write_text(text)
                self.refused(lambda: hearth("tokenize", "--model", copy.path, "--text", "abc"), culprit)

    def test_damaged_tokenizer_models(self):
        for name in ("tokenizer.model", "qwen.tiktoken"):
            for content in (b"", b"\x00" * 1000, b"\xff" * 1000, b"\x0a\xff\xff\xff\xff\x7f", b"YQ== 99999999999\n", b"nonsense " * 100):
                with self.subTest(name=name, content=content[:8]), Copy() as copy:
                    (copy.path / "tokenizer.json").unlink()
                    (copy.path / name).write_bytes(content)
                    self.refused(lambda: hearth("tokenize", "--model", copy.path, "--text", "abc"), name)

    def test_long_rows_of_one_character(self):
        before = processor_seconds()
        result = hearth("tokenize", "--model", TINY, stdin=b"a" * 8_000_000)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertLess(processor_seconds() - before, 10 * SLOW)


class Template(RefusalTest):
    def run_with(self, source):
        with Copy() as copy:
            config = json.loads((TINY / "tokenizer_config.json").read_text())
            (copy.path / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": source}))
            return generate("--prompt", "hi", "--max-tokens", 1, model=copy.path)

    def test_hostile(self):
        for source in ("{% for i in range(10**9) %}x{% endfor %}", "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
                       "{{ 'x' * 10**10 }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ 1 +", "{% nonsense %}", "{{ raise_exception('no') }}",
                       "{% for i in range(10**18) %}{% endfor %}", "{{ range(10**18) | list }}", "{{ [1] * 10**10 }}", "{{ 9 ** 9 ** 9 }}", "{{ 'x' | center(10**10) }}",
                       "{% set n = namespace(x='a') %}{% for i in range(100) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}", "{% for i in range(10**5) recursive %}{{ loop(range(10**5)) }}{% endfor %}",
                       "{{ " + "(" * 100000, "{% if 1 %}" * 100000, "{{ " + "-" * 100000 + "1 }}", "{{ " + "[" * 5000 + "]" * 5000 + " }}", "{{ '%1000000000d' % 1 }}", "{{ undefined_thing.x.y }}",
                       "{% for i in range(10**4) %}{{ messages | tojson(indent=100000) }}{% endfor %}"):
            with self.subTest(source=source[:60]):
                self.refused(lambda: self.run_with(source), "template")

    def test_that_is_no_template(self):
        for source in (5, [], {"a": 1}, [{"name": "default"}], [{"name": 5, "template": "x"}], True):
            with self.subTest(source=source):
                self.survives(lambda: self.run_with(source))

    def test_tokens_that_do_not_exist(self):
        self.survives(lambda: self.run_with("<|no_such_token|>\U0010ffff{{ '\\x00' }}"))
        self.refused(lambda: self.run_with("{# nothing #}"), "prompt")


if __name__ == "__main__":
    unittest.main()
