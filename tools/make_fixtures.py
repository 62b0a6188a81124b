#!/usr/bin/env python3
"""Tiny random models with mlx-lm's logits for them: src/models/testdata/<name>/.

Each folder is a model in MLX's format (config.json, model.safetensors) and reference.safetensors: `tokens` int32 [T],
`logits` float32 [N, V] for the last N tokens. Logits are always computed in float32, from the dequantized weights where
the model is quantized or stored in 16 bits. And src/nn/testdata/rope.json: mlx-lm's frequencies for every rope scaling.

Needs mlx and mlx-lm (tools/requirements.txt). Writes the same files every time.
    tools/make_fixtures.py [NAME ...]
"""

import json
import shutil
import sys
from pathlib import Path

import mlx.core as mx
from mlx.utils import tree_flatten, tree_map
from mlx_lm.models.rope_utils import initialize_rope
from mlx_lm.utils import _get_classes, quantize_model

SOURCE = Path(__file__).resolve().parent.parent / "src"
FOLDER = SOURCE / "models" / "testdata"
LLAMA = dict(
    model_type="llama", hidden_size=32, num_hidden_layers=2, intermediate_size=64, num_attention_heads=4,
    num_key_value_heads=2, rms_norm_eps=1e-5, vocab_size=64, rope_theta=10000.0, max_position_embeddings=64,
    tie_word_embeddings=True,
)
QWEN2 = LLAMA | dict(model_type="qwen2", rms_norm_eps=1e-6, rope_theta=1000000.0)
QWEN3 = LLAMA | dict(model_type="qwen3", rms_norm_eps=1e-6, head_dim=16, rope_theta=1000000.0)
ONE_LAYER = dict(num_hidden_layers=1)


def rope(kind, **values):
    return LLAMA | ONE_LAYER | dict(rope_scaling={"rope_type": kind} | values)


MIXED = {  # of layers whose type is not the model's
    "layers.0.self_attn.k_proj.weight": mx.float32, "layers.0.mlp.gate_proj.weight": mx.float32,
    "layers.1.self_attn.v_proj.weight": mx.bfloat16, "layers.1.mlp.up_proj.weight": mx.bfloat16,
    "layers.1.input_layernorm.weight": mx.float32, "norm.weight": mx.bfloat16,
}

# name: (config, stored dtype, quantization or None, tokens)
MODELS = {
    "llama": (LLAMA, mx.float32, None, 64),
    "llama_untied_biased": (
        LLAMA | dict(head_dim=16, attention_bias=True, mlp_bias=True, tie_word_embeddings=False, rope_traditional=True),
        mx.float32, None, 48),
    "llama_llama3": (
        rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16),
        mx.float32, None, 64),
    "llama_linear": (rope("linear", factor=4.0), mx.float32, None, 64),
    "llama_dynamic": (rope("dynamic", factor=2.0) | dict(max_position_embeddings=24), mx.float32, None, 64),
    "llama_yarn": (rope("yarn", factor=4.0, original_max_position_embeddings=16), mx.float32, None, 64),
    "llama_longrope": (
        rope("longrope", short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.0, 1.5, 2.5, 4.0],
             original_max_position_embeddings=16), mx.float32, None, 64),
    "llama_layer_types": (
        LLAMA | dict(layer_types=["sliding_attention", "full_attention"], sliding_window=24), mx.float32, None, 96),
    "mistral_window": (LLAMA | dict(model_type="mistral", sliding_window=16), mx.float32, None, 290),
    "llama_head_dim_10": (LLAMA | dict(head_dim=10), mx.float32, None, 48),
    "qwen2": (QWEN2 | dict(tie_word_embeddings=False), mx.float32, None, 48),
    "qwen3": (QWEN3, mx.float32, None, 48),
    "llama_4bit": (LLAMA, mx.float32, dict(group_size=32, bits=4), 48),
    "llama_4bit_float16": (LLAMA, mx.float16, dict(group_size=32, bits=4, layers={"model.embed_tokens": 8}), 48),
    "qwen3_mixed_bfloat16": (
        QWEN3, mx.bfloat16,
        dict(group_size=32, bits=4, layers={"self_attn.v_proj": 6, "mlp.down_proj": 3, "self_attn.o_proj": False}), 48),
    "qwen2_bfloat16": (QWEN2, mx.bfloat16, None, 48),
    "llama_mixed_types": (LLAMA, mx.float16, None, 48),
}
LAST = 48  # rows of logits that are kept


def randomise(model):
    """Weights with which positions and attention matter: scores of a few units, norms and biases away from 1 and 0."""

    def value(path, old):
        if path.endswith("norm.weight") or "layernorm" in path:
            return mx.random.uniform(0.5, 1.5, old.shape)
        if path.endswith(".bias"):
            return 0.3 * mx.random.normal(old.shape)
        gain = 2.0 if "q_proj" in path or "k_proj" in path else 1.0
        return gain * old.shape[-1] ** -0.5 * mx.random.normal(old.shape)

    model.load_weights([(path, value(path, old)) for path, old in tree_flatten(model.parameters())])


