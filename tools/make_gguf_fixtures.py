#!/usr/bin/env python3
"""Makes src/weights/testdata: tiny GGUFs of every type and architecture that `hearth convert` takes, with the values the gguf
package dequantizes them to, a split one, and the merges transformers derives from a SentencePiece vocabulary.

Needs: tools/requirements.txt.      Usage: tools/make_gguf_fixtures.py
"""
import json
import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from transformers.convert_slow_tokenizer import generate_merges

OUT = pathlib.Path(__file__).parent.parent / "src/weights/testdata"
HIDDEN, FFN, HEADS, KV_HEADS, VOCAB, CONTEXT = 32, 64, 2, 1, 24, 128
HEAD = HIDDEN // HEADS
TOKENS = ["<|end|>", "<|start|>", "<|user|>"] + list("abcdefghijklmno") + ["Ġ", "Ġa", "ab", "abc", "Ġab", "no"]
MERGES = ["Ġ a", "a b", "ab c", "Ġa b", "n o"]
TYPES = [3, 3, 4] + [1] * (VOCAB - 3)


def permute(weights, heads):
    """llama.cpp's order of the rows of q and k (convert_hf_to_gguf.py)."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def llama3_factors(theta, factor=8.0, low=1.0, high=4.0, original=8192):
    """The divisors llama.cpp stores as rope_freqs.weight."""
    wavelengths = 2 * np.pi * theta ** (np.arange(0, HEAD, 2) / HEAD)
    smooth = (original / wavelengths - low) / (high - low)
    medium = 1 / ((1 - smooth) / factor + smooth)
    return np.where(wavelengths < original / high, 1, np.where(wavelengths > original / low, factor, medium)).astype(np.float32)


# ggml's K-quants: where the float16 scales lie in a block.
K_SCALES = {Type.Q2_K: (80, 82), Type.Q3_K: (108,), Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208,)}


class Writer:
    def __init__(self, name, tokenizer="gpt2", pre="smollm", tokens=TOKENS, architecture="llama", layers=1, ffn=FFN, **options):
        self.rng = np.random.default_rng(7)
        self.writer = gguf.GGUFWriter(OUT / f"{name}.gguf", architecture, **options)
        self.interleaved, self.ffn, self.architecture = architecture == "llama", ffn, architecture
        w = self.writer
        w.add_context_length(CONTEXT)
        w.add_embedding_length(HIDDEN)
        w.add_block_count(layers)
        w.add_feed_forward_length(ffn)
        w.add_head_count(HEADS)
        w.add_head_count_kv(KV_HEADS)
        w.add_layer_norm_rms_eps(1e-5)
        w.add_rope_freq_base(10000.0)
        w.add_rope_dimension_count(HEAD)
        w.add_tokenizer_model(tokenizer)
        if tokenizer == "gpt2":
            w.add_tokenizer_pre(pre)
            w.add_token_list(tokens)
            w.add_token_types(TYPES)
            w.add_token_merges(MERGES)
            w.add_eos_token_id(0)
            w.add_bos_token_id(1)
            w.add_chat_template("{{ messages[0]['content'] }}<|end|>")

    def matrix(self, name, rows, columns, kind, heads=0):
        """Writes a random matrix; returns what it is worth once quantized, in Hugging Face's order of rows."""
        values = self.rng.normal(size=(rows, columns)).astype(np.float32)
        stored = gguf.quants.quantize(permute(values, heads) if heads and self.interleaved else values, kind)
        raw = kind if kind not in (Type.F32, Type.F16) else None
        self.writer.add_tensor(name, stored, raw_dtype=raw)
        return gguf.quants.dequantize(gguf.quants.quantize(values, kind), kind)

    def random_blocks(self, name, rows, columns, kind):
        """Writes a matrix of any bits at all, since the gguf package reads K-quants and does not make them."""
        size = gguf.quants.GGML_QUANT_SIZES[kind][1]
        blocks = self.rng.integers(0, 256, (rows, columns // 256, size), dtype=np.uint8)
        for at in K_SCALES[kind]:
            scales = self.rng.normal(scale=0.01, size=blocks.shape[:2]).astype(np.float16)
            blocks[..., at : at + 2] = scales.view(np.uint8).reshape(*blocks.shape[:2], 2)
        self.writer.add_tensor(name, blocks.reshape(rows, -1), raw_dtype=kind)
        return gguf.quants.dequantize(blocks.reshape(rows, -1), kind)

    def vector(self, name, size, heads=0):
        values = self.rng.normal(size=size).astype(np.float32)
        self.writer.add_tensor(name, permute(values, heads) if heads and self.interleaved else values)
        return values

    def layers(self, kind, bias=False):
        """All tensors of a model of one layer; returns q_proj and down_proj, and q_proj's bias."""
        self.matrix("token_embd.weight", VOCAB, HIDDEN, kind)
        self.vector("output_norm.weight", HIDDEN)
        return self.layer(0, kind, bias)

    def layer(self, index, kind, bias=False, down=None):
        expected = []
        for name, rows, columns, heads in [("attn_q", HIDDEN, HIDDEN, HEADS), ("attn_k", HEAD * KV_HEADS, HIDDEN, KV_HEADS),
                                           ("attn_v", HEAD * KV_HEADS, HIDDEN, 0), ("attn_output", HIDDEN, HIDDEN, 0),
                                           ("ffn_gate", self.ffn, HIDDEN, 0), ("ffn_up", self.ffn, HIDDEN, 0), ("ffn_down", HIDDEN, self.ffn, 0)]:
            full = f"blk.{index}.{name}.weight"
            k_quant = name == "ffn_down" and down is not None
            values = self.random_blocks(full, rows, columns, down) if k_quant else self.matrix(full, rows, columns, kind, heads)
            if name in ("attn_q", "ffn_down"):
                expected.append(values)
            if bias and name in ("attn_q", "attn_k", "attn_v"):
                values = self.vector(f"blk.{index}.{name}.bias", rows, heads)
                if name == "attn_q":
                    expected.append(values)
        for name in ("attn_norm", "ffn_norm"):
            self.vector(f"blk.{index}.{name}.weight", HIDDEN)
        if self.architecture == "qwen3":
            for name in ("attn_q_norm", "attn_k_norm"):
                expected.append(self.vector(f"blk.{index}.{name}.weight", HEAD))
        return np.concatenate([values.reshape(-1) for values in expected]).astype(np.float32)

    def close(self):
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()


def every_type():
    for kind in (Type.F32, Type.F16, Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0):
        model = Writer(f"tiny_{kind.name.lower()}")
        model.layers(kind).tofile(OUT / f"tiny_{kind.name.lower()}.expected")
        model.close()


def everything_else():
    """A head of its own, biases, Llama 3's frequencies, an end-of-turn token, a rule that adds a beginning token."""
    model = Writer("tiny_llama3", pre="llama-bpe")
    model.writer.add_eot_token_id(2)
    model.writer.add_tensor("rope_freqs.weight", llama3_factors(10000.0))
    model.matrix("output.weight", VOCAB, HIDDEN, Type.Q8_0)
    model.layers(Type.Q4_0, bias=True).tofile(OUT / "tiny_llama3.expected")
    model.close()


def yarn():
    """A stretched context whose rotated part is scaled too, and a token that ends a turn by its name alone."""
    model = Writer("tiny_yarn", tokens=[*TOKENS[:2], "<|im_end|>", *TOKENS[3:]])
    w = model.writer
    w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    w.add_rope_scaling_factor(4.0)
    w.add_rope_scaling_orig_ctx_len(CONTEXT // 4)
    w.add_rope_scaling_attn_factors(0.5)
    model.layers(Type.Q4_0)
    model.close()


def k_quants():
    """A layer for each of them, in down_proj alone: rows must have 256 numbers. What is expected is its first 8 rows."""
    model = Writer("tiny_k_quants", layers=len(K_SCALES), ffn=256)
    model.matrix("token_embd.weight", VOCAB, HIDDEN, Type.Q4_0)
    model.vector("output_norm.weight", HIDDEN)
    expected = [model.layer(i, Type.Q4_0, down=kind)[HIDDEN * HIDDEN :][: 8 * 256] for i, kind in enumerate(K_SCALES)]
    np.concatenate(expected).tofile(OUT / "tiny_k_quants.expected")
    model.close()


def other_architectures():
    """Rows of q and k in Hugging Face's order, biases on q, k and v; a norm over each head of q and k."""
    for architecture, bias in (("qwen2", True), ("qwen3", False)):
        model = Writer(f"tiny_{architecture}", pre="qwen2", architecture=architecture)
        if architecture == "qwen3":
            model.writer.add_key_length(HEAD)
            model.writer.add_value_length(HEAD)
        model.layers(Type.Q8_0, bias=bias).tofile(OUT / f"tiny_{architecture}.expected")
        model.close()


def split():
    """tiny_q4_0 in three files, the first without tensors as some publish them."""
    model = Writer("tiny_split", split_max_tensors=6, small_first_shard=True)
    model.layers(Type.Q4_0)
    model.close()


def sentencepiece():
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    words = ["▁a", "ab", "▁ab", "abc", "▁abc", "bc", "cd", "▁▁", "▁▁▁", "日本", "本語", "日本語", "▁", "a", "b", "c", "d", "日", "本", "語"]
    kinds = [2, 3, 3] + [6] * 256 + [1] * len(words)
    scores = [0.0] * 259 + [-float(i) for i in range(len(words))]
    scores[259 + 4] = scores[259 + 3]  # equal scores are ordered by the lengths of the parts
    tokens = pieces + words
    model = Writer("tiny_spm", tokenizer="llama")
    for add, value in ((model.writer.add_token_list, tokens), (model.writer.add_token_scores, scores), (model.writer.add_token_types, kinds),
                       (model.writer.add_bos_token_id, 1), (model.writer.add_eos_token_id, 2), (model.writer.add_unk_token_id, 0)):
        add(value)
    global VOCAB
    VOCAB = len(tokens)
    model.layers(Type.Q4_1)
    model.close()
    skip = pieces
    merges = generate_merges({t: i for i, t in enumerate(tokens)}, dict(zip(tokens, scores)), skip)
    (OUT / "tiny_spm.merges.json").write_text(json.dumps(merges, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    every_type()
    everything_else()
    yarn()
    k_quants()
    other_architectures()
    split()
    sentencepiece()
