#!/usr/bin/env python3
"""Compares `hearth generate` with transformers on random small models, in what mlx-lm reads otherwise or not at all: every
way a config may say its rope, the functions of hidden_act, Qwen's and Mistral's windows.

    python tools/compare_transformers.py [--hearth build/release/hearth] [--models 100] [--seed 1]

Hearth answers a prompt greedily with its log-probabilities; transformers reads the same tokens in float32. Exit status 1
if any probability above 1e-4 is off by more than 0.002 nat. Needs transformers, torch, safetensors and tokenizers.

transformers takes longrope's short factors as long as the sequence is not longer than the original length, Hearth the
long ones at every position where the context is longer (docs/models.md): those models are made with equal factors, or with a
context of the original length. And transformers scales `dynamic` by the length of the whole prompt, Hearth by the
token's own place: those are compared within the length that is not scaled and one token at a time beyond.
"""
import argparse
import json
import logging
import math
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers.activations import ACT2FN

ROOT = pathlib.Path(__file__).resolve().parent.parent
TINY = ROOT / "tests/testdata/tiny"
TOLERANCE = 2e-3  # nat
WORDS = "the quick brown fox jumps over a lazy dog while gravity and the warm hearth why is sky blue 12 7 é ß 火".split()
LEARNED = {"prelu", "xielu"}  # refused by name
transformers.logging.set_verbosity_error()
logging.disable()


def random_parameters(rng, pairs, length):
    kind = rng.choice(["default", "linear", "dynamic", "llama3", "yarn", "yarn", "longrope", "proportional"])
    says = {}
    original = rng.choice([None, length // 4, length // 2])
    if kind != "default":
        says["factor"] = rng.choice([2.0, 4, 8.5])
    if kind == "llama3":
        says |= {"low_freq_factor": rng.choice([1.0, 0.5]), "high_freq_factor": rng.choice([4.0, 2.5])}
    if kind == "yarn":
        for key, values in (("truncate", [True, False]), ("beta_fast", [16, 32, 0]), ("beta_slow", [1, 2]), ("mscale", [0.7, 1, 0]), ("mscale_all_dim", [0.4, 1.0]),
                            ("attention_factor", [0.9])):
            if rng.random() < 0.25:
                says[key] = rng.choice(values)
        if original and rng.random() < 0.2:
            says["factor"] = None
    if kind == "longrope":
        factors = [[round(rng.uniform(1, 4), 3) for _ in range(pairs)] for _ in range(2)]
        says |= {"short_factor": factors[0], "long_factor": factors[0] if original else factors[1]}
        if rng.random() < 0.5:
            del says["factor"]
    if kind == "proportional":
        says["partial_rotary_factor"] = rng.choice([0.25, 0.5, 0.8, 1.0])
    if kind in ("llama3", "yarn", "longrope") and original:
        says["original_max_position_embeddings"] = original
    if rng.random() < 0.6:
        says["rope_theta"] = rng.choice([500.0, 10000.0, 1e6])
    keys = [{"rope_type": kind}, {"type": kind}, {"rope_type": kind, "type": "linear"}]
    return rng.choice(keys[:1] if kind == "proportional" else keys) | says


def random_config(rng):
    family = rng.choice(["llama", "mistral", "qwen2", "qwen3"])
    kv_heads, head_dim, length = rng.choice([1, 2]), rng.choice([8, 16, 32, 64]), rng.choice([64, 256, 512])
    heads = kv_heads * rng.choice([1, 2, 3])
    config = {
        "model_type": family, "hidden_size": heads * head_dim, "num_hidden_layers": rng.randint(1, 3), "intermediate_size": 32 * rng.randint(1, 4),
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "rms_norm_eps": 1e-5, "vocab_size": 320, "max_position_embeddings": length,
        "tie_word_embeddings": rng.random() < 0.5, "eos_token_id": 319, "bos_token_id": 1,
    }
    if family == "qwen3" or rng.random() < 0.3:
        config["head_dim"] = head_dim
    if rng.random() < 0.5:
        config["rope_theta"] = rng.choice([500.0, 10000.0, 1e6])
    if rng.random() < 0.85:
        config["rope_scaling" if rng.random() < 0.5 else "rope_parameters"] = random_parameters(rng, head_dim // 2, length)
        if rng.random() < 0.15:
            config.setdefault("rope_scaling", {})
        if rng.random() < 0.15:
            config.setdefault("rope_parameters", {"rope_type": "default", "rope_theta": 123.0})
    if rng.random() < 0.6:
        config["hidden_act"] = rng.choice(sorted(set(ACT2FN) - LEARNED))
    if family == "mistral":
        config["sliding_window"] = rng.choice([None, 8, 20])
    if family.startswith("qwen") and rng.random() < 0.6:
        config["use_sliding_window"] = rng.random() < 0.8
        if rng.random() < 0.8:
            config |= {"sliding_window": rng.choice([None, 8, 20]), "max_window_layers": rng.randint(0, config["num_hidden_layers"])}
    return config


def random_model(rng, config):
    says = json.loads(json.dumps(config))
    model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(says.pop("model_type"), **says), attn_implementation="eager")
    model = model.float().eval()
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    gain = rng.choice([1.0, 2.0])
    for path, value in model.named_parameters():
        if path.endswith("norm.weight"):
            value.data.uniform_(0.5, 1.5, generator=generator)
        else:
            value.data.normal_(generator=generator).mul_(0.3 if path.endswith(".bias") else gain * value.shape[-1] ** -0.5)
    return model


def save(folder, config, model):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TINY / name, folder / name)
    tensors = {path: value.detach().clone() for path, value in model.state_dict().items() if not (config["tie_word_embeddings"] and path == "lm_head.weight")}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config, indent=1))


