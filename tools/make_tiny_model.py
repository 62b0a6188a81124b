#!/usr/bin/env python3
"""The model of the end-to-end tests: random weights, a real byte-level tokenizer with a chat template. About 60 KB.

Needs the packages of tools/requirements.txt.      Usage: make_tiny_model.py tests/testdata/tiny
"""
import json
import pathlib
import sys

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.models import llama
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

TEXT = ["the quick brown fox jumps over the lazy dog", "what is gravity and why is the sky blue", "Once upon a time there was a warm hearth"] * 4
TEMPLATE = ("{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
CONFIG = dict(model_type="llama", hidden_size=64, num_hidden_layers=2, intermediate_size=128, num_attention_heads=4, num_key_value_heads=2, rms_norm_eps=1e-5,
              vocab_size=320, rope_theta=10000.0, max_position_embeddings=2048, tie_word_embeddings=True, eos_token_id=2, bos_token_id=1)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=CONFIG["vocab_size"], special_tokens=[AddedToken(t, special=True, normalized=False) for t in specials],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(tokenizer_class="PreTrainedTokenizerFast", bos_token="<|im_start|>", eos_token="<|im_end|>",
                                                                  chat_template=TEMPLATE)))
    mx.random.seed(11)
    model = llama.Model(llama.ModelArgs.from_dict(CONFIG))
    nn.quantize(model, group_size=32, bits=8)
    model.apply(lambda x: x.astype(mx.bfloat16) if mx.issubdtype(x.dtype, mx.floating) else x)
    mx.save_safetensors(str(folder / "model.safetensors"), dict(tree_flatten(model.parameters())), metadata={"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(CONFIG | dict(torch_dtype="bfloat16", quantization={"group_size": 32, "bits": 8}), indent=1))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
