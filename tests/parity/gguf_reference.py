#!/usr/bin/env python3
"""Converts a GGUF with `hearth convert` and compares the model with llama.cpp, on the same file and on exact weights.

llama.cpp rounds activations to 8 bits wherever it multiplies with quantized weights, and keys and values to 16. Which of two
programs is off when they differ, a third tells: llama.cpp on the same numbers written out as float32 (dequantized by the
gguf package), keys and values in float32 too. That is called the exact reference here.

What must hold: the same tokens for an English text and for code. Perplexities on 2,000 tokens of each: of `--dtype float32`
at most 0.01 % from the exact reference; of the default conversion at most 1 % from llama.cpp on the file or, where llama.cpp
is that far from the exact reference itself, at most 0.5 % from the exact one. Most greedy answers to 20 questions equal those
of llama.cpp (where they part, the script prints by how much the exact reference prefers either token). Of a model whose
template takes tools: a question about the weather answered by a call of the weather tool. Fails (exit 1) otherwise.

Measured on Qwen2.5-Coder-0.5B-Instruct, Q4_K_M, with 744 tokens of the GPL in pieces of 250, from the exact 10.728165:
    hearth, --dtype float32                            10.728167   +0.00 %   (two in ten million)
    hearth                                             10.741859   +0.13 %
    llama.cpp, float32 weights, float16 keys, values   10.737620   +0.09 %
    llama.cpp, the file, float32 keys, values          10.707314   -0.19 %
    llama.cpp, the file                                10.814189   +0.80 %
So the distance between Hearth and llama.cpp on a quantized file is llama.cpp's rounding.

Needs llama-cpp-python and gguf (tools/requirements.txt), memory and scratch space of 4 bytes a parameter:
    tests/parity/gguf_reference.py --hearth build/release/hearth --gguf model.gguf [--convert=--requantize=8]
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import llama_cpp
import numpy as np
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

SOURCE = Path(__file__).resolve().parents[2]

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
    """A little more than so many tokens of English and of code, from a file that every Debian has and from this tree."""
    english = Path("/usr/share/common-licenses/GPL-3").read_text()
    code = "".join(path.read_text() for path in sorted((SOURCE / "src/weights").glob("gguf*.cpp")))
    return {"English": english[: 6 * tokens], "code": code[: 6 * tokens]}


def without_repacking():
    """llama.cpp's kernels for AMX, which repack weights, end the process where a virtual machine does not let AMX be used."""
    params = llama_cpp.llama_cpp.llama_model_default_params()
    params.use_extra_bufts = False
    llama_cpp.llama_cpp.llama_model_default_params = lambda: params


