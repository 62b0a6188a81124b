#!/usr/bin/env python3
"""One thread of Hearth beside one of the `tokenizers` library: loading, encoding, decoding, in one run.

    python tools/bench_tokenizers.py --bench build/release/src/text/text_bench --text FILE MODEL_DIR...

Configure with -DHEARTH_BENCHMARKS=ON first. Prints, for each tokenizer, both speeds and their ratio, medians.
"""
import argparse
import json
import lzma
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

os.environ.update(TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")
from tokenizers import Tokenizer  # noqa: E402  (the variables must be set before)


def median(action, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = action()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def ours(bench, file, text):
    """Medians in milliseconds of each benchmark."""
    output = subprocess.run([bench, "--benchmark_filter=^(Load|Encode|Decode)$", "--benchmark_format=json", "--benchmark_repetitions=5"],
                            capture_output=True, check=True, env={**os.environ, "HEARTH_TOKENIZER": file, "HEARTH_TEXT": text}).stdout
    return {run["run_name"]: run["real_time"] for run in json.loads(output)["benchmarks"] if run.get("aggregate_name") == "median"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", default="build/release/src/text/text_bench")
    parser.add_argument("--text", required=True)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    text = pathlib.Path(options.text).read_text(encoding="utf-8")
    size = len(text.encode())
    for model in options.models:
        packed = model / "tokenizer.json.xz"
        content = lzma.open(packed).read() if packed.exists() else (model / "tokenizer.json").read_bytes()
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            file.write(content)
            file.flush()
            load, reference = median(lambda: Tokenizer.from_file(file.name), 7)
            encode, encoding = median(lambda: reference.encode(text), 3)
            decode, _ = median(lambda: reference.decode(encoding.ids), 3)
            theirs = {"Load": load * 1e3, "Encode": encode * 1e3, "Decode": decode * 1e3}
            hearth = ours(options.bench, file.name, options.text)
        print(model.name)
        for what in ("Load", "Encode", "Decode"):
            show = (lambda ms: f"{ms:9.1f} ms") if what == "Load" else (lambda ms: f"{size / ms / 1e3:7.2f} MB/s")
            print(f"  {what:7} tokenizers {show(theirs[what])}   hearth {show(hearth[what])}   {theirs[what] / hearth[what]:5.1f} x")


if __name__ == "__main__":
    main()