def quantize(model, config, quantization):
    if quantization is None:
        return model, config
    layers = quantization.get("layers", {})

    def predicate(path, module):
        for name, bits in layers.items():
            if path.endswith(name):
                return bits and dict(group_size=quantization["group_size"], bits=bits)
        return True

    return quantize_model(model, config, quantization["group_size"], quantization["bits"], quant_predicate=predicate)


def float32_logits(model, config, weights, tokens):
    """The logits of all tokens, one piece, or one token at a time where mlx-lm's rope depends on the chunks."""
    model.load_weights(list(weights.items()))
    model.update(tree_map(lambda p: p.astype(mx.float32) if mx.issubdtype(p.dtype, mx.floating) else p,
                          model.parameters()))
    if config["model_type"] == "mistral":  # mlx-lm only knows windows through layer_types, one of which must be full
        for layer in model.model.layers:
            layer.use_sliding = True
        model.model.swa_idx, model.model.sliding_window = 0, config["sliding_window"]
    ids = mx.array(tokens)[None]
    if config.get("rope_scaling", {}).get("rope_type") != "dynamic":
        return model(ids)[0]
    cache = model.make_cache()
    return mx.concatenate([model(ids[:, t : t + 1], cache=cache)[0] for t in range(len(tokens))])


def make(name):
    config, dtype, quantization, length = MODELS[name]
    mx.random.seed(sum(name.encode()))
    mx.set_default_device(mx.cpu)
    classes, args = _get_classes(config)
    model = classes(args.from_dict(config))
    randomise(model)
    model.set_dtype(dtype)
    model, stored_config = quantize(model, config, quantization)
    weights = dict(tree_flatten(model.parameters()))
    if name.endswith("mixed_types"):
        weights |= {f"model.{layer}": weights[f"model.{layer}"].astype(kind) for layer, kind in MIXED.items()}
    tokens = mx.random.randint(0, config["vocab_size"], (length,)).tolist()

    reference = classes(args.from_dict(config))
    reference, _ = quantize(reference, config, quantization)  # the same layers, whose values are then replaced
    logits = float32_logits(reference, config, weights, tokens)[-LAST:]

    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(stored_config, indent=2) + "\n")
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    mx.save_safetensors(str(folder / "reference.safetensors"),
                        {"tokens": mx.array(tokens, mx.int32), "logits": logits.astype(mx.float32)})
    print(name, sum(f.stat().st_size for f in folder.iterdir()) // 1024, "KB; largest logit",
          round(mx.abs(logits).max().item(), 2))


ROPES = [  # dims, config
    (64, dict(rope_theta=10000.0)),
    (128, dict(rope_theta=1000000.0, rope_scaling=dict(type="linear", factor=4.0))),
    (128, dict(rope_theta=500000.0, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=8192))),
    (64, dict(rope_theta=500000.0, rope_scaling=dict(
        rope_type="llama3", factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=8192))),
    (128, dict(rope_theta=1000000.0, rope_scaling=dict(
        type="yarn", factor=4.0, original_max_position_embeddings=32768))),
    (64, dict(rope_theta=10000.0, rope_scaling=dict(
        type="yarn", factor=40.0, original_max_position_embeddings=4096, beta_fast=32, beta_slow=1, mscale=0.707,
        mscale_all_dim=1.0))),
    (96, dict(rope_theta=10000.0, max_position_embeddings=131072, rope_scaling=dict(
        type="longrope", original_max_position_embeddings=4096, short_factor=[1.0 + 0.01 * i for i in range(48)],
        long_factor=[1.0 + 0.5 * i for i in range(48)]))),
    (64, dict(max_position_embeddings=2048, rope_theta=10000.0, rope_scaling=dict(rope_type="dynamic", factor=2.0))),
]


def make_rope():
    """mlx-lm's numbers in the terms of mx.fast.rope: a pair turns by position / freq, the rotated part grows by mscale."""
    cases = []
    for dims, config in ROPES:
        base, scaling = config["rope_theta"], config.get("rope_scaling")
        rope = initialize_rope(dims, base, False, scaling, config.get("max_position_embeddings"))
        plain = base ** (mx.arange(0, dims, 2, dtype=mx.float32) / dims)
        freqs = getattr(rope, "_freqs", plain / getattr(rope, "scale", 1.0))
        mscale = getattr(rope, "mscale", getattr(rope, "_scale", 1.0))
        case = dict(dims=dims, config=config, mscale=mscale, position=0, freqs=freqs.tolist())
        cases.append(case)
        if scaling and scaling.get("rope_type") == "dynamic":  # its formula, for a token beyond the original length
            length = config["max_position_embeddings"]
            grown = base * (scaling["factor"] * 5001 / length - (scaling["factor"] - 1)) ** (dims / (dims - 2))
            freqs = grown ** (mx.arange(0, dims, 2, dtype=mx.float32) / dims)
            cases.append(case | dict(position=5000, freqs=freqs.tolist()))
    path = SOURCE / "nn" / "testdata" / "rope.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print("rope", len(cases), "cases")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        make_rope()
    for name in sys.argv[1:] or MODELS:
        make(name)
