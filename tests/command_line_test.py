#!/usr/bin/env python3
"""The command as a user meets it: its JSON, its streams, its exit codes, and what it says about bad input.

Usage: command_line_test.py path/to/hearth      (standard library only; the model is tests/testdata/tiny)
"""
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HEARTH = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "build/release/hearth"
TINY = pathlib.Path(__file__).resolve().parent / "testdata/tiny"
SLOW = float(os.environ.get("HEARTH_TEST_SLOWNESS", "1"))  # sanitizers need longer


def hearth(*arguments, stdin=b"", timeout=60):
    return subprocess.run([HEARTH, *(a if isinstance(a, bytes) else str(a) for a in arguments)], input=stdin, capture_output=True, timeout=timeout)


def generate(*arguments, model=TINY, **options):
    return hearth("generate", "--model", model, *arguments, **options)


class Copy:
    """A copy of the tiny model that a test may spoil."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "model"
        shutil.copytree(TINY, self.path)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def config(self, **changes):
        config = json.loads((TINY / "config.json").read_text())
        for key, value in changes.items():
            if value is None:
                del config[key]
            else:
                config[key] = value
        (self.path / "config.json").write_text(json.dumps(config))


    def template(self, source):
        config = json.loads((TINY / "tokenizer_config.json").read_text())
        (self.path / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": source}))


TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]


class Tools(unittest.TestCase):
    def setUp(self):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump(TOOLS, self.file)
        self.file.flush()
        self.addCleanup(self.file.close)

    def test_json_tells_the_answers_parts(self):
        with Copy() as copy:
            # The prompt ends inside the thinking, so whatever the model says is reasoning.
            copy.template("{{ tools[0].function.name if tools }}{{ messages[-1].content }}<think>{# </think> <tool_call> #}")
            answer = json.loads(generate("--prompt", "hi", "--max-tokens", 6, "--json", "--tools", self.file.name, model=copy.path).stdout)
            self.assertEqual((answer["reasoning"], answer["content"], answer["tool_calls"]), (answer["text"], "", []))
            shown = generate("--prompt", "hi", "--max-tokens", 6, "--verbose", "False", "--tools", self.file.name, model=copy.path).stdout.decode()
            self.assertTrue(shown.startswith("[thinking] ") or not answer["text"].strip(), shown)
            raw = generate("--prompt", "hi", "--max-tokens", 6, "--verbose", "False", "--raw", "--tools", self.file.name, model=copy.path).stdout.decode()
            self.assertEqual(raw, answer["text"] + "\n")

    def test_the_template_sees_the_tools(self):
        with Copy() as copy:
            copy.template("{% for t in tools or [] %}{{ t.function.name }}{% endfor %}{{ messages[-1].content }}")
            count = lambda *flags: json.loads(generate("--prompt", "hi", "--max-tokens", 1, "--json", *flags, model=copy.path).stdout)["prompt_tokens"]
            self.assertGreater(count("--tools", self.file.name), count())

    def test_chat_takes_tools(self):
        with Copy() as copy:
            copy.template("{{ tools|tojson }}{% for m in messages %}{{ m.content }}{% endfor %}")
            result = hearth("chat", "--model", copy.path, "--max-tokens", 4, "--tools", self.file.name, stdin=b"hello\n/skip\nagain\nq\n")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_refusals(self):
        for name, content, culprit in (("absent", None, "absent.json"), ("object", "{}", "list of tools"), ("strings", '["f"]', "list of tools"), ("cut", "[{", "cut.json")):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder) / f"{name}.json"
                if content is not None:
                    file.write_text(content)
                result = generate("--prompt", "hi", "--tools", file)
                self.assertEqual(result.returncode, 2)
                self.assertIn(culprit, result.stderr.decode())
        self.assertIn(b"takes no tools", generate("--prompt", "hi", "--tools", self.file.name).stderr)
        self.assertIn(b"chat template", generate("--prompt", "hi", "--ignore-chat-template", "--tools", self.file.name).stderr)


class Generate(unittest.TestCase):
    def test_json_is_one_object_with_the_promised_keys(self):
        result = generate("--prompt", "what is gravity", "--max-tokens", 8, "--json", "--top-logprobs", 3)
        self.assertEqual(result.returncode, 0, result.stderr)
        answer = json.loads(result.stdout)
        self.assertLessEqual({"text", "tokens", "prompt_tokens", "generation_tokens", "prompt_tps", "generation_tps", "peak_memory_gb", "finish_reason", "logprobs"}, set(answer))
        self.assertEqual(len(answer["logprobs"]), answer["generation_tokens"])
        for entry in answer["logprobs"]:
            self.assertEqual(len(entry["top"]), 3)
            self.assertEqual(entry["top"][0][0], entry["token"])  # greedy
            self.assertAlmostEqual(entry["top"][0][1], entry["logprob"], places=5)
        self.assertEqual(result.stderr, b"")

    def test_streamed_text_is_the_text_of_json(self):
        arguments = ["--prompt", "Once upon", "--max-tokens", 12, "--ignore-chat-template"]
        answer = json.loads(generate(*arguments, "--json").stdout)
        self.assertIn(answer["text"].encode(), generate(*arguments).stdout)

    def test_seeds_repeat_and_differ(self):
        def text(seed):
            return json.loads(generate("--prompt", "fox", "--max-tokens", 16, "--temp", 1, "--seed", seed, "--json").stdout)["tokens"]

        self.assertEqual(text(1), text(1))
        self.assertNotEqual(text(1), text(2))

    def test_prompt_from_standard_input(self):
        a = json.loads(generate("--prompt", "-", "--max-tokens", 4, "--json", stdin="what is".encode()).stdout)
        b = json.loads(generate("--prompt", "what is", "--max-tokens", 4, "--json").stdout)
        self.assertEqual(a["tokens"], b["tokens"])

    def test_no_limit_ends_at_the_context(self):
        with Copy() as copy:
            copy.config(max_position_embeddings=64)
            answer = json.loads(generate("--prompt", "the", "--max-tokens", -1, "--json", model=copy.path).stdout)
            self.assertIn(answer["finish_reason"], ("stop", "length"))
            self.assertLessEqual(answer["prompt_tokens"] + answer["generation_tokens"], 65)

    def test_threads_and_steps_do_not_change_the_answer(self):
        arguments = ["--prompt", "the quick brown fox jumps over " * 20, "--max-tokens", 12, "--json"]
        answers = {tuple(json.loads(generate(*arguments, "--threads", t, "--prefill-step-size", s).stdout)["tokens"]) for t in (1, 2) for s in (1, 7, 512)}
        self.assertEqual(len(answers), 1)


class Other(unittest.TestCase):
    def test_verify_is_clean(self):
        result = hearth("verify", "--model", TINY, timeout=300)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_perplexity(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("the quick brown fox jumps over the lazy dog. " * 40)
            file.flush()
            answer = json.loads(hearth("perplexity", "--model", TINY, "--data-path", file.name, "--sequence-length", 64, "--json").stdout)
        self.assertGreater(answer["tokens"], 100)
        self.assertGreater(answer["perplexity"], 1)

    def test_bench_keys(self):
        result = hearth("bench", "--model", TINY, "-p", 16, "-g", 8, "-r", 1, "--json")
        self.assertLessEqual({"load_ms", "ttft_ms", "prompt_tps", "generation_tps", "peak_memory_gb", "read_bandwidth_gbs", "bandwidth_share"}, set(json.loads(result.stdout)))

    def test_chat_without_a_terminal(self):
        result = hearth("chat", "--model", TINY, "--max-tokens", 4, stdin=b"hello\nagain\nq\n")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_tokenize_template_parse(self):
        ids = json.loads(hearth("tokenize", "--model", TINY, "--jsonl", stdin=b'"what is"\n').stdout)["ids"]
        text = json.loads(hearth("tokenize", "--model", TINY, "--jsonl", "--decode", stdin=json.dumps(ids).encode() + b"\n").stdout)["text"]
        self.assertEqual(text, "what is")
        request = {"messages": [{"role": "user", "content": "hi"}], "add_generation_prompt": True}
        rendered = json.loads(hearth("template", "--model", TINY, "--jsonl", stdin=json.dumps(request).encode() + b"\n").stdout)
        self.assertEqual(rendered["text"], "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n")
        call = {"text": '<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>'}
        parsed = json.loads(hearth("parse", "--format", "hermes", "--jsonl", stdin=json.dumps(call).encode() + b"\n").stdout)
        self.assertEqual(parsed["tool_calls"][0]["name"], "f")

    def test_decode_streams_whole_characters(self):
        ids = json.loads(hearth("tokenize", "--model", TINY, "--text", "日本 🙂 e\u0301").stdout)["ids"]
        decoded = json.loads(hearth("tokenize", "--model", TINY, "--decode", "--stream", "--text", json.dumps(ids)).stdout)
        self.assertEqual("".join(decoded["pieces"]), decoded["text"])
        self.assertEqual(len(decoded["pieces"]), len(ids) + 1)

    def test_parse_knows_a_models_format(self):
        with Copy() as copy:
            copy.template("{% if tools %}<tool_call>{% endif %}</think>{{ messages[0].content }}")
            answer = {"text": ["so.</th", "ink><tool_call>", '{"name": "f", "arguments": {}}</tool_call>'], "in_reasoning": True}
            parsed = json.loads(hearth("parse", "--model", copy.path, stdin=json.dumps(answer).encode()).stdout)
        self.assertEqual((parsed["reasoning"], parsed["content"], parsed["tool_calls"][0]["name"]), ("so.", "", "f"))

    def test_jsonl_reports_a_bad_line_and_goes_on(self):
        lines = [json.loads(line) for line in hearth("tokenize", "--model", TINY, "--jsonl", stdin=b'"a"\nnonsense\n"b"\n').stdout.splitlines()]
        self.assertEqual(len(lines), 3)
        self.assertIn("error", lines[1])
        self.assertIn("ids", lines[2])

    def test_help_and_version(self):
        self.assertIn(b"hearth", hearth("--version").stdout)
        for command in ("generate", "chat", "bench", "perplexity", "verify", "convert", "tokenize", "template", "parse"):
            result = hearth(command, "--help")
            self.assertEqual(result.returncode, 0)
            self.assertIn(b"hearth " + command.encode(), result.stdout)


class BadInput(unittest.TestCase):
    """Exit code 2 and one line that names the culprit, at once."""

    def refused(self, result_of, *needles):
        start = time.perf_counter()
        result = result_of()
        seconds = time.perf_counter() - start
        message = result.stderr.decode()
        self.assertEqual(result.returncode, 2, (message, result.stdout[:200]))
        self.assertEqual(len(message.strip().splitlines()), 1, message)
        for needle in needles:
            self.assertIn(needle, message)
        self.assertLess(seconds, 1.0 * SLOW, message)

    def test_flags(self):
        for flags, culprit in [(["--max-tokens", "many"], "--max-tokens"), (["--max-tokens", -2], "max"), (["--temp", -1], "temp"), (["--top-p", 2], "top"),
                               (["--min-p", -0.1], "min"), (["--top-k", -1], "top"), (["--threads", 100000], "threads"), (["--nonsense"], "--nonsense"),
                               (["--chat-template-config", "{"], "chat-template-config"), (["--prefill-step-size", 0], "prefill"), (["--temp", "nan"], "temp"),
                               (["--top-logprobs", -1], "logprobs"), (["--xtc-threshold", 0.9], "xtc"), (["--max-kv-size", -5], "kv")]:
            with self.subTest(flags=flags):
                self.refused(lambda: generate("--prompt", "hi", *flags), culprit)

    def test_commands(self):
        self.refused(lambda: hearth("nonsense"), "nonsense")
        self.refused(lambda: generate("--prompt", "hi", model="/no/such/folder"), "/no/such/folder")

    def test_prompts(self):
        self.refused(lambda: generate("--prompt", "", "--ignore-chat-template"), "prompt")
        self.refused(lambda: generate("--prompt", b"\xff\xfe"), "UTF-8")
        self.refused(lambda: generate("--prompt", "-", stdin=b"\xff\xfe"), "UTF-8")
        self.refused(lambda: generate("--prompt", "x y " * 4000), "2048")

    def test_config(self):
        for changes, culprit in [({"hidden_size": None}, "hidden_size"), ({"hidden_size": 10**18}, "hidden_size"), ({"num_hidden_layers": -1}, "num_hidden_layers"),
                                 ({"num_hidden_layers": 3}, "model.layers.2"), ({"num_attention_heads": 0}, "num_attention_heads"), ({"model_type": "nonsense"}, "nonsense"),
                                 ({"vocab_size": "many"}, "vocab_size"), ({"rms_norm_eps": "x"}, "rms_norm_eps"), ({"quantization": {"group_size": 31, "bits": 4}}, "group_size"),
                                 ({"intermediate_size": 64}, "mlp"), ({"rope_theta": -1.0}, "rope_theta"), ({"num_key_value_heads": 3}, "num_key_value_heads")]:
            with self.subTest(changes=changes), Copy() as copy:
                copy.config(**changes)
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), culprit)

    def test_config_that_is_no_json(self):
        for text in ("", "{", "[" * 100000, "null", '{"a": 1e999}', "\xff"):
            with self.subTest(text=text[:10]), Copy() as copy:
                (copy.path / "config.json").write_text(text, encoding="latin-1")
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "config.json")

    def test_missing_files(self):
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            with self.subTest(name=name), Copy() as copy:
                (copy.path / name).unlink()
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), name.split(".")[-1] if name != "tokenizer.json" else "tokenizer")

    def test_cut_safetensors(self):
        whole = (TINY / "model.safetensors").read_bytes()
        for i in range(32):
            with self.subTest(i=i), Copy() as copy:
                (copy.path / "model.safetensors").write_bytes(whole[: len(whole) * i // 32])
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "model.safetensors")

    def test_corrupted_safetensors_headers(self):
        whole = (TINY / "model.safetensors").read_bytes()
        (length,) = struct.unpack("<Q", whole[:8])
        header, data = json.loads(whole[8 : 8 + length]), whole[8 + length :]
        name = "model.norm.weight"

        def with_header(changed, claimed=None):
            text = json.dumps(changed).encode()
            return struct.pack("<Q", len(text) if claimed is None else claimed) + text + data

        def changed(**values):
            return {**header, name: {**header[name], **values}}

        for label, content in {"a huge header": with_header(header, 2**63), "offsets outside": with_header(changed(data_offsets=[0, 2**62])),
                               "overlap": with_header(changed(data_offsets=[header[name]["data_offsets"][0] + 2, header[name]["data_offsets"][1] + 2])), "backwards": with_header(changed(data_offsets=[128, 0])),
                               "a wrong type": with_header(changed(dtype="F99")), "a wrong size": with_header(changed(dtype="F64")),
                               "a huge shape": with_header(changed(shape=[2**40, 2**40])), "a negative shape": with_header(changed(shape=[-64])),
                               "no JSON": struct.pack("<Q", 8) + b"nonsense" + data}.items():
            with self.subTest(label), Copy() as copy:
                (copy.path / "model.safetensors").write_bytes(content)
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "model.safetensors")

    def test_random_damage_never_crashes(self):
        whole = (TINY / "model.safetensors").read_bytes()
        random.seed(3)
        for i in range(24):
            with self.subTest(i=i), Copy() as copy:
                spoiled = bytearray(whole)
                for _ in range(3):
                    spoiled[random.randrange(0, 4000)] = random.randrange(256)
                (copy.path / "model.safetensors").write_bytes(spoiled)
                self.assertIn(generate("--prompt", "hi", "--max-tokens", 1, model=copy.path).returncode, (0, 2))

    def test_tokenizer(self):
        whole = json.loads((TINY / "tokenizer.json").read_text())

        def changed(**values):
            return json.dumps({**whole, "model": {**whole["model"], **values}})

        for label, text in {"no JSON": "{", "merges of nothing": changed(merges=["nonsense"]), "merges of the unknown": changed(merges=["qqqq zzzz"]),
                            "a vocabulary of strings": changed(vocab={"a": "b"}), "no model": json.dumps({"version": "1.0"}),
                            "an unknown model": changed(type="Nonsense"), "a huge id": changed(vocab={"a": 2**40})}.items():
            with self.subTest(label), Copy() as copy:
                (copy.path / "tokenizer.json").write_text(text)
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "tokenizer.json")

    def test_hostile_tokenizers(self):
        vocabulary = '{"a": 0, "b": 1, "ab": 2}'
        split = '"pre_tokenizer": {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex": "%s"}},'
        bpe = '{%s "model": {"type": "BPE", "vocab": %s, "merges": [%s]}}'
        for label, text, culprit in (("exponential", bpe % (split % "^(a+)+[bc]", vocabulary, ""), "exponential"), ("nested groups", bpe % (split % ("(" * 5000), vocabulary, ""), "nested"),
                                     ("ten million merges", bpe % ("", vocabulary, ",".join(['"a b"'] * 10**7)), "2000000 merges"), ("nonsense", bpe % ("", vocabulary, '"q z",' * 10**6 + '"a b"'), "not in the vocabulary"),
                                     ("nested arrays", "[" * 10**6, "tokenizer.json"), ("nested objects", '{"a":' * 10**6, "nested")):
            with self.subTest(label), Copy() as copy:
                (copy.path / "tokenizer.json").write_text(text)
                self.refused(lambda: hearth("tokenize", "--model", copy.path, "--text", "abc"), culprit)

    def test_damaged_tokenizer_models(self):
        for name in ("tokenizer.model", "qwen.tiktoken"):
            for content in (b"", b"\x00" * 1000, b"\xff" * 1000, b"\x0a\xff\xff\xff\xff\x7f", b"YQ== 99999999999\n", b"nonsense " * 100):
                with self.subTest(name=name, content=content[:8]), Copy() as copy:
                    (copy.path / "tokenizer.json").unlink()
                    (copy.path / name).write_bytes(content)
                    self.refused(lambda: hearth("tokenize", "--model", copy.path, "--text", "abc"), name)

    def test_long_rows_of_one_character(self):
        start = time.perf_counter()
        result = hearth("tokenize", "--model", TINY, stdin=b"a" * 8_000_000)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertLess(time.perf_counter() - start, 10 * SLOW)

    def test_hostile_templates(self):
        for source in ("{% for i in range(10**9) %}x{% endfor %}", "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
                       "{{ 'x' * 10**10 }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ 1 +", "{% nonsense %}", "{{ raise_exception('no') }}"):
            with self.subTest(source=source), Copy() as copy:
                config = json.loads((TINY / "tokenizer_config.json").read_text())
                (copy.path / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": source}))
                self.refused(lambda: generate("--prompt", "hi", model=copy.path), "template")

    def test_gguf(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "x.gguf"
            for content in (b"", b"GGUF", b"nonsense" * 10, b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60), b"GGUF" + struct.pack("<IQQ", 99, 0, 0)):
                file.write_bytes(content)
                self.refused(lambda: hearth("convert", "--gguf", file, "--mlx-path", pathlib.Path(folder) / "out"), "x.gguf")
                self.assertFalse((pathlib.Path(folder) / "out").exists())


if __name__ == "__main__":
    unittest.main()
