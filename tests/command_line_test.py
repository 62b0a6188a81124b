#!/usr/bin/env python3
"""The command as a user meets it: its JSON, its streams, its exit codes.

Usage: command_line_test.py path/to/hearth      (standard library only; the model is tests/testdata/tiny)
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from hearth_command import HEARTH, SLOW, SOURCE, TINY, Copy, generate, hearth

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

    def test_tools_of_the_template_config_are_tools(self):
        with Copy() as copy:
            copy.template("{% for t in tools or [] %}{{ t.function.name }}{% endfor %}{{ messages[-1].content }}")
            count = lambda *flags: json.loads(generate("--prompt", "hi", "--max-tokens", 1, "--json", *flags, model=copy.path).stdout)["prompt_tokens"]
            config = json.dumps({"tools": TOOLS})
            self.assertEqual(count("--chat-template-config", config), count("--tools", self.file.name))
            refused = generate("--prompt", "hi", "--chat-template-config", config, "--tools", self.file.name, model=copy.path)
            self.assertEqual((refused.returncode, refused.stderr.count(b"\n")), (2, 1))
            self.assertEqual(generate("--prompt", "hi", "--chat-template-config", '{"tools": 1}', model=copy.path).returncode, 2)

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

    def test_an_empty_system_prompt_is_one(self):
        with Copy() as copy:
            copy.template("{% if messages[0].role != 'system' %}You are helpful. {% endif %}{% for m in messages %}{{ m.content }}{% endfor %}")
            count = lambda *flags: json.loads(generate("--prompt", "hi", "--max-tokens", 1, "--json", *flags, model=copy.path).stdout)["prompt_tokens"]
            self.assertLess(count("--system-prompt", ""), count())

    def test_every_end_token_ends_the_answer(self):
        flags = ["--prompt", "hi", "--max-tokens", 5, "--json", "--ignore-chat-template"]
        answer = lambda id, *more, model=TINY: json.loads(generate(*flags, "--logit-bias", json.dumps({str(id): 1000}), *more, model=model).stdout)
        config = json.loads((TINY / "config.json").read_text())
        end = config["eos_token_id"] if isinstance(config["eos_token_id"], int) else config["eos_token_id"][0]
        other = end + 40
        self.assertEqual((answer(other)["finish_reason"], answer(end)["finish_reason"]), ("length", "stop"))
        self.assertEqual(answer(other, "--extra-eos-token", other)["finish_reason"], "stop")
        with Copy() as copy:  # the tokenizer's own ends it also where the config names another
            copy.config(eos_token_id=other)
            (copy.path / "generation_config.json").unlink(missing_ok=True)
            self.assertEqual({answer(id, model=copy.path)["finish_reason"] for id in (other, end)}, {"stop"})

    def test_prompt_from_standard_input(self):
        a = json.loads(generate("--prompt", "-", "--max-tokens", 4, "--json", stdin="what is".encode()).stdout)
        b = json.loads(generate("--prompt", "what is", "--max-tokens", 4, "--json").stdout)
        self.assertEqual(a["tokens"], b["tokens"])

    def test_ends_of_lines_on_standard_input_are_universal(self):
        count = lambda text: json.loads(generate("--prompt", "-", "--max-tokens", 1, "--json", stdin=text).stdout)["prompt_tokens"]
        self.assertEqual({count(text) for text in (b"one\r\ntwo\r\n\r\n", b"one\rtwo\r\r", b"one\ntwo\n\n", b"one\r\ntwo\r\n\r")}, {count(b"one\ntwo\n\n")})
        self.assertNotEqual(count(b"one\ntwo"), count(b"one\n\ntwo"))

    def test_a_flag_given_twice_counts_the_last_time(self):
        answer = json.loads(generate("--prompt", "a b", "-p", "hi", "--max-tokens", 5, "-m", 2, "--temp", 1, "--temp=0", "--seed", 1, "--seed", 2, "--json", "--json",
                                     "--model", "/absent", "--model", TINY).stdout)
        self.assertEqual((answer["generation_tokens"], answer["prompt_tokens"]), (2, json.loads(generate("--prompt", "hi", "--max-tokens", 1, "--json").stdout)["prompt_tokens"]))
        bench = hearth("bench", "--model", TINY, "-p", 16, "-p", 8, "--generation-tokens", 4, "-g", 2, "-r", 9, "--num-trials", 1, "--json")
        self.assertEqual(bench.returncode, 0, bench.stderr)
        self.assertEqual(hearth("tokenize", "--model", "/absent", "--model", TINY, "--text", "x", "--text", "hi").stdout, hearth("tokenize", "--model", TINY, "--text", "hi").stdout)

    def test_flags_of_mlx_lm_without_effect_are_taken(self):
        plain = generate("--prompt", "hi", "--max-tokens", 3, "--verbose", "False").stdout
        more = generate("--prompt", "hi", "--max-tokens", 3, "--verbose", "False", "--trust-remote-code", "--use-default-chat-template", "--num-draft-tokens", 4,
                        "--kv-group-size", 32, "--quantized-kv-start", 100)
        self.assertEqual((more.stdout, more.returncode), (plain, 0), more.stderr)
        for command in ("bench", "perplexity", "verify", "tokenize", "template", "chat", "convert", "parse"):
            with self.subTest(command):
                self.assertIn(b"--trust-remote-code", hearth(command, "--help").stdout)
        self.assertEqual(hearth("chat", "--model", TINY, "--trust-remote-code", "--pipeline", stdin=b"q\n").returncode, 0)
        for refused in ("--adapter-path", "--kv-bits", "--draft-model"):  # these would change something
            self.assertEqual(generate("--prompt", "hi", refused, "4").returncode, 2)

    def test_an_answer_cut_at_its_limit_says_so(self):
        cut = generate("--prompt", "hi", "--max-tokens", 3)
        self.assertEqual(cut.stderr, b"[stopped after 3 tokens: --max-tokens]\n")
        self.assertEqual(generate("--prompt", "hi", "--max-tokens", 1).stderr, b"[stopped after 1 token: --max-tokens]\n")
        self.assertNotIn(b"stopped", cut.stdout)
        for quiet in (["--json"], ["--verbose", "False"]):
            self.assertEqual(generate("--prompt", "hi", "--max-tokens", 3, *quiet).stderr, b"")
        end = json.loads((TINY / "config.json").read_text())["eos_token_id"]
        self.assertEqual(generate("--prompt", "hi", "--max-tokens", 3, "--logit-bias", json.dumps({str(end): 1000})).stderr, b"")
        with Copy() as copy:
            copy.config(max_position_embeddings=40)
            for limit in (-1, 1000):
                self.assertRegex(generate("--prompt", "hi", "--max-tokens", limit, "--logit-bias", json.dumps({str(end): -1000}), model=copy.path).stderr,
                                 rb"^\[stopped after \d+ tokens: the model's context is full\]\n$")

    def test_sampling_of_the_model_counts_where_asked_for(self):
        with Copy() as copy:
            def tokens(*flags, **config):
                (copy.path / "generation_config.json").write_text(json.dumps({"eos_token_id": 2, **config}))
                result = generate("--prompt", "fox", "--max-tokens", 24, "--seed", 5, "--json", *flags, model=copy.path)
                self.assertEqual(result.returncode, 0, result.stderr)
                return json.loads(result.stdout)["tokens"]

            greedy, warm = tokens(), tokens("--temp", 1.5)
            self.assertNotEqual(greedy, warm)
            model = ["--sampling", "model"]
            self.assertEqual(tokens(do_sample=True, temperature=1.5), greedy)
            self.assertEqual(tokens(*model, do_sample=True, temperature=1.5), warm)
            self.assertEqual(tokens(*model, temperature=1.5), warm)
            self.assertEqual(tokens(*model, do_sample=False, temperature=1.5, top_k=3), greedy)
            self.assertEqual(tokens(*model, "--temp", 0, do_sample=True, temperature=1.5), greedy)
            self.assertEqual(tokens(*model, do_sample=True, temperature=1.5, top_k=1), greedy)
            self.assertEqual(tokens(*model, "--top-k", 0, do_sample=True, temperature=1.5, top_k=1), warm)
            self.assertEqual(tokens(*model, do_sample=True, temperature=1.5, top_p=0.3), tokens("--temp", 1.5, "--top-p", 0.3))
            self.assertEqual(tokens(*model, do_sample=True, temperature=1.5, min_p=0.4), tokens("--temp", 1.5, "--min-p", 0.4))
            self.assertEqual(tokens(*model, repetition_penalty=1.8), tokens("--repetition-penalty", 1.8, "--repetition-context-size", 0))
            (copy.path / "generation_config.json").write_text('{"eos_token_id": 2, "temperature": "hot"}')
            self.assertEqual(generate("--prompt", "hi", "--max-tokens", 1, model=copy.path).returncode, 0)
            self.assertIn(b"generation_config.json: temperature", generate("--prompt", "hi", *model, model=copy.path).stderr)
        self.assertIn(b"--sampling", generate("--prompt", "hi", "--sampling", "sometimes").stderr)

    def test_an_activation_is_computed_as_the_config_names_it(self):
        flags = ["--prompt", "the quick brown fox", "--max-tokens", 1, "--json", "--top-logprobs", 5]
        with Copy() as copy:
            def logprobs(name):
                copy.config(hidden_act=name)
                result = generate(*flags, model=copy.path)
                return json.loads(result.stdout)["logprobs"], result.stderr

            silu = json.loads(generate(*flags).stdout)["logprobs"]
            self.assertEqual(logprobs("swish"), (silu, b""))
            for name in ("relu", "gelu", "gelu_pytorch_tanh", "relu2"):
                values, note = logprobs(name)
                self.assertNotEqual(values, silu)
                self.assertRegex(note, rb"^hearth: .*config.json: hidden_act is %s .*\n$" % name.encode())
            copy.config(hidden_act="prelu")
            self.assertRegex(generate(*flags, model=copy.path).stderr, rb"config.json: hidden_act: \"prelu\"")

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
        fixtures = sorted((SOURCE / "src/models/testdata").iterdir())
        for folder in [TINY] if SLOW > 1 else [TINY, *fixtures]:
            with self.subTest(folder.name):
                result = hearth("verify", "--model", folder, timeout=300)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_verify_across_isas_is_clean(self):
        fixtures = sorted((SOURCE / "src/models/testdata").iterdir())
        for folder in [TINY] if SLOW > 1 else [TINY, *fixtures]:
            with self.subTest(folder.name):
                result = hearth("verify", "--model", folder, "--across-isas", timeout=300)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                first, *others, last = result.stdout.decode().splitlines()
                self.assertRegex(first, r"^scalar +\d+ operations on 16 tokens$")
                for line in others:
                    self.assertRegex(line, r"^avx2 +same bits$|^avx512 +same bits$|^avx512bf16 +(same bits|products of its own, first at token 0, .*Matmul.*)$")

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

    @unittest.skipIf(SLOW > 1, "sanitizers keep memory of their own")
    def test_memory_of_512_tokens(self):
        """At most the file, the keys and values by formula, and 60 MB; and the answer says what the system measured."""
        config = json.loads((TINY / "config.json").read_text())
        words = [HEARTH, "generate", "--model", str(TINY), "--prompt", "the quick brown fox " * 80, "--max-tokens", "16", "--json"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE)
        answer = json.load(process.stdout)
        process.stdout.close()
        peak = os.wait4(process.pid, 0)[2].ru_maxrss * 1024
        process.returncode = 0
        tokens = answer["prompt_tokens"] + answer["generation_tokens"]
        self.assertGreater(tokens, 512)
        kv_bytes = 2 * 2 * tokens * config["num_hidden_layers"] * config["num_key_value_heads"] * config["hidden_size"] // config["num_attention_heads"]
        self.assertLess(peak, (TINY / "model.safetensors").stat().st_size + kv_bytes + 60e6)
        self.assertAlmostEqual(answer["peak_memory_gb"], peak / 1e9, delta=0.002)

    def test_convert_leaves_nothing_when_interrupted(self):
        gguf = SOURCE / "src/weights/testdata/tiny_f32.gguf"
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen([HEARTH, "convert", "--gguf", str(gguf), "--mlx-path", f"{folder}/model"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            process.terminate()
            code = process.wait(60)
            left = sorted(path.name for path in pathlib.Path(folder).iterdir())
        self.assertIn((code == 0, left), [(True, ["model"]), (False, [])])

    def test_chat_commands(self):
        script = b"/exit\n/quit  \nnever asked\n"
        result = hearth("chat", "--model", TINY, "--max-tokens", 2, stdin=script)
        self.assertEqual((result.returncode, result.stdout), (0, b"There is no command /exit; /help lists them.\n"))

    def test_chat_without_a_terminal(self):
        result = hearth("chat", "--model", TINY, "--max-tokens", 4, stdin=b"hello\nagain\nq\n")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_chat_lines_end_as_python_reads_them(self):
        for script in (b"/a\n/b\n/c\n", b"/a\r\n/b\r\n/c\r\n", b"/a\r/b\r/c", b"/a\r/b\n/c\r\n"):
            result = hearth("chat", "--model", TINY, stdin=script)
            self.assertEqual(result.stdout.count(b"There is no command /"), 3, result.stdout)

    def test_chat_samples_as_the_model_says(self):
        with Copy() as copy:
            chat = lambda *flags: hearth("chat", "--model", copy.path, "--max-tokens", 24, "--seed", 5, *flags, stdin=b"fox\nq\n").stdout
            (copy.path / "generation_config.json").write_text(json.dumps({"eos_token_id": 2, "do_sample": True, "temperature": 1.5}))
            self.assertEqual(chat(), chat("--temp", 1.5))
            self.assertNotEqual(chat(), chat("--temp", 0))
            self.assertEqual(chat("--sampling", "flags"), chat("--temp", 0))

    def test_a_cut_answer_in_chat_says_so(self):
        result = hearth("chat", "--model", TINY, "--max-tokens", 2, stdin=b"hello\nq\n")
        self.assertEqual(result.stderr, b"[stopped after 2 tokens: --max-tokens]\n")

    def test_chat_beyond_the_context(self):
        with Copy() as copy:
            copy.config(max_position_embeddings=160)
            script = b"".join(b"what is number %d\n" % i for i in range(12)) + b"/stats\nq\n"
            refused = hearth("chat", "--model", copy.path, "--max-tokens", 8, stdin=script)
            self.assertIn(b"too many for the model's context of 160. /reset forgets the conversation; hearth chat --overflow drop", refused.stdout)
            dropping = hearth("chat", "--model", copy.path, "--max-tokens", 8, "--overflow", "drop", stdin=script)
            self.assertNotIn(b"too many", dropping.stdout)
            self.assertRegex(dropping.stderr, rb"\[the oldest \d turns? w(as|ere) left out: the model's context is full\]\n")
            self.assertEqual(dropping.returncode, 0)
            alone = hearth("chat", "--model", copy.path, "--max-tokens", 8, "--overflow", "drop", stdin=b"word " * 200 + b"\nhi\nq\n")
            self.assertIn(b"too many for the model's context", alone.stdout)
        self.assertIn(b"--overflow", hearth("chat", "--model", TINY, "--overflow", "perhaps").stderr)

    def test_perplexity_of_the_first_sequences(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("the quick brown fox jumps over the lazy dog. " * 40)
            file.flush()
            measure = lambda *flags: json.loads(hearth("perplexity", "--model", TINY, "--data-path", file.name, "--sequence-length", 32, "--json", *flags).stdout)["tokens"]
            self.assertEqual((measure("--num-samples", 2), measure("--num-samples", "-1", "--batch-size", 8)), (62, measure()))
            self.assertGreater(measure(), 62)

    def test_decoding_can_skip_special_tokens(self):
        for text in ("<|im_start|>hi<|im_end|> there", "<|im_end|>", "no"):
            ids = json.dumps(json.loads(hearth("tokenize", "--model", TINY, "--text", text).stdout)["ids"])
            decode = lambda *flags: json.loads(hearth("tokenize", "--model", TINY, "--decode", "--text", ids, *flags).stdout)
            self.assertEqual(decode()["text"], text)
            skipped = decode("--skip-special-tokens", "--stream")
            self.assertEqual((skipped["text"], "".join(skipped["pieces"])), (text.replace("<|im_start|>", "").replace("<|im_end|>", ""),) * 2)
        self.assertEqual(hearth("tokenize", "--model", TINY, "--skip-special-tokens", "--text", "x").returncode, 2)

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
        self.assertRegex(hearth("--version").stdout, rb"^hearth \d+\.\d+\.\d+ \((scalar|avx2|avx512|avx512bf16), .+ engine\)\n$")
        self.assertIn(b"(scalar,", hearth("--version", HEARTH_ISA="scalar").stdout)
        for command in ("generate", "chat", "bench", "perplexity", "verify", "convert", "tokenize", "template", "parse"):
            result = hearth(command, "--help")
            self.assertEqual(result.returncode, 0)
            self.assertIn(b"hearth " + command.encode(), result.stdout.split(b"Examples:")[1])


if __name__ == "__main__":
    unittest.main()
