#!/usr/bin/env python3
"""What the command says about flags, prompts, configs and folders that are wrong.

Usage: bad_input_test.py path/to/hearth      (standard library only; the model is tests/testdata/tiny)
"""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from hearth_command import HEARTH, TINY, Copy, RefusalTest, generate, hearth

COMMANDS = ("generate", "chat", "bench", "perplexity", "verify", "convert", "tokenize", "template", "parse")


class Flags(RefusalTest):
    def test_of_generate(self):
        for flags, culprit in [(["--max-tokens", "many"], "--max-tokens"), (["--max-tokens", -2], "max"), (["--temp", -1], "temp"), (["--top-p", 2], "top"),
                               (["--min-p", -0.1], "min"), (["--top-k", -1], "top"), (["--threads", 100000], "threads"), (["--nonsense"], "--nonsense"),
                               (["--chat-template-config", "{"], "chat-template-config"), (["--prefill-step-size", 0], "prefill"), (["--temp", "nan"], "temp"),
                               (["--top-logprobs", -1], "logprobs"), (["--xtc-threshold", 0.9], "xtc"), (["--max-kv-size", -5], "kv"),
                               (["--max-tokens", 10**12], "--max-tokens"), (["--max-tokens"], "--max-tokens"), (["--max-tokens", 1.5], "--max-tokens"),
                               (["--temp", "inf"], "temp"), (["--seed", -1], "--seed"), (["--seed", 2**64], "--seed"), (["--threads", -1], "threads"),
                               (["--top-p", "nan"], "top"), (["--logit-bias", "[]"], "--logit-bias"), (["--logit-bias", '{"x": 1}'], "--logit-bias"),
                               (["--logit-bias", '{"99999": 1}'], "99999"), (["--logit-bias", '{"3": 1e999}'], "--logit-bias"),
                               (["--repetition-penalty", -1], "repetition"), (["--repetition-penalty", "nan"], "repetition"), (["--presence-penalty", "inf"], "presence"),
                               (["--repetition-context-size", -1], "repetition"), (["--extra-eos-token", "no such token"], "no such token"), (["--max-tokens", "010"], "max-tokens"), (["--max-kv-size", 4], "max-kv-size"),
                               (["--chat-template-config", "[" * 100000], "chat-template-config"), (["--json", "--top-logprobs", 10**6], "logprobs"),
                               (["--min-tokens-to-keep", -1], "min"), (["--xtc-probability", 2], "xtc"), (["stray"], "stray")]:
            with self.subTest(flags=[str(flag)[:40] for flag in flags]):
                self.refused(lambda: generate("--prompt", "hi", *flags), culprit)

    def test_extremes_that_are_legal(self):
        for flags in (["--threads", 1024], ["--max-kv-size", 2**31 - 1], ["--max-kv-size", 1], ["--prefill-step-size", 2**31 - 1], ["--stop", ""],
                      ["--top-k", 2**31 - 1], ["--temp", 1e-30], ["--temp", 1e30], ["--seed", 2**64 - 1], ["--min-tokens-to-keep", 2**31 - 1],
                      ["--repetition-penalty", 1e-30], ["--logit-bias", '{"3": 1e38}'], ["--repetition-context-size", 2**31 - 1]):
            with self.subTest(flags=flags):
                self.survives(lambda: generate("--prompt", "hi", "--max-tokens", 3, *flags))

    def test_of_other_commands(self):
        for words, culprit in [(["bench", "-p", 0], "prompt"), (["bench", "-g", -1], "generation"), (["bench", "-r", 0], "runs"), (["bench", "--batch", 0], "batch"),
                               (["bench", "--threads", 4096], "threads"), (["bench", "-p", 10**6], "context"), (["verify", "--tokens", 1], "--tokens"),
                               (["verify", "--tokens", 60000], "context"), (["verify", "--isa", "abacus"], "abacus")]:
            with self.subTest(words=words):
                self.refused(lambda: hearth(*words, "--model", TINY), culprit)
        self.refused(lambda: hearth("perplexity", "--model", TINY), "--data-path")
        self.refused(lambda: hearth("perplexity", "--model", TINY, "--data-path", "/no/such/text"), "/no/such/text")
        self.refused(lambda: hearth("perplexity", "--model", TINY, "--data-path", "/"), "regular file")
        self.refused(lambda: hearth("perplexity", "--model", TINY, "--data-path", TINY / "config.json", "--sequence-length", 1), "--sequence-length")
        self.refused(lambda: hearth("convert"), "--gguf")
        self.refused(lambda: hearth("parse", "--format", "abacus"), "abacus")
        self.refused(lambda: hearth("tokenize", "--model", TINY, "--decode", "--text", "[1e9, 2]"), "id")

    def test_unknown_ones_everywhere(self):
        required = {"perplexity": ["--data-path", "x"], "convert": ["--gguf", "x"]}
        for command in COMMANDS:
            with self.subTest(command):
                self.refused(lambda: hearth(command, *required.get(command, []), "--nonsense"), "--nonsense")
        self.refused(lambda: hearth("nonsense"), "nonsense")
        self.refused(lambda: hearth("--nonsense"), "--nonsense")

    def test_environment(self):
        self.refused(lambda: hearth("--version", HEARTH_ISA="abacus"), "abacus")
        self.refused(lambda: generate("--prompt", "hi", HEARTH_ISA="abacus"), "abacus")

    def test_full_disk(self):
        words = [HEARTH, "generate", "--model", str(TINY), "--prompt", "hi", "--json"]
        with open("/dev/full", "w") as full:
            self.refused(lambda: subprocess.run(words, stdout=full, stderr=subprocess.PIPE), "standard output")


