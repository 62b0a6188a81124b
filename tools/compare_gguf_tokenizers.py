#!/usr/bin/env python3
"""Compares the tokenizers that `hearth convert` makes of a GGUF with llama.cpp's own, for every name of a splitting rule.

The vocabulary and merges of --gguf (byte-level BPE of a real model) go into a tiny GGUF for each name; its conversion must
give llama.cpp's tokens, in Hearth and in the tokenizers library, for texts in many scripts and for random mixtures of
their words. llama.cpp normalizes no text: where a rule has NFC the texts are in that form. Under tekken they differ in texts
with marks, which llama.cpp's form of the regular expression leaves out of words and Mistral's own does not.

Needs: tools/requirements.txt.      Usage: tools/compare_gguf_tokenizers.py --hearth build/release/hearth --gguf qwen2.gguf
"""
import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unicodedata

import gguf
import llama_cpp
import numpy as np
from tokenizers import Tokenizer

TEXTS = """\
Hello, world! It's 2024; I'll pay $1,234.56 (or 99%) — won't you?
|def f(x):\n    return {'a': [1, 2, 3], "b": x**2}  # comment\n\n\n\tif x != y: pass
|#include <iostream>\r\nint main() { std::cout << "x\\n"; }\r\n\r\n
|WHAT'S THIS? it'S odd'LL  two  spaces   three    four \n \n\n trailing   
|naïve façade Ünïcödé ÀÉÎ straße Œuvre ﬁne ﬂow ǅ
|Привет, как дела? Это тест 12345 чисел. Ёлка
|Γειά σου Κόσμε, Ελλάδα 42
|你好，世界！这是一个测试。今天是2024年1月1日。
|日本語のテキスト、カタカナとひらがな。「引用」…
|안녕하세요 세계! 한국어 텍스트 123
|مرحبا بالعالم ١٢٣ نص عربي
|שלום עולם, זה מבחן
|नमस्ते दुनिया १२३ हिन्दी पाठ
|ภาษาไทย ทดสอบ ๑๒๓
|😀 emoji 👩‍👩‍👧‍👦 test 🇩🇪 ❤️ ✓ ✗
|a\u00a0b\u2003c\u3000d\u200be\ufefff\u2028g
|1 12 123 1234 12345 123456 ½ ² Ⅷ ① 3.14e-10 0xFF
|!!! ??? ... --- *** ### @@@ $$$ %%% ^^^ &&& ((( ))) [[[ ]]] {{{ }}} <<< >>> ||| ~~~ ``` ///
|https://example.com/path?q=1&r=2#frag user@mail.com C:\\dir\\file
|snake_case camelCase PascalCase kebab-case SCREAMING_CASE x1y2z3""".split("\n|")


def rules():
    source = pathlib.Path(__file__).parent.parent / "src/weights/gguf_tokenizer.cpp"
    table = source.read_text().split("splitting_rules() {")[1].split("return table")[0]
    return sorted({name for names in re.findall(r"add\(\{(\"[^}]*)\}", table) for name in re.findall(r'"([^"]+)"', names)})


def texts(seed):
    rng = random.Random(seed)
    whole = list(TEXTS)
    words = [word for text in whole for word in re.findall(r"\s+|\S+", text)]
    for _ in range(200):
        whole.append("".join(word if rng.random() < 0.7 else word[: rng.randint(1, len(word))] for word in rng.choices(words, k=rng.randint(1, 30))))
    return [unicodedata.normalize("NFC", text) for text in whole]


def write_tiny(path, vocabulary, rule):
    w = gguf.GGUFWriter(path, "llama")
    w.add_context_length(128)
    w.add_embedding_length(32)
    w.add_block_count(1)
    w.add_feed_forward_length(32)
    w.add_head_count(2)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre(rule)
    w.add_token_list(vocabulary["tokens"])
    w.add_token_types(vocabulary["types"])
    w.add_token_merges(vocabulary["merges"])
    w.add_bos_token_id(vocabulary["bos"])
    w.add_eos_token_id(vocabulary["bos"])
    w.add_add_bos_token(False)
    w.add_tensor("token_embd.weight", np.zeros((len(vocabulary["tokens"]), 32), np.float16))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        w.add_tensor(f"{name}.weight", np.zeros(32, np.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        w.add_tensor(f"blk.0.{name}.weight", np.zeros((32, 32), np.float16))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def compare(hearth, vocabulary, rule, lines):
    with tempfile.TemporaryDirectory() as folder:
        path, model = f"{folder}/m.gguf", f"{folder}/m"
        write_tiny(path, vocabulary, rule)
        subprocess.run([hearth, "convert", "--gguf", path, "--mlx-path", model], check=True, capture_output=True)
        llama = llama_cpp.Llama(path, vocab_only=True, verbose=False)
        library = Tokenizer.from_file(f"{model}/tokenizer.json")
        ours = subprocess.run([hearth, "tokenize", "--model", model, "--no-special", "--jsonl"], check=True, capture_output=True, text=True,
                              input="".join(json.dumps(line) + "\n" for line in lines)).stdout.splitlines()
        bad = []
        for line, mine in zip(lines, ours, strict=True):
            expected = llama.tokenize(line.encode(), add_bos=False, special=True)
            found = json.loads(mine)["ids"], library.encode(line, add_special_tokens=False).ids
            if any(ids != expected for ids in found):
                bad.append((line, [vocabulary["tokens"][i] for i in expected], *([vocabulary["tokens"][i] for i in ids] for ids in found)))
        return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", required=True)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--rules", nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    fields = gguf.GGUFReader(args.gguf).fields
    vocabulary = {"tokens": fields["tokenizer.ggml.tokens"].contents(), "types": fields["tokenizer.ggml.token_type"].contents(),
                  "merges": fields["tokenizer.ggml.merges"].contents(), "bos": fields["tokenizer.ggml.bos_token_id"].contents()}
    lines, failed = texts(args.seed), False
    for rule in args.rules or rules():
        bad = compare(args.hearth, vocabulary, rule, lines)
        print(f"{rule}: {len(lines) - len(bad)} of {len(lines)} equal", flush=True)
        for line, expected, mine, theirs in bad[:3]:
            print(f"  {line!r}\n    llama.cpp  {expected}\n    hearth     {mine}\n    tokenizers {theirs}")
        failed |= bool(bad)
    sys.exit(failed)


if __name__ == "__main__":
    main()