def write_as_float32(source, target):
    """The same model with every tensor dequantized."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type", "general.quantization_version"):
            continue
        kind = field.types[0]
        writer.add_key_value(name, field.contents(), kind, sub_type=field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        writer.add_tensor_info(tensor.name, [int(n) for n in reversed(tensor.shape)], np.dtype(np.float32), 4 * int(tensor.n_elements))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in reader.tensors:
        writer.write_tensor_data(gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
    writer.close()


def load(path, args, **more):
    context = max(512, args.sequence_length)
    return llama_cpp.Llama(model_path=str(path), n_ctx=context, n_threads=args.threads, n_threads_batch=args.threads, logits_all=True,
                           verbose=False, **more)


def log_softmax(rows):
    rows = rows.astype(np.float64)
    top = rows.max(-1, keepdims=True)
    return rows - top - np.log(np.exp(rows - top).sum(-1, keepdims=True))


def reference_perplexity(llama, ids, length):
    total, count = 0.0, 0
    for start in range(0, len(ids), length):  # cut as `hearth perplexity` does
        piece = ids[start : start + length]
        llama.reset()
        llama.eval(piece[:-1])
        total -= log_softmax(llama.scores[: len(piece) - 1])[np.arange(len(piece) - 1), piece[1:]].sum()
        count += len(piece) - 1
    return float(np.exp(total / count)), count


def hearth_perplexity(args, folder, file):
    found = run_json(args.hearth, "perplexity", "--model", folder, "--data-path", file, "--sequence-length", args.sequence_length,
                     "--num-samples", args.tokens // args.sequence_length, "--threads", args.threads)
    return found["perplexity"], found["tokens"]


def apart(a, b):
    return 100 * (a / b - 1)


def compare_perplexity(args, name, file, ids, folders, llamas):
    cut = ids[: args.tokens // args.sequence_length * args.sequence_length]
    values, counts = zip(*(hearth_perplexity(args, folder, file) for folder in folders),
                         *(reference_perplexity(llama, cut, args.sequence_length) for llama in llamas))
    ours, float32, theirs, exact = values
    print(f"{name}: perplexity over {counts[0]} tokens: hearth {ours:.4f}, --dtype float32 {float32:.4f}, llama.cpp {theirs:.4f}, exact {exact:.4f}")
    print(f"  hearth from llama.cpp {apart(ours, theirs):+.2f} %; from exact: hearth {apart(ours, exact):+.2f} %, "
          f"--dtype float32 {apart(float32, exact):+.5f} %, llama.cpp {apart(theirs, exact):+.2f} %")
    near = abs(apart(ours, theirs)) <= 1 or (abs(apart(theirs, exact)) > 0.5 and abs(apart(ours, exact)) <= 0.5)
    return len(set(counts)) == 1 and near and abs(apart(float32, exact)) <= 0.01


def compare_texts(args, folders, llamas):
    good = True
    for name, text in texts(args.tokens).items():
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            ids = llamas[0].tokenize(text.encode(), add_bos=False, special=False)
            tokens = json.loads(run_hearth(args.hearth, "tokenize", "--model", folders[0], "--no-special", "--text", text))["ids"]
            good &= compare_perplexity(args, name, file.name, ids, folders, llamas)
        print(f"  tokens {'equal' if tokens == ids else 'DIFFER'}", flush=True)
        good &= tokens == ids
    return good


def prompt_ids(llama, question):
    template = llama.metadata["tokenizer.chat_template"]
    ends = [llama._model.token_get_text(token) for token in (llama.token_eos(), llama.token_bos())]
    prompt = Jinja2ChatFormatter(template, *ends)(messages=[{"role": "user", "content": question}]).prompt
    return llama.tokenize(prompt.encode(), add_bos=False, special=True)


def greedy(llama, prompt, tokens):
    llama.reset()
    answer, step = [], prompt
    while len(answer) < tokens and llama.token_eos() not in answer:
        llama.eval(step)
        step = [int(llama.scores[llama.n_tokens - 1].argmax())]
        answer += step
    return answer


def show_parting(llama, exact, question, prompt, ours, theirs):
    same = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    print(f"  {question}\n    after {same} equal tokens")
    if same == min(len(ours), len(theirs)):
        return
    exact.reset()
    exact.eval(prompt + ours[:same])
    logs = log_softmax(exact.scores[exact.n_tokens - 1])
    for name, ids in ("hearth", ours), ("llama.cpp", theirs):
        text = llama.detokenize(ids[same : same + 8]).decode(errors="replace")
        print(f"    {name + ':':10} {text!r}, exact log-probability of the first token {logs[ids[same]]:.3f}")


def compare_answers(args, folder, llama, exact):
    equal = equal_to_exact = theirs_to_exact = 0
    for question in QUESTIONS:
        ours = run_json(args.hearth, "generate", "--model", folder, "--prompt", question, "--temp", 0, "--max-tokens", args.max_tokens,
                        "--threads", args.threads)["tokens"]
        prompt = prompt_ids(llama, question)
        theirs, right = (greedy(model, prompt, args.max_tokens) for model in (llama, exact))
        equal += ours == theirs
        equal_to_exact += ours == right
        theirs_to_exact += theirs == right
        if ours != theirs:
            show_parting(llama, exact, question, prompt, ours, theirs)
    print(f"greedy answers of {len(QUESTIONS)}: hearth and llama.cpp equal {equal}, hearth and exact {equal_to_exact}, "
          f"llama.cpp and exact {theirs_to_exact}", flush=True)
    return equal > len(QUESTIONS) // 2


def calls_a_tool(args, folder):
    if "tools" not in json.loads((folder / "tokenizer_config.json").read_text()).get("chat_template", ""):
        return True
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(WEATHER, file)
        file.flush()
        answer = run_json(args.hearth, "generate", "--model", folder, "--tools", file.name, "--prompt", "What is the weather in Paris?",
                          "--temp", 0, "--max-tokens", args.max_tokens, "--threads", args.threads)
    calls = answer["tool_calls"]
    print(f"asked for the weather: {answer['text']!r}\n  tool_calls: {json.dumps(calls)}")
    return any(call["name"] == "get_weather" and "Paris" in str(call["arguments"]) for call in calls)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", required=True)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--convert", action="append", default=[], metavar="FLAG", help="a flag for hearth convert, such as --requantize=8")
    parser.add_argument("--tokens", type=int, default=2000, help="of each text")
    parser.add_argument("--sequence-length", type=int, default=500)
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    without_repacking()
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / "model", Path(scratch) / "float32"]
        for folder, flags in zip(folders, (args.convert, ["--dtype", "float32"])):
            print(run_hearth(args.hearth, "convert", "--gguf", args.gguf, "--mlx-path", folder, *flags), end="", flush=True)
        write_as_float32(args.gguf, Path(scratch) / "exact.gguf")
        llama = load(args.gguf, args)
        exact = load(Path(scratch) / "exact.gguf", args, type_k=gguf.GGMLQuantizationType.F32, type_v=gguf.GGMLQuantizationType.F32)
        good = compare_texts(args, folders, (llama, exact))
        good &= compare_answers(args, folders[0], llama, exact)
        good &= calls_a_tool(args, folders[0])
    print("as it should be" if good else "NOT as it should be")
    sys.exit(not good)


if __name__ == "__main__":
    main()