def log_softmax(config, model, tokens):
    ids = torch.tensor(tokens)[None]
    with torch.no_grad():
        if model.config.rope_parameters["rope_type"] != "dynamic":
            return torch.log_softmax(model(ids).logits[0], -1)
        cache = transformers.DynamicCache(config=model.config)
        rows = [model(ids[:, t : t + 1], past_key_values=cache, use_cache=True).logits[0] for t in range(len(tokens))]
        return torch.log_softmax(torch.cat(rows), -1)


def compare(args, rng, folder):
    config = random_config(rng)
    model = random_model(rng, config)
    save(folder, config, model)
    prompt = " ".join(rng.choice(WORDS) for _ in range(rng.choice([1, 5, 20])))
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(prompt).ids
    ids = ids[: config["max_position_embeddings"] // 2]
    prompt = Tokenizer.from_file(str(folder / "tokenizer.json")).decode(ids, skip_special_tokens=False)
    command = [args.hearth, "generate", "--model", str(folder), "--ignore-chat-template", "--prompt", prompt, "--max-tokens", "24", "--json", "--top-logprobs", "5"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)
    if done.returncode != 0:
        return f"hearth failed: {done.stderr.strip()}", config, 0.0
    answer = json.loads(done.stdout)
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(prompt).ids
    right = log_softmax(config, model, ids + answer["tokens"])
    off = 0.0
    for place, entry in enumerate(answer["logprobs"], len(ids) - 1):
        for token, logprob in entry["top"]:
            if max(float(right[place, token]), logprob) > math.log(1e-4):
                off = max(off, abs(logprob - float(right[place, token])))
    return "" if off <= TOLERANCE else f"off by {off:.5f} nat", config, off


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", default=str(ROOT / "build/release/hearth"))
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    failures, worst = 0, 0.0
    for index in range(args.models):
        with tempfile.TemporaryDirectory() as folder:
            difference, config, off = compare(args, random.Random(f"{args.seed} {index}"), pathlib.Path(folder))
        worst = max(worst, off)
        if difference:
            failures += 1
            print(f"model {index}: {difference}\n  {json.dumps(config)}", flush=True)
    print(f"{args.models} models, {failures} different; at most {worst:.5f} nat off")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
