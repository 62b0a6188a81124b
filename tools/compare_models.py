#!/usr/bin/env python3
"""Compares `hearth generate` with mlx-lm on random small models: families, shapes, biases, rope scalings, sliding windows,
tied and untied heads, float types, and quantizations that differ from layer to layer.

    python tools/compare_models.py [--hearth build/release/hearth] [--models 200] [--seed 1]

Every model is saved in MLX's format, in one or more files, beside the tests' tokenizer. Hearth answers a prompt greedily
with its log-probabilities; mlx-lm reads the same tokens in one piece, in float32 on the dequantized weights and in the
model's own type. Exit status 1 if any probability above 1e-4 is off by more than 0.002 nat, and in 16 bits by more than
0.02 nat and three times as much as mlx-lm is. Needs mlx and mlx-lm (tools/requirements.txt).
"""
import argparse
import importlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_map, tree_unflatten
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent
TINY = ROOT / "tests/testdata/tiny"
TOLERANCE = {"float32": 2e-3, "float16": 0.02, "bfloat16": 0.02}  # nat
WORDS = "the quick brown fox jumps over a lazy dog while gravity and the warm hearth why is sky blue 12 7 é ß 火".split()


def random_scaling(rng, head_dim, length):
    kind = rng.choice(["none", "none", "default", "linear", "llama3", "yarn", "longrope"])
    key = rng.choice(["type", "rope_type"])
    if kind == "none":
        return None
    if kind == "default":
        return {key: "default"}
    if kind == "linear":
        return {key: "linear", "factor": rng.choice([2.0, 4, 8.5])}
    if kind == "llama3":
        return {key: "llama3", "factor": rng.choice([8.0, 32.0]), "low_freq_factor": 1.0, "high_freq_factor": rng.choice([4.0, 2.5]),
                "original_max_position_embeddings": rng.choice([64, 256, 8192])}
    if kind == "yarn":
        scaling = {key: "yarn", "factor": rng.choice([4.0, 16.0]), "original_max_position_embeddings": rng.choice([64, 2048])}
        if rng.random() < 0.4:
            scaling |= {"beta_fast": 16, "beta_slow": 2, "mscale": 0.8, "mscale_all_dim": 0.3}
        return scaling
    factors = [round(rng.uniform(1, 3), 3) for _ in range(head_dim // 2)]
    return {key: "longrope", "long_factor": factors, "short_factor": factors, "original_max_position_embeddings": length // 4}


def random_config(rng):
    family = rng.choice(["llama", "llama", "mistral", "qwen2", "qwen3"])
    kv_heads, layers, length = rng.choice([1, 2, 3]), rng.randint(1, 4), rng.choice([512, 2048])
    heads = kv_heads * rng.choice([1, 2, 3, 4, 7])
    head_dim = rng.choice([4, 10, 16, 32, 64, 80, 100, 128])
    config = {
        "model_type": family, "hidden_size": rng.choice([32, 64, 96, 128, 192]), "num_hidden_layers": layers, "intermediate_size": 32 * rng.randint(1, 9),
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": head_dim, "rms_norm_eps": rng.choice([1e-5, 1e-6]),
        "vocab_size": rng.choice([320, 333, 512]), "rope_theta": rng.choice([10000.0, 500000, 1e6]), "max_position_embeddings": length,
        "tie_word_embeddings": rng.random() < 0.5, "bos_token_id": 1, "eos_token_id": 319,
    }
    if family in ("llama", "mistral", "qwen2"):
        config["rope_traditional"] = rng.random() < 0.2
    scaling = random_scaling(rng, head_dim, length)
    if scaling and scaling.get("type", scaling.get("rope_type")) == "longrope":
        config["rope_traditional"] = False  # mlx-lm ignores it there
    if scaling or rng.random() < 0.3:
        config["rope_scaling"] = scaling
    if family == "qwen2":  # has no head_dim of its own
        del config["head_dim"]
        heads = config["num_attention_heads"] = config["num_key_value_heads"] * rng.choice([1, 2, 4])
        config["hidden_size"] = heads * head_dim
    if family in ("llama", "mistral"):
        config["attention_bias"] = rng.random() < 0.3
        config["mlp_bias"] = rng.random() < 0.3
        if rng.random() < 0.3:
            kinds = ["full_attention"] + [rng.choice(["full_attention", "sliding_attention"]) for _ in range(layers - 1)]
            config |= {"layer_types": rng.sample(kinds, layers), "sliding_window": rng.choice([8, 33, 100])}
        if family == "llama" and rng.random() < 0.2:
            del config["head_dim"]
            config["hidden_size"] = heads * head_dim
    return config


def random_model(rng, config):
    family = {"mistral": "llama"}.get(config["model_type"], config["model_type"])
    module = importlib.import_module(f"mlx_lm.models.{family}")
    model = module.Model(module.ModelArgs.from_dict(config))
    mx.random.seed(rng.randrange(2**31))
    gain = rng.choice([1.0, 2.0, 3.0])

    def spread(path, x):
        if path.endswith("norm.weight") or "layernorm" in path:
            return mx.random.uniform(0.5, 1.5, x.shape)
        return mx.random.normal(x.shape) * (gain / x.shape[-1] ** 0.5 if x.ndim == 2 else 0.3)

    model.update(tree_unflatten([(path, spread(path, x)) for path, x in tree_flatten(model.parameters())]))
    return model


def quantize(rng, config, model):
    """Quantizes all, some or no layers; the entries of config.json that say so, and the files' tensors with them."""
    if rng.random() < 0.2:
        return
    group, bits = rng.choice([32, 64, 128]), rng.choice([2, 3, 4, 4, 4, 5, 6, 8])
    entries = {"group_size": group, "bits": bits}
    if rng.random() < 0.3:
        entries["mode"] = "affine"
    mixed = rng.random() < 0.4

    def choose(path, layer):
        if not hasattr(layer, "to_quantized"):
            return False
        own_group, own_bits = group, bits
        if mixed and rng.random() < 0.5:
            own_group, own_bits = rng.choice([32, 64]), rng.choice([2, 3, 4, 5, 6, 8])
        if layer.weight.shape[-1] % own_group != 0 or (mixed and rng.random() < 0.2):
            if mixed:
                entries[path] = False
            return False
        if (own_group, own_bits) == (group, bits):
            return True
        entries[path] = {"group_size": own_group, "bits": own_bits}
        return {"group_size": own_group, "bits": own_bits}

    nn.quantize(model, group_size=group, bits=bits, class_predicate=choose)
    config["quantization"] = entries
    if rng.random() < 0.5:
        config["quantization_config"] = entries


def save(rng, folder, config, model, dtype):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TINY / name, folder / name)
    tensors = {path: x.astype(dtype) if mx.issubdtype(x.dtype, mx.floating) else x for path, x in tree_flatten(model.parameters())}
    if config["model_type"] in ("llama", "mistral") and rng.random() < 0.2:
        for layer in range(config["num_hidden_layers"]):
            tensors[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = mx.zeros((4,))
    names = list(tensors)
    parts = rng.choice([1, 1, 1, 2, 3])
    if parts == 1:
        mx.save_safetensors(str(folder / "model.safetensors"), tensors, metadata={"format": "mlx"})
    else:
        rng.shuffle(names)
        where = {}
        for part in range(parts):
            file = f"model-{part + 1:05d}-of-{parts:05d}.safetensors"
            chosen = names[part::parts]
            mx.save_safetensors(str(folder / file), {name: tensors[name] for name in chosen}, metadata={"format": "mlx"})
            where |= {name: file for name in chosen}
        index = {"metadata": {"total_size": sum(tensors[name].nbytes for name in names)}, "weight_map": where}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text(json.dumps(config, indent=1))


def reference(model, dtype):
    """The model in float32, on the weights that the files have."""
    def widen(layer):
        if isinstance(layer, (nn.QuantizedLinear, nn.QuantizedEmbedding)):
            weight = mx.dequantize(layer.weight, layer.scales.astype(dtype), layer.biases.astype(dtype), layer.group_size, layer.bits).astype(mx.float32)
            if isinstance(layer, nn.QuantizedEmbedding):
                plain = nn.Embedding(*weight.shape)
            else:
                plain = nn.Linear(weight.shape[1], weight.shape[0], bias="bias" in layer)
                if "bias" in layer:
                    plain.bias = layer.bias
            plain.weight = weight
            return plain
        return layer

    leaves = [(path, widen(layer)) for path, layer in tree_flatten(model.leaf_modules(), is_leaf=nn.Module.is_module)]
    model.update_modules(tree_unflatten(leaves))
    model.update(tree_map(lambda x: x.astype(dtype).astype(mx.float32), model.parameters()))
    return model


def log_softmax(model, tokens):
    logits = model(mx.array(tokens)[None])[0].astype(mx.float32)
    return np.array(logits - mx.logsumexp(logits, axis=-1, keepdims=True))


def compare(args, rng, folder):
    """What the models differ by, and what they were."""
    config = random_config(rng)
    model = random_model(rng, config)
    dtype_name = rng.choice(["float32", "float32", "float16", "bfloat16"])
    dtype = getattr(mx, dtype_name)
    quantize(rng, config, model)
    save(rng, folder, config, model, dtype)
    prompt = " ".join(rng.choice(WORDS) for _ in range(rng.choice([1, 5, 20, 90])))
    command = [args.hearth, "generate", "--model", str(folder), "--ignore-chat-template", "--prompt", prompt, "--max-tokens", str(rng.choice([8, 40])),
               "--json", "--top-logprobs", "5", "--prefill-step-size", str(rng.choice([1, 16, 64, 512]))]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)
    described = json.dumps(config) + f" {dtype_name}"
    if done.returncode != 0:
        return f"hearth failed: {done.stderr.strip()}", described
    answer = json.loads(done.stdout)
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(prompt).ids
    if answer["prompt_tokens"] != len(ids):
        return f"{answer['prompt_tokens']} prompt tokens instead of {len(ids)}", described
    tokens = ids + answer["tokens"]
    model.update(tree_map(lambda x: x.astype(dtype) if mx.issubdtype(x.dtype, mx.floating) else x, model.parameters()))
    own = log_softmax(model, tokens)
    right = log_softmax(reference(model, dtype), tokens)
    off = own_off = 0.0
    for place, entry in enumerate(answer["logprobs"], len(ids) - 1):
        for token, logprob in entry["top"]:
            if max(right[place, token], logprob) > np.log(1e-4):
                off = max(off, abs(logprob - float(right[place, token])))
                own_off = max(own_off, abs(float(own[place, token] - right[place, token])))
    allowed = max(TOLERANCE[dtype_name], 3 * own_off if dtype_name != "float32" else 0)
    return "" if off <= allowed else f"off by {off:.5f} nat, mlx-lm by {own_off:.5f}", described, dtype_name, off


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", default=str(ROOT / "build/release/hearth"))
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    failures, worst = 0, dict.fromkeys(TOLERANCE, 0.0)
    for index in range(args.models):
        with tempfile.TemporaryDirectory() as folder:
            difference, described, *numbers = compare(args, random.Random(f"{args.seed} {index}"), pathlib.Path(folder))
        if numbers:
            worst[numbers[0]] = max(worst[numbers[0]], numbers[1])
        if difference:
            failures += 1
            print(f"model {index}: {difference}\n  {described}", flush=True)
    print(f"{args.models} models, {failures} different; at most " + ", ".join(f"{v:.5f} nat off in {k}" for k, v in worst.items()))
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