class Prompts(RefusalTest):
    def test_that_cannot_be_answered(self):
        self.refused(lambda: generate("--prompt", "", "--ignore-chat-template"), "prompt")
        self.refused(lambda: generate("--prompt", b"\xff\xfe"), "UTF-8")
        self.refused(lambda: generate("--prompt", "-", stdin=b"\xff\xfe"), "UTF-8")
        self.refused(lambda: generate("--prompt", "hi", "--system-prompt", b"\xed\xa0\x80"), "UTF-8")
        self.refused(lambda: generate("--prompt", "x y " * 4000), "2048")
        self.refused(lambda: generate("--prompt", "-", stdin=b"x y " * 1000000), "2048")

    def test_text_for_perplexity(self):
        for content, culprit in [(b"", "fewer than two tokens"), (b"\xff\xfe" * 100, "UTF-8")]:
            with self.subTest(content), tempfile.NamedTemporaryFile(suffix=".txt") as file:
                file.write(content)
                file.flush()
                self.refused(lambda: hearth("perplexity", "--model", TINY, "--data-path", file.name), culprit)


class Config(RefusalTest):
    def test_values(self):
        for changes, culprit in [({"hidden_size": None}, "hidden_size"), ({"hidden_size": 10**18}, "hidden_size"), ({"num_hidden_layers": -1}, "num_hidden_layers"),
                                 ({"num_hidden_layers": 3}, "model.layers.2"), ({"num_attention_heads": 0}, "num_attention_heads"), ({"model_type": "nonsense"}, "nonsense"),
                                 ({"vocab_size": "many"}, "vocab_size"), ({"rms_norm_eps": "x"}, "rms_norm_eps"), ({"quantization": {"group_size": 31, "bits": 4}}, "group_size"),
                                 ({"intermediate_size": 64}, "mlp"), ({"rope_theta": -1.0}, "rope_theta"), ({"num_key_value_heads": 3}, "num_key_value_heads"),
                                 ({"num_hidden_layers": 10**9}, "num_hidden_layers"), ({"num_hidden_layers": 4096}, "model.layers.2"), ({"num_hidden_layers": 1}, "model.layers.1"),
                                 ({"head_dim": -16}, "head_dim"), ({"head_dim": 16.5}, "head_dim"), ({"head_dim": "16"}, "head_dim"),
                                 ({"head_dim": 13}, "head_dim"), ({"head_dim": 12}, "q_proj"), ({"head_dim": 10**9}, "head_dim"), ({"head_dim": float("nan")}, "config.json"),
                                 ({"num_attention_heads": 4096, "head_dim": 256}, "q_proj"), ({"num_attention_heads": 6}, "q_proj"), ({"num_key_value_heads": 0}, "num_key_value_heads"),
                                 ({"vocab_size": 0}, "vocab_size"), ({"vocab_size": -1}, "vocab_size"), ({"vocab_size": 321}, "embed_tokens"), ({"vocab_size": [320]}, "vocab_size"),
                                 ({"rms_norm_eps": -1}, "rms_norm_eps"), ({"rms_norm_eps": None}, "rms_norm_eps"), ({"max_position_embeddings": 0}, "max_position_embeddings"),
                                 ({"max_position_embeddings": 1e300}, "max_position_embeddings"), ({"tie_word_embeddings": "yes"}, "tie_word_embeddings"),
                                 ({"tie_word_embeddings": False}, "lm_head"), ({"model_type": 5}, "model_type"), ({"model_type": None}, "model_type"),
                                 ({"model_type": "x" * 10**6}, "model_type"), ({"attention_bias": True}, "bias"), ({"attention_bias": 2}, "attention_bias"),
                                 ({"layer_types": ["full_attention"]}, "layer_types"), ({"layer_types": ["nonsense"] * 2}, "layer_types"), ({"layer_types": {}}, "layer_types"),
                                 ({"layer_types": ["sliding_attention"] * 2}, "sliding_window"), ({"layer_types": ["sliding_attention"] * 2, "sliding_window": -4}, "sliding_window")]:
            with self.subTest(changes=str(changes)[:80]), Copy() as copy:
                copy.config(**changes)
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), culprit)

    def test_quantization(self):
        for value, culprit in [({"group_size": 32, "bits": 7}, "bits"), ({"group_size": 0, "bits": 8}, "group_size"), ({"group_size": -32, "bits": 8}, "group_size"),
                               ({"bits": 8}, "group_size"), ({"group_size": 32}, "bits"),
                               ({"group_size": "32", "bits": 8}, "group_size"), ({"group_size": 32, "bits": 8.5}, "bits"), (8, "quantization"), ([8], "quantization"),
                               ({"group_size": 32, "bits": 8, "mode": "mystic"}, "mystic"), ({"group_size": 32, "bits": 8, "mode": 3}, "mode"), (None, "quantization"),
                               ({"group_size": 32, "bits": 8, "model.layers.0.mlp.up_proj": False}, "up_proj"),
                               ({"group_size": 32, "bits": 8, "model.layers.0.mlp.up_proj": {"bits": 9, "group_size": 32}}, "bits"),
                               ({"group_size": 32, "bits": 8, "model.layers.0.mlp.up_proj": {"bits": 8, "group_size": 64}}, "up_proj.scales"),
                               ({"group_size": 32, "bits": 8, "model.layers.0.mlp.up_proj": {"bits": 4, "group_size": 32}}, "up_proj.weight")]:
            with self.subTest(value=value), Copy() as copy:
                copy.config(quantization=value)
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), culprit)

    def test_rope_scaling(self):
        for value, culprit in [("yarn", "rope_scaling"), (["yarn"], "rope_scaling"), ({"type": 5}, "type"), ({"rope_type": "nonsense"}, "nonsense"), ({"type": "linear"}, "factor"),
                               ({"type": "linear", "factor": 0}, "factor"), ({"type": "linear", "factor": "2"}, "factor"), ({"type": "yarn"}, "factor"),
                               ({"type": "yarn", "factor": -1}, "factor"), ({"type": "dynamic", "factor": 1e300}, "factor"), ({"type": "llama3", "factor": 8, "low_freq_factor": 9}, "low_freq_factor"),
                               ({"type": "longrope"}, "short_factor"), ({"type": "longrope", "original_max_position_embeddings": 64, "long_factor": [1, 2]}, "long_factor"),
                               ({"type": "su", "original_max_position_embeddings": 64, "long_factor": "x"}, "long_factor"),
                               ({"type": "longrope", "long_factor": [1.0] * 8}, "short_factor"),
                               ({"type": "llama3", "factor": 8, "original_max_position_embeddings": -1}, "original_max_position_embeddings")]:
            with self.subTest(value=value), Copy() as copy:
                copy.config(rope_scaling=value)
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), culprit)

    def test_extremes_that_are_legal(self):
        for changes in ({"eos_token_id": 10**6}, {"eos_token_id": []}, {"eos_token_id": [2] * 60000}, {"rms_norm_eps": 0}, {"rope_theta": 1e15}, {"max_position_embeddings": 1 << 30},
                        {"rope_scaling": {"type": "yarn", "factor": 1e6}}, {"rope_scaling": {"type": "yarn", "factor": 1e-3, "beta_fast": 1e-3, "beta_slow": 1e6}},
                        {"rope_scaling": {"type": "dynamic", "factor": 1e6}}, {"rope_scaling": {"type": "longrope", "long_factor": [1e6] * 8, "original_max_position_embeddings": 1}},
                        {"layer_types": ["sliding_attention"] * 2, "sliding_window": 1}, {"layer_types": ["sliding_attention"] * 2, "sliding_window": 1 << 30}):
            with self.subTest(changes=str(changes)[:80]), Copy() as copy:
                copy.config(**changes)
                self.survives(lambda: generate("--prompt", "hi", "--max-tokens", 3, model=copy.path))

    def test_end_of_sequence(self):
        for value in ("x", [-2], 2**40, [[1]], {"a": 1}, 1.5, True):
            with self.subTest(value=value), Copy() as copy:
                copy.config(eos_token_id=value)
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "eos_token_id")
                copy.config()
                (copy.path / "generation_config.json").write_text(json.dumps({"eos_token_id": value}))
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "generation_config.json", "eos_token_id")

    def test_that_is_no_json(self):
        for text in ("", "{", "[" * 100000, "null", "[]", '{"a": 1e999}', "\xff", '{"a":' * 100000, '{"\x1b[2J', "{} {}", "\x00" * 64):
            with self.subTest(text=text[:10]), Copy() as copy:
                (copy.path / "config.json").write_text(text, encoding="latin-1")
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "config.json")

    def test_generation_config_that_is_no_json(self):
        """Nothing in it is needed: a warning, and the answer."""
        for text in ("", "{", "[" * 100000, "null", "[]", '{"top_p": 0.9,}', '{"top_p": 0,9}', "\xff", '{"\x1b[2J', "\x00" * 64):
            with self.subTest(text=text[:10]), Copy() as copy:
                (copy.path / "generation_config.json").write_text(text, encoding="latin-1")
                for words in (("generate", "--prompt", "hi", "--max-tokens", 2), ("bench", "-p", 4, "-g", 2, "-r", 1)):
                    result = hearth(*words, "--model", copy.path)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assertRegex(result.stderr.decode().splitlines()[0], "^hearth: .*generation_config.json: .*; the file is ignored$")
                    self.assertNotIn(b"\x1b", result.stderr)

    def test_constants_that_python_wrote(self):
        with Copy() as copy:
            copy.config(router_aux_loss_coef=float("nan"), limits=[float("inf"), -float("inf")])
            (copy.path / "generation_config.json").write_text(json.dumps({"temperature": float("nan")}))
            tokenizer = json.loads((TINY / "tokenizer_config.json").read_text())
            (copy.path / "tokenizer_config.json").write_text(json.dumps({**tokenizer, "model_max_length": float("inf")}))
            result = generate("--prompt", "hi", "--max-tokens", 2, "--json", model=copy.path)
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            copy.config(rms_norm_eps=float("nan"))
            self.refused(lambda: generate("--prompt", "hi", model=copy.path), "rms_norm_eps: nan")

    def test_keys_twice(self):
        with Copy() as copy:
            text = (TINY / "config.json").read_text()
            (copy.path / "config.json").write_text(text.replace('"hidden_size": 64', '"hidden_size": 64, "hidden_size": 1000000000000000000'))
            self.survives(lambda: generate("--prompt", "hi", "--max-tokens", 1, model=copy.path))

    def test_terminal_codes_stay_in_the_file(self):
        with Copy() as copy:
            copy.config(model_type="\x1b[2Jx\u2028y\x0bz")
            self.refused(lambda: generate("--prompt", "hi", model=copy.path), "model_type")
            self.assertNotIn(b"\x1b", generate("--prompt", "hi", model=copy.path).stderr)


