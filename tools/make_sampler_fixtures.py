"""Writes src/generate/testdata/sampler.json: what mlx-lm's samplers and logits processors do to given logits.

    pip install mlx-lm && python tools/make_sampler_fixtures.py

For each sampler case the tokens that survive the filters, for each processor case the logits that come out.
"""

import json
import pathlib

import mlx.core as mx
import mlx_lm.sample_utils as sample_utils
import numpy as np

OUT = pathlib.Path(__file__).parent.parent / "src/generate/testdata/sampler.json"
VOCABULARY = 200


def survivors(logits, **options):
    seen = {}

    def record(logprobs, temp):
        seen["logprobs"] = np.array(logprobs)
        return mx.argmax(logprobs, axis=-1)

    draw, sample_utils.categorical_sampling = sample_utils.categorical_sampling, record
    row = mx.array(logits)[None]
    sample_utils.make_sampler(temp=1.0, **options)(row - mx.logsumexp(row, keepdims=True))
    sample_utils.categorical_sampling = draw
    return [int(i) for i in np.flatnonzero(np.isfinite(seen["logprobs"][0]))]


def processed(logits, history, **options):
    row = mx.array(logits)[None]
    for processor in sample_utils.make_logits_processors(**options):
        row = processor(mx.array(history), row)
    return [float(x) for x in np.array(row[0])]


def main():
    rng = np.random.default_rng(7)
    rows = [np.round(rng.normal(size=VOCABULARY) * spread, 4).astype(np.float32) for spread in (0.05, 1, 3, 8)]
    rows.append(np.zeros(VOCABULARY, np.float32))  # all alike
    rows[-1][17] = 1
    sampler_options = [
        {},
        *[{"top_p": p} for p in (0.05, 0.3, 0.9, 0.999, 1.0)],
        *[{"min_p": p, "min_tokens_to_keep": k} for p in (0.01, 0.2, 1.0) for k in (1, 5)],
        *[{"top_k": k} for k in (1, 7, 199)],
        *[{"xtc_probability": 1.0, "xtc_threshold": t, "xtc_special_tokens": s} for t in (0.0, 0.01, 0.1, 0.5)
          for s in ([], [3, 17, 120])],
        {"top_p": 0.95, "min_p": 0.02, "top_k": 20, "xtc_probability": 1.0, "xtc_threshold": 0.05},
        {"top_p": 0.8, "min_p": 0.3, "min_tokens_to_keep": 4},
    ]
    cases = []
    for index, row in enumerate(rows):
        for options in sampler_options:
            # Which of equal logits a count keeps is not defined.
            if index == 4 and ("top_k" in options or options.get("min_tokens_to_keep", 1) > 1):
                continue
            cases.append({"row": index, "options": options, "survivors": survivors(row, **options)})

    history = [int(t) for t in rng.integers(0, 40, size=60)]
    processor_options = [
        {"logit_bias": {5: 2.5, 40: -100.0}},
        {"repetition_penalty": 1.3}, {"repetition_penalty": 0.7, "repetition_context_size": 5},
        {"repetition_penalty": 1.1, "repetition_context_size": 0},
        {"presence_penalty": 0.5}, {"presence_penalty": -0.25, "presence_context_size": 7},
        {"frequency_penalty": 0.3, "frequency_context_size": 50}, {"frequency_penalty": 0.3},
        {"logit_bias": {history[-1]: -1.5}, "repetition_penalty": 1.2, "presence_penalty": 0.1,
         "frequency_penalty": 0.2},
    ]
    processors = [{"row": 1, "options": {**o, **({"logit_bias": sorted(o["logit_bias"].items())} if "logit_bias" in o
                                                else {})}, "logits": processed(rows[1], history, **o)}
                  for o in processor_options]
    text = json.dumps({"rows": [[round(float(x), 4) for x in row] for row in rows], "history": history, "samplers": cases,
                       "processors": processors})
    OUT.write_text(text.replace('}, {"row"', '},\n {"row"') + "\n")


if __name__ == "__main__":
    main()
