#!/usr/bin/env python3
"""Converts a GGUF with `hearth convert` and compares the model with llama.cpp on the same file.

What must hold: the same tokens for an English text and for code; perplexities on 2,000 tokens of each at most 1 % apart;
most greedy answers to 20 questions equal (llama.cpp rounds activations to 8 bits, so near-ties part); and, of a model
whose template takes tools, a question about the weather answered by a call of the weather tool. Fails (exit 1) otherwise.

Needs llama-cpp-python (tools/requirements.txt):
    tests/parity/gguf_reference.py --hearth build/release/hearth --gguf model.gguf [--convert=--requantize=8]
"""
import argparse
import inspect
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import llama_cpp
import numpy as np

QUESTIONS = """\
What is the capital of Italy?
What is 17 + 25?
Name the three primary colours.
Write a Python function that returns the larger of two numbers.
How many legs does a spider have?
Translate "good morning" into French.
What does HTML stand for?
Write a one-line Python list comprehension that squares the numbers from 0 to 9.
Who wrote Hamlet?
What is the boiling point of water in degrees Celsius?
Write an SQL query that counts the rows of a table named users.
What is the opposite of hot?
Name a programming language that begins with R.
What does the command `ls -l` do?
Write a C function that adds two integers.
How many days does a leap year have?
What is the largest planet of the solar system?
Give an example of a prime number above 10.
What does `git commit` do?
What is the chemical symbol of gold?
""".splitlines()

WEATHER = [{"type": "function", "function": {
    "name": "get_weather", "description": "Returns the current weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]


def run_hearth(hearth, *arguments):
    done = subprocess.run([hearth, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"hearth {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def run_json(*arguments):
    return json.loads(run_hearth(*arguments, "--json"))


def texts(tokens):
    """About so many tokens of English and of Python, from files that every Debian and every Python has."""
    english = Path("/usr/share/common-licenses/GPL-3").read_text()
    return {"English": english[: 5 * tokens], "code": inspect.getsource(argparse)[: 5 * tokens]}


def without_repacking():
    """llama.cpp's kernels for AMX, which repack weights, end the process where a virtual machine does not let AMX be used."""
    params = llama_cpp.llama_cpp.llama_model_default_params()
    params.use_extra_bufts = False
    llama_cpp.llama_cpp.llama_model_default_params = lambda: params


def reference_perplexity(llama, ids, length):
    total, count = 0.0, 0
    for start in range(0, len(ids) - 1, length):  # cut as `hearth perplexity` does
        piece = ids[start : start + length]
        llama.reset()
        llama.eval(piece[:-1])
        rows = llama.scores[: len(piece) - 1].astype(np.float64)
        top = rows.max(-1, keepdims=True)
        logs = rows - top - np.log(np.exp(rows - top).sum(-1, keepdims=True))
        total -= logs[np.arange(len(piece) - 1), piece[1:]].sum()
        count += len(piece) - 1
    return np.exp(total / count), count


def compare_texts(args, folder, llama):
    good = True
    for name, text in texts(args.tokens).items():
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(llama.detokenize(llama.tokenize(text.encode(), add_bos=False, special=False)[: args.tokens]).decode(errors="ignore"))
            file.flush()
            text = Path(file.name).read_text()
            ids = llama.tokenize(text.encode(), add_bos=False, special=False)
            ours = run_json(args.hearth, "perplexity", "--model", folder, "--data-path", file.name, "--sequence-length", args.sequence_length)
            tokens = json.loads(run_hearth(args.hearth, "tokenize", "--model", folder, "--no-special", "--text", text))["ids"]
        theirs, count = reference_perplexity(llama, ids, args.sequence_length)
        apart = abs(ours["perplexity"] / theirs - 1)
        print(f"{name}: perplexity {ours['perplexity']:.4f} over {ours['tokens']} tokens, llama.cpp {theirs:.4f} over {count}: "
              f"{100 * apart:.2f} % apart")
        print(f"  tokens {'equal' if tokens == ids else 'DIFFER'}")
        good &= apart <= 0.01 and tokens == ids
    return good


def compare_answers(args, folder, llama):
    equal = 0
    for question in QUESTIONS:
        ours = run_json(args.hearth, "generate", "--model", folder, "--prompt", question, "--temp", 0, "--max-tokens", args.max_tokens)
        theirs = llama.create_chat_completion([{"role": "user", "content": question}], temperature=0, max_tokens=args.max_tokens)
        text = theirs["choices"][0]["message"]["content"]
        equal += ours["text"] == text
        if ours["text"] != text:
            print(f"  {question}\n    hearth:    {ours['text']!r}\n    llama.cpp: {text!r}")
    print(f"equal greedy answers: {equal} of {len(QUESTIONS)}")
    return equal > len(QUESTIONS) // 2


def calls_a_tool(args, folder):
    if "tools" not in json.loads((folder / "tokenizer_config.json").read_text()).get("chat_template", ""):
        return True
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(WEATHER, file)
        file.flush()
        answer = run_json(args.hearth, "generate", "--model", folder, "--tools", file.name, "--prompt", "What is the weather in Paris?",
                          "--temp", 0, "--max-tokens", args.max_tokens)
    calls = answer["tool_calls"]
    print(f"asked for the weather: {answer['text']!r}\n  parsed as {calls}")
    return any(call["name"] == "get_weather" and "Paris" in str(call["arguments"]) for call in calls)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", required=True)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--convert", action="append", default=[], metavar="FLAG", help="a flag for hearth convert, such as --requantize=8")
    parser.add_argument("--tokens", type=int, default=2000, help="of each text")
    parser.add_argument("--sequence-length", type=int, default=250)
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    without_repacking()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        print(run_hearth(args.hearth, "convert", "--gguf", args.gguf, "--mlx-path", folder, *args.convert), end="")
        llama = llama_cpp.Llama(model_path=args.gguf, n_ctx=max(256, args.sequence_length), n_batch=64, n_threads=args.threads, logits_all=True, verbose=False)
        good = compare_texts(args, folder, llama)
        good &= compare_answers(args, folder, llama)
        good &= calls_a_tool(args, folder)
    print("as it should be" if good else "NOT as it should be")
    sys.exit(not good)


if __name__ == "__main__":
    main()
