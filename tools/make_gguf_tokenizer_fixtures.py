#!/usr/bin/env python3
"""Makes src/weights/testdata/gguf_tokenizers.json: a small vocabulary whose merges cross every boundary a splitting rule may
draw, texts, and llama.cpp's tokens of them under one name of each rule.

Needs: tools/requirements.txt.      Usage: tools/make_gguf_tokenizer_fixtures.py
"""
import json
import pathlib
import tempfile

import llama_cpp
from compare_gguf_tokenizers import TEXTS, write_tiny
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

OUT = pathlib.Path(__file__).parent.parent / "src/weights/testdata/gguf_tokenizers.json"
RULES = ["gpt-2", "smollm", "llama-bpe", "smaug-bpe", "qwen2", "deepseek-r1-qwen", "qwen35", "seed-coder", "deepseek-llm", "deepseek-coder", "deepseek-v3",
         "falcon", "default"]  # not tekken: llama.cpp's form of its regular expression leaves out marks, Mistral's own does not


def train():
    """Byte-level BPE of whole texts: nothing is split before merging, so that a rule's splits are what makes the difference."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    pieces = [text[i : i + 6] for text in TEXTS for i in range(0, len(text), 3)]
    tokenizer.train_from_iterator(pieces, trainers.BpeTrainer(vocab_size=1400, special_tokens=["<|end|>"], show_progress=False, min_frequency=1,
                                                            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return {"tokens": tokens, "types": [3] + [1] * (len(tokens) - 1), "merges": [" ".join(pair) for pair in model["merges"]], "bos": 0}


def tokens_of(vocabulary, rule):
    with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
        write_tiny(file.name, vocabulary, rule)
        llama = llama_cpp.Llama(file.name, vocab_only=True, verbose=False)
        return [llama.tokenize(text.encode(), add_bos=False, special=True) for text in TEXTS]


if __name__ == "__main__":
    vocabulary = train()
    rules = {rule: tokens_of(vocabulary, rule) for rule in RULES}
    content = {**{key: vocabulary[key] for key in ("tokens", "types", "merges")}, "texts": TEXTS, "rules": rules}
    OUT.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
