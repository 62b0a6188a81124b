"""Stores what mlx.core.quantize and dequantize give, for src/core/cpu/quantize_test.cpp.

    python tools/make_quantize_fixtures.py        (needs mlx and numpy)

One file, little-endian: for each case the line "type bits group rows columns" and then, as raw bytes, the weights, the
packed codes, the scales, the biases and the dequantized weights.
"""

import pathlib

import mlx.core as mx
import numpy as np

ROWS, COLUMNS = 3, 128
OUT = pathlib.Path(__file__).parent.parent / "src/core/cpu/testdata/quantize.bin"


def raw(array):
    return bytes(memoryview(array.view(mx.uint8)))


def weights(rng, dtype):
    w = rng.normal(0, 0.05, (ROWS, COLUMNS)).astype(np.float32)
    w[1] += 0.3  # one sign only
    w[2, :32] = 0.25  # a constant group
    w[2, 32:64] = 0.0
    w[2, 64:96] = np.round(w[2, 64:96] * 32) / 32  # ties
    w[2, 96:128] *= 1e-4
    return mx.array(w).astype(dtype)


def main():
    mx.set_default_device(mx.cpu)
    rng = np.random.default_rng(20)
    out = bytearray()
    for name, dtype in (("float32", mx.float32), ("float16", mx.float16), ("bfloat16", mx.bfloat16)):
        for bits in (2, 3, 4, 5, 6, 8):
            for group in (32, 64, 128):
                w = weights(rng, dtype)
                packed, scales, biases = mx.quantize(w, group_size=group, bits=bits)
                back = mx.dequantize(packed, scales, biases, group_size=group, bits=bits)
                mx.eval(w, packed, scales, biases, back)
                out += f"{name} {bits} {group} {ROWS} {COLUMNS}\n".encode()
                for array in (w, packed, scales, biases, back):
                    out += raw(array)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(out)
    print(OUT, len(out), "bytes")


if __name__ == "__main__":
    main()
