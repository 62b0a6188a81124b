#!/usr/bin/env python3
"""Twins of one shape with random weights, for speed comparisons only: an MLX folder (affine 4-bit, group 64, bfloat16) and a Q4_0 GGUF.

Shapes are Llama-3.2-1B's and Llama-3.1-8B's with SmolLM2's vocabulary, so that one tokenizer serves every program.
Needs the packages of tools/requirements.txt.      Usage: make_twins.py {1b|8b} SMOLLM2.gguf SMOLLM2_MLX_DIR OUT_DIR
"""
import json
import pathlib
import shutil
import sys

import gguf
import mlx.core as mx
import numpy as np

VOCABULARY = 49152
# layers, hidden, feed-forward, heads, key/value heads
SHAPES = {"1b": (16, 2048, 8192, 32, 8), "8b": (32, 4096, 14336, 32, 8)}
# MLX name, GGUF name, (rows, columns) in terms of hidden e, feed-forward f, key/value width kv
PROJECTIONS = [
    ("self_attn.q_proj", "attn_q", lambda e, f, kv: (e, e)),
    ("self_attn.k_proj", "attn_k", lambda e, f, kv: (kv, e)),
    ("self_attn.v_proj", "attn_v", lambda e, f, kv: (kv, e)),
    ("self_attn.o_proj", "attn_output", lambda e, f, kv: (e, e)),
    ("mlp.gate_proj", "ffn_gate", lambda e, f, kv: (f, e)),
    ("mlp.up_proj", "ffn_up", lambda e, f, kv: (f, e)),
    ("mlp.down_proj", "ffn_down", lambda e, f, kv: (e, f)),
]


def write_mlx(shape, tokenizer_folder, out):
    layers, e, f, heads, kv_heads = shape
    rng = np.random.default_rng(0)
    tensors = {"model.norm.weight": mx.ones((e,), mx.bfloat16)}

    def add(path, rows, columns):
        scale = rng.uniform(0.0035, 0.0052, (rows, columns // 64)).astype(np.float32)
        tensors[path + ".weight"] = mx.array(rng.integers(0, 2**32, (rows, columns // 8), dtype=np.uint32))
        tensors[path + ".scales"] = mx.array(scale).astype(mx.bfloat16)
        tensors[path + ".biases"] = mx.array(-7.5 * scale).astype(mx.bfloat16)

    add("model.embed_tokens", VOCABULARY, e)
    for i in range(layers):
        for name, _, size in PROJECTIONS:
            add(f"model.layers.{i}.{name}", *size(e, f, e // heads * kv_heads))
        for norm in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"model.layers.{i}.{norm}.weight"] = mx.ones((e,), mx.bfloat16)
    out.mkdir(parents=True)
    mx.save_safetensors(str(out / "model.safetensors"), tensors, metadata={"format": "mlx"})
    config = dict(model_type="llama", hidden_size=e, num_hidden_layers=layers, intermediate_size=f, num_attention_heads=heads, num_key_value_heads=kv_heads,
                  rms_norm_eps=1e-5, vocab_size=VOCABULARY, rope_theta=500000.0, max_position_embeddings=131072, tie_word_embeddings=True,
                  torch_dtype="bfloat16", quantization={"group_size": 64, "bits": 4}, eos_token_id=2, bos_token_id=1)
    (out / "config.json").write_text(json.dumps(config, indent=2))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer_folder / name, out)


def write_gguf(shape, vocabulary_gguf, out):
    layers, e, f, heads, kv_heads = shape
    rng = np.random.default_rng(0)
    fields = gguf.GGUFReader(vocabulary_gguf).fields
    w = gguf.GGUFWriter(str(out), "llama")
    w.add_name("twin")
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)  # OpenVINO refuses a file without it
    w.add_context_length(131072)
    w.add_embedding_length(e)
    w.add_block_count(layers)
    w.add_feed_forward_length(f)
    w.add_head_count(heads)
    w.add_head_count_kv(kv_heads)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_freq_base(500000.0)
    w.add_rope_dimension_count(e // heads)
    w.add_vocab_size(VOCABULARY)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("smollm")
    w.add_token_list(fields["tokenizer.ggml.tokens"].contents())
    w.add_token_merges(fields["tokenizer.ggml.merges"].contents())
    w.add_token_types(fields["tokenizer.ggml.token_type"].contents())
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)

    def add(name, rows, columns):
        noise = rng.standard_normal((rows, columns), dtype=np.float32) * 0.02
        w.add_tensor(name, gguf.quants.quantize(noise, gguf.GGMLQuantizationType.Q4_0), raw_dtype=gguf.GGMLQuantizationType.Q4_0)

    add("token_embd.weight", VOCABULARY, e)
    w.add_tensor("output_norm.weight", np.ones(e, np.float32))
    for i in range(layers):
        for _, name, size in PROJECTIONS:
            add(f"blk.{i}.{name}.weight", *size(e, f, e // heads * kv_heads))
        for norm in ("attn_norm", "ffn_norm"):
            w.add_tensor(f"blk.{i}.{norm}.weight", np.ones(e, np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    size, vocabulary, tokenizer, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
    write_gguf(SHAPES[size], vocabulary, folder / f"{size}-q4_0.gguf")
    write_mlx(SHAPES[size], tokenizer, folder / f"{size}-mlx-4bit")
