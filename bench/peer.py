#!/usr/bin/env python3
"""One peer on one GGUF file, as one JSON line: prompt_tps for 512 tokens, generation_tps after contexts of 8 and of 512, load_ms, first_token_ms.

Usage: peer.py {llama.cpp|openvino-exact|openvino-fast} MODEL.gguf [RUNS=3]
openvino-fast rounds activations to 8 bits (its default); openvino-exact computes in bfloat16. Values are medians over RUNS.
"""
import json
import os
import statistics
import sys
import time

PROMPT, SHORT, GENERATE, FIRST = 512, 8, 64, 30
CORES = len(os.sched_getaffinity(0))


def tokens(count):
    return [3 + (7919 * i) % 40000 for i in range(count)]


def llama_cpp(path, runs):
    from llama_cpp import Llama

    start = time.perf_counter()
    model = Llama(path, n_ctx=PROMPT + GENERATE + 16, n_threads=CORES, n_threads_batch=CORES, n_batch=512, verbose=False)
    loaded = time.perf_counter()
    model.eval(tokens(FIRST))
    first = time.perf_counter()

    def rate(count, run):
        begin = time.perf_counter()
        run()
        return count / (time.perf_counter() - begin)

    def generate():
        for i in range(GENERATE):
            model.eval([100 + i])

    def run():
        model.reset()
        prompt = rate(PROMPT, lambda: model.eval(tokens(PROMPT)))
        long = rate(GENERATE, generate)
        model.reset()
        model.eval(tokens(SHORT))
        return prompt, rate(GENERATE, generate), long

    return loaded - start, first - start, [run() for _ in range(runs)]


def openvino(path, runs, exact):
    import numpy as np
    import openvino as ov
    import openvino_genai as genai

    options = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0", "INFERENCE_PRECISION_HINT": "bf16"} if exact else {}
    start = time.perf_counter()
    pipeline = genai.LLMPipeline(path, "CPU", **options)
    loaded = time.perf_counter()

    def metrics(count, new_tokens):
        config = genai.GenerationConfig()
        config.max_new_tokens, config.ignore_eos, config.do_sample = new_tokens, True, False
        ids = np.array([tokens(count)], dtype=np.int64)
        inputs = genai.TokenizedInputs(ov.Tensor(ids), ov.Tensor(np.ones_like(ids)))
        return pipeline.generate(inputs, config).perf_metrics

    metrics(FIRST, 1)
    first = time.perf_counter()

    def run():
        long, short = metrics(PROMPT, GENERATE), metrics(SHORT, GENERATE)
        return PROMPT / long.get_ttft().mean * 1e3, 1e3 / short.get_tpot().mean, 1e3 / long.get_tpot().mean

    return loaded - start, first - start, [run() for _ in range(runs)]


def main():
    name, path, runs = sys.argv[1], sys.argv[2], int((sys.argv[3:] + ["3"])[0])
    load, first, results = llama_cpp(path, runs) if name == "llama.cpp" else openvino(path, runs, name == "openvino-exact")
    prompt, short, long = (statistics.median(values) for values in zip(*results))
    print(json.dumps({"load_ms": round(load * 1e3, 1), "first_token_ms": round(first * 1e3, 1), "prompt_tps": round(prompt, 1),
                      "generation_tps_8": round(short, 1), "generation_tps_512": round(long, 1)}))


if __name__ == "__main__":
    main()