class Folders(RefusalTest):
    FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "model.safetensors.index.json", "chat_template.jinja")

    def test_absent(self):
        for command in ("generate", "chat", "bench", "verify", "tokenize"):
            self.refused(lambda: hearth(command, "--model", "/no/such/folder"), "/no/such/folder")
        for name in ("", "..", "../..", "a/../b", "no-such-model", "/dev/null", "x" * 5000, b"\xff"):
            with self.subTest(name=name[:20]):
                self.refused(lambda: generate("--prompt", "hi", model=name))

    def test_that_are_none(self):
        """Files, folders of GGUF and cache folders given for a model: the message says what takes them."""
        with Copy() as copy:
            gguf = copy.path.parent / "x.gguf"
            gguf.write_bytes(b"GGUF")
            for command in ("generate", "tokenize", "verify"):
                words = ("--prompt", "hi") if command == "generate" else ()
                self.refused(lambda: hearth(command, "--model", gguf, *words), f"hearth convert --gguf {gguf} --mlx-path x")
                self.refused(lambda: hearth(command, "--model", gguf.parent, *words), f"hearth convert --gguf {gguf} --mlx-path x")
                self.refused(lambda: hearth(command, "--model", copy.path / "model.safetensors", *words), f"--model {copy.path} ")
            repository = copy.path.parent / "models--org--name"
            (repository / "snapshots").mkdir(parents=True)
            self.refused(lambda: generate("--prompt", "hi", model=repository), "was not downloaded")
            shutil.copytree(copy.path, repository / "snapshots/0a1b")
            self.refused(lambda: generate("--prompt", "hi", model=repository), f"--model {repository}/snapshots/0a1b")

    def test_stray_weights_beside_an_index(self):
        with Copy() as copy:
            weights = (copy.path / "model.safetensors").read_bytes()
            (copy.path / "model-00001-of-00001.safetensors").write_bytes(weights)
            (copy.path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": "model-00001-of-00001.safetensors"}}))
            for stray in (weights, b"damaged"):
                (copy.path / "model.safetensors").write_bytes(stray)
                self.assertEqual(generate("--prompt", "hi", "--max-tokens", 2, model=copy.path).returncode, 0)

    def test_missing_files(self):
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            with self.subTest(name=name), Copy() as copy:
                (copy.path / name).unlink()
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), name.split(".")[-1] if name != "tokenizer.json" else "tokenizer")

    def put(self, path, kind):
        path.unlink(missing_ok=True)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "endless link":
            path.symlink_to(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        elif kind == "2 GB of nothing":
            with open(path, "wb") as file:
                file.truncate(2 << 30)

    def test_what_is_no_file(self):
        for name in self.FILES:
            for kind in ("pipe", "folder", "endless link", "device", "2 GB of nothing"):
                if kind == "endless link" and name not in self.FILES[:3]:
                    continue  # the same as no file, which is legal
                with self.subTest(name=name, kind=kind), Copy() as copy:
                    self.put(copy.path / name, kind)
                    self.refused(lambda: generate("--prompt", "hi", model=copy.path), "tokenizer" if name.startswith("tokenizer") else "safetensors" if name == "model.safetensors" else name)

    def test_index(self):
        for files, culprit in [(["../../../../etc/passwd"], "etc/passwd"), (["/etc/passwd"], "etc/passwd"), (["model.safetensors", "model-00002-of-00002.safetensors"], "model-00002-of-00002"), (["absent.safetensors"], "absent"),
                               ([".."], ".."), ([""], "index"), (["."], "."), ([f"model-{i}.safetensors" for i in range(20000)], "index")]:
            with self.subTest(files=files[0]), Copy() as copy:
                index = {"metadata": {"total_size": 1}, "weight_map": {f"x{i}": file for i, file in enumerate(files)}}
                (copy.path / "model.safetensors.index.json").write_text(json.dumps(index))
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "index.json", culprit)
        for text in ("{", "[" * 100000, '{"weight_map":' * 1000, ""):
            with self.subTest(text=text[:10]), Copy() as copy:
                (copy.path / "model.safetensors.index.json").write_text(text)
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "index.json")

    def test_the_same_tensors_in_two_files(self):
        with Copy() as copy:
            shutil.copy(TINY / "model.safetensors", copy.path / "model-2.safetensors")
            self.refused(lambda: generate("--prompt", "hi", model=copy.path), "model.safetensors", "also in")


if __name__ == "__main__":
    unittest.main()
