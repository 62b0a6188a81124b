#!/usr/bin/env python3
"""Converted GGUF tokenizers split text as llama.cpp does under each name of a rule.

Usage: gguf_tokenizer_test.py path/to/hearth      (standard library only; src/weights/testdata/gguf_tokenizers.json holds a
small vocabulary, texts, and llama.cpp's tokens of them)
"""
import json
import pathlib
import struct
import tempfile
import unittest

from hearth_command import SOURCE, hearth

FIXTURE = json.loads((SOURCE / "src/weights/testdata/gguf_tokenizers.json").read_text())


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(item):
    """A metadata value: whole numbers as uint32, lists of strings or of int32."""
    if isinstance(item, bool):
        return struct.pack("<I?", 7, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, str):
        return struct.pack("<I", 8) + string(item)
    if isinstance(item[0], str):
        return struct.pack("<IIQ", 9, 8, len(item)) + b"".join(map(string, item))
    return struct.pack("<IIQ", 9, 5, len(item)) + struct.pack(f"<{len(item)}i", *item)


def gguf(rule):
    """A model of one layer with weights of zero and the fixture's vocabulary."""
    size = 32
    metadata = {"general.architecture": "llama", "llama.context_length": 128, "llama.embedding_length": size, "llama.block_count": 1,
                "llama.feed_forward_length": size, "llama.attention.head_count": 2, "llama.attention.layer_norm_rms_epsilon": 1e-5,
                "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": rule, "tokenizer.ggml.tokens": FIXTURE["tokens"],
                "tokenizer.ggml.token_type": FIXTURE["types"], "tokenizer.ggml.merges": FIXTURE["merges"],
                "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.eos_token_id": 0, "tokenizer.ggml.add_bos_token": False}
    shapes = {"token_embd": (size, len(FIXTURE["tokens"])), "output_norm": (size,), "blk.0.attn_norm": (size,), "blk.0.ffn_norm": (size,)}
    shapes |= {f"blk.0.{name}": (size, size) for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")}
    text, offset = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(metadata)), 0
    for key, item in metadata.items():
        text += string(key) + value(item)
    for name, shape in shapes.items():
        text += string(name + ".weight") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        offset += 4 * size * (shape[1] if len(shape) == 2 else 1)
    return text + bytes(-len(text) % 32) + bytes(offset)


class SplittingRules(unittest.TestCase):
    def test_split_as_llama_cpp_does(self):
        lines = "".join(json.dumps(text) + "\n" for text in FIXTURE["texts"]).encode()
        for rule, expected in FIXTURE["rules"].items():
            with self.subTest(rule), tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "x.gguf"
                path.write_bytes(gguf(rule))
                converted = hearth("convert", "--gguf", path, "--mlx-path", f"{folder}/model")
                self.assertEqual(converted.returncode, 0, converted.stderr)
                answer = hearth("tokenize", "--model", f"{folder}/model", "--no-special", "--jsonl", stdin=lines)
                self.assertEqual(answer.returncode, 0, answer.stderr)
                for text, ids, line in zip(FIXTURE["texts"], expected, answer.stdout.splitlines(), strict=True):
                    self.assertEqual(json.loads(line)["ids"], ids, text)


if __name__ == "__main__":
    unittest.main()
