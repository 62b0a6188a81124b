#!/usr/bin/env python3
"""What transformers makes of model configs, where mlx-lm reads them differently or not at all:

    src/nn/testdata/rope_transformers.json    frequencies and attention factor for the ways a config may say its rope
    src/nn/testdata/activations.json          every function that hidden_act may name
    src/models/testdata/<name>/               tiny random models with transformers' logits, as make_fixtures.py's

Needs transformers, torch and safetensors. Writes the same files every time.
    tools/make_transformers_fixtures.py
"""
import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers.activations import ACT2FN
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

SOURCE = Path(__file__).resolve().parent.parent / "src"
BASE = {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2, "max_position_embeddings": 512}
YARN = {"rope_type": "yarn", "factor": 4.0}
PAIRS = 8

ROPES = [  # model type, what the config says
    ("llama", {}),
    ("qwen2", {}),
    ("qwen3", {"head_dim": 16, "rope_theta": 1e6}),
    ("llama", {"rope_scaling": {"rope_theta": 500.0, "rope_type": "default"}}),
    ("mistral", {"rope_scaling": {"rope_theta": 700.0, "type": "default"}, "rope_theta": 10000.0}),
    ("qwen2", {"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}, "rope_theta": 10000.0}),
    ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 3.0}, "rope_theta": 2e4}),
    ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 2.0}, "rope_parameters": {"rope_type": "default", "rope_theta": 77.0}}),
    ("llama", {"rope_scaling": {}, "rope_parameters": {"rope_type": "default", "rope_theta": 77.0}}),
    ("llama", {"rope_scaling": {"rope_type": "linear", "type": "llama3", "factor": 2.5}}),
    ("llama", {"rope_scaling": YARN}),
    ("qwen2", {"rope_scaling": {"type": "yarn", "factor": 8.0, "rope_theta": 3e4}}),
    ("qwen3", {"head_dim": 16, "rope_scaling": YARN | {"truncate": False}}),
    ("llama", {"rope_scaling": YARN | {"truncate": False, "original_max_position_embeddings": 64, "beta_fast": 16, "beta_slow": 2}}),
    ("llama", {"rope_scaling": YARN | {"original_max_position_embeddings": 64}, "original_max_position_embeddings": 128}),
    ("llama", {"rope_scaling": YARN | {"factor": None, "original_max_position_embeddings": 64}}),
    ("llama", {"rope_scaling": YARN | {"mscale": 0.7}}),
    ("llama", {"rope_scaling": YARN | {"mscale_all_dim": 1.0}}),
    ("llama", {"rope_scaling": YARN | {"mscale": 0.7, "mscale_all_dim": 0.4}}),
    ("llama", {"rope_scaling": YARN | {"attention_factor": 0.9, "mscale": 0.7, "mscale_all_dim": 0.4}}),
    ("llama", {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}}),
    ("llama", {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}}),
    ("llama", {"rope_scaling": {"rope_type": "longrope", "short_factor": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7], "long_factor": [2.0] * PAIRS}}),
    ("llama", {"rope_scaling": {"rope_type": "longrope", "factor": 6.0, "short_factor": [1.0] * PAIRS, "long_factor": [1.5, 2, 3, 4, 5, 6, 7, 8.0],
                                "original_max_position_embeddings": 64}}),
    ("llama", {"rope_scaling": {"rope_type": "longrope", "short_factor": [1.0] * PAIRS, "long_factor": [1.5, 2, 3, 4, 5, 6, 7, 8.0]},
               "original_max_position_embeddings": 128}),
    ("llama", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 5000.0}}),
    ("llama", {"partial_rotary_factor": 0.5}),
    ("llama", {"rope_parameters": {"rope_type": "proportional", "partial_rotary_factor": 0.4, "rope_theta": 9000.0}}),
    ("llama", {"rope_parameters": {"rope_type": "proportional", "factor": 2.0}, "partial_rotary_factor": 0.75}),
]
KINDS = {"full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e6}, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}


def rope_case(model_type, says, layer_type=None):
    config = transformers.AutoConfig.for_model(model_type, **json.loads(json.dumps(BASE | says)))
    parameters = config.rope_parameters[layer_type] if layer_type else config.rope_parameters
    kind = parameters["rope_type"]
    if kind == "default":
        dims = config.hidden_size // config.num_attention_heads
        inverse, factor = 1.0 / (parameters["rope_theta"] ** (torch.arange(0, dims, 2, dtype=torch.float) / dims)), 1.0
    else:
        # A context beyond the original length has the long factors at every position; otherwise the sequence's length.
        length = config.max_position_embeddings if kind == "longrope" else None
        inverse, factor = ROPE_INIT_FUNCTIONS[kind](config, seq_len=length, layer_type=layer_type)
    case = {"config": BASE | says, "mscale": float(factor), "inverse": inverse.tolist()}
    return case | ({"layer_type": layer_type} if layer_type else {})


def check_default_ropes():
    """The default rope is the model's own code, not a function of ROPE_INIT_FUNCTIONS: that it is what rope_case says."""
    for model_type, says in ROPES:
        config = transformers.AutoConfig.for_model(model_type, **json.loads(json.dumps(BASE | says)))
        if config.rope_parameters["rope_type"] == "default":
            module = __import__(f"transformers.models.{model_type}.modeling_{model_type}", fromlist=["x"])
            rotary = getattr(module, {"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3"}[model_type] + "RotaryEmbedding")(config)
            assert rotary.inv_freq.tolist() == rope_case(model_type, says)["inverse"], says


def make_ropes():
    check_default_ropes()
    cases = [rope_case(*rope) for rope in ROPES]
    for layer_type in KINDS:
        for where in ("rope_parameters", "rope_scaling"):
            cases.append(rope_case("qwen2", {"layer_types": ["full_attention", "sliding_attention"], where: KINDS}, layer_type))
    (SOURCE / "nn/testdata/rope_transformers.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


def make_activations():
    x = torch.cat([torch.linspace(-6, 6, 49), torch.tensor([-30.0, -12.5, 12.5, 30.0])])
    learned = {"prelu", "xielu"}
    functions = {name: ACT2FN[name](x.double()).tolist() for name in ACT2FN if name not in learned}
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps([float(f'{v:.9g}') for v in values])}" for name, values in functions.items())
    (SOURCE / "nn/testdata/activations.json").write_text(f'{{"x": {json.dumps(x.tolist())}, "functions": {{\n{text}\n}}}}\n')


TINY = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "vocab_size": 64,
        "max_position_embeddings": 64, "tie_word_embeddings": True}
MODELS = {  # what config.json says, tokens
    "llama_relu": (TINY | {"model_type": "llama", "num_hidden_layers": 1, "hidden_act": "relu"}, 64),
    "mistral_gelu": (TINY | {"model_type": "mistral", "num_hidden_layers": 1, "hidden_act": "gelu", "sliding_window": 16}, 64),
    "qwen2_late_windows": (TINY | {"model_type": "qwen2", "num_hidden_layers": 2, "use_sliding_window": True, "max_window_layers": 1, "sliding_window": 12}, 64),
    "llama_yarn_in_parameters": (TINY | {"model_type": "llama", "num_hidden_layers": 1, "max_position_embeddings": 32, "rope_theta": 10000.0,
                                         "rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 500.0, "truncate": False}}, 64),
}
LAST = 48  # rows of logits that are kept


def randomise(model):
    """As make_fixtures.py: weights with which positions and attention matter."""
    for path, value in model.named_parameters():
        if path.endswith("norm.weight"):
            value.data.uniform_(0.5, 1.5)
        else:
            gain = 0.3 if path.endswith(".bias") else (2.0 if "q_proj" in path or "k_proj" in path else 1.0) * value.shape[-1] ** -0.5
            value.data.normal_().mul_(gain)


def make_model(name):
    says, length = MODELS[name]
    torch.manual_seed(sum(name.encode()))
    config = transformers.AutoConfig.for_model(says["model_type"], **json.loads(json.dumps({k: v for k, v in says.items() if k != "model_type"})))
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    randomise(model)
    tokens = torch.randint(0, says["vocab_size"], (length,))
    with torch.no_grad():
        logits = model(tokens[None]).logits[0, -LAST:]
    folder = SOURCE / "models/testdata" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(says, indent=2) + "\n")
    weights = {path: value.detach().clone() for path, value in model.state_dict().items() if path != "lm_head.weight"}
    save_file(weights, folder / "model.safetensors", metadata={"format": "mlx"})
    save_file({"tokens": tokens.to(torch.int32), "logits": logits.contiguous()}, folder / "reference.safetensors")
    print(name, sum(f.stat().st_size for f in folder.iterdir()) // 1024, "KB; largest logit", round(logits.abs().max().item(), 2))


if __name__ == "__main__":
    make_ropes()
    make_activations()
    for name in MODELS:
        make_model(name)
