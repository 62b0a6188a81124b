#!/usr/bin/env python3
"""Writes src/core/testdata/ops.safetensors: inputs and results of operations as MLX computes them.

Inputs are called x0, x1, ...; a result is called "<operation>|<variant>|<i of several>|<its inputs>".
src/core/ops/ops_test.cpp runs each operation by name.
Needs: pip install mlx numpy (tools/requirements.txt). Run from the repository's root.
"""
import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)
rng = np.random.default_rng(20)
tensors = {}


inputs_seen = {}  # id of an array -> (array, its name)


def input_name(x):
    if id(x) not in inputs_seen:
        inputs_seen[id(x)] = (x, f"x{len(inputs_seen)}")
        tensors[inputs_seen[id(x)][1]] = mx.contiguous(x)
    return inputs_seen[id(x)][1]


def case(name, variant, inputs, outputs):
    if not isinstance(outputs, (list, tuple)):
        outputs = [outputs]
    names = ",".join(input_name(x) for x in inputs)
    for i, x in enumerate(outputs):
        tensors[f"{name}|{variant}|{i}|{names}"] = mx.contiguous(x)


def real(*shape, dtype=mx.float32, low=-2.0, high=2.0):
    return mx.array(rng.uniform(low, high, shape).astype(np.float32)).astype(dtype)


def whole(*shape, dtype=mx.int32, low=-9, high=10):
    return mx.array(rng.integers(low, high, shape)).astype(dtype)


def name_of(dtype):
    return str(dtype).removeprefix("mlx.core.")


FLOATS = [mx.float32, mx.float16, mx.bfloat16]
INTS = [mx.int8, mx.int16, mx.int32, mx.int64, mx.uint8, mx.uint16, mx.uint32, mx.uint64]

UNARY = {t: real(3, 7, dtype=t) for t in FLOATS}
POSITIVE = {t: real(3, 7, dtype=t, low=0.01, high=9) for t in FLOATS}
for op in ["abs", "negative", "sign", "floor", "ceil", "round", "square", "exp", "expm1", "sigmoid", "erf", "sin", "cos",
           "tan", "arctan", "sinh", "cosh", "tanh", "arcsinh", "degrees", "radians", "reciprocal", "isnan", "isinf", "isfinite"]:
    for t, x in UNARY.items():
        case(op, name_of(t), [x], getattr(mx, op)(x))
for op in ["sqrt", "rsqrt", "log", "log2", "log10", "log1p"]:
    for t, x in POSITIVE.items():
        case(op, name_of(t), [x], getattr(mx, op)(x))
for op in ["arcsin", "arccos", "arctanh", "erfinv"]:
    x = real(3, 7, low=-0.99, high=0.99)
    case(op, "float32", [x], getattr(mx, op)(x))
x = real(3, 7, low=1.01, high=9)
case("arccosh", "float32", [x], mx.arccosh(x))
for t in INTS:
    x = whole(2, 9, dtype=t, low=0 if "uint" in name_of(t) else -9)
    case("abs", name_of(t), [x], mx.abs(x))
    case("square", name_of(t), [x], mx.square(x))
    case("exp", name_of(t), [x], mx.exp(x))
    case("bitwise_invert", name_of(t), [x], mx.bitwise_invert(x))
    case("logical_not", name_of(t), [x], mx.logical_not(x))
special = mx.array([0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1e-40, 3.4e38])
for op in ["isnan", "isinf", "isfinite", "isposinf", "isneginf", "exp", "tanh", "sigmoid", "nan_to_num", "abs", "sign"]:
    case(op, "special", [special], getattr(mx, op)(special))
x = real(3, 7)
case("round_decimals", "float32", [x], mx.round(x, 2))

BINARY = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "equal", "not_equal", "greater", "greater_equal",
          "less", "less_equal", "logical_and", "logical_or"]
PAIRS = {name_of(t): (real(3, 5, dtype=t), real(3, 5, dtype=t)) for t in FLOATS} | {
    "broadcast": (real(2, 1, 5), real(4, 1)),
    "bfloat16_int32": (real(2, 3, dtype=mx.bfloat16), whole(3)),
    "bfloat16_float16": (real(2, 3, dtype=mx.bfloat16), real(2, 3, dtype=mx.float16)),
    "int8_uint8": (whole(7, dtype=mx.int8), whole(7, dtype=mx.uint8, low=1)),
    "int64_uint32": (whole(7, dtype=mx.int64), whole(7, dtype=mx.uint32, low=1)),
}
for op in BINARY:
    for variant, (a, b) in PAIRS.items():
        case(op, variant, [a, b], getattr(mx, op)(a, b))
POSITIVE_PAIRS = {t: (real(3, 5, dtype=t, low=0.5, high=4), real(3, 5, dtype=t, low=0.5, high=3)) for t in FLOATS}
for op in ["floor_divide", "remainder", "power", "logaddexp", "arctan2"]:
    f = getattr(mx, op)
    for t, (a, b) in POSITIVE_PAIRS.items():
        case(op, name_of(t), [a, b], f(a, b))
for t in INTS:
    a = whole(2, 9, dtype=t, low=0 if "uint" in name_of(t) else -9)
    b = whole(9, dtype=t, low=1, high=5)
    for op in ["floor_divide", "remainder", "power", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"]:
        case(op, name_of(t), [a, b], getattr(mx, op)(a, b))
a, b = real(3, 5), real(3, 5)
case("remainder", "signs", [a, b], mx.remainder(a, b))
c = mx.array(rng.integers(0, 2, (3, 1)).astype(bool))
for t in FLOATS:
    x, y = real(3, 5, dtype=t), real(5, dtype=t)
    case("where", name_of(t), [c, x, y], mx.where(c, x, y))
    case("clip", name_of(t), [x], mx.clip(x, -0.5, 0.75))
case("isclose", "float32", [special, special], mx.isclose(special, special))
for source in FLOATS + [mx.int8, mx.uint16, mx.int64, mx.bool_]:
    x = (real(6, low=0, high=5) if source in FLOATS else whole(6, low=0)).astype(source)
    for to in FLOATS + [mx.int32, mx.uint8, mx.int64, mx.bool_]:
        case("astype_" + name_of(to), name_of(source), [x], x.astype(to))

CUBES = {t: real(3, 4, 5, dtype=t) for t in FLOATS}
for op in ["sum", "prod", "max", "min", "mean", "var", "std", "logsumexp"]:
    f = getattr(mx, op)
    for t, x in CUBES.items():
        case(op, name_of(t), [x], f(x))
        case(op + "_axis1", name_of(t), [x], f(x, axis=1))
        case(op + "_axes02_keep", name_of(t), [x], f(x, axis=(0, 2), keepdims=True))
COUNTS = {t: whole(2, 4, 3, dtype=t, low=1, high=4) for t in INTS}
for op in ["sum", "prod", "max", "min"]:
    for t, x in COUNTS.items():
        case(op + "_axis1", name_of(t), [x], getattr(mx, op)(x, axis=1))
x = mx.array(rng.integers(0, 2, (3, 4, 5)).astype(bool))
for op in ["all", "any", "sum"]:
    case(op + "_axis1", "bool", [x], getattr(mx, op)(x, axis=1))
for t in FLOATS + [mx.int32]:
    x = real(4, 37, dtype=t) if t in FLOATS else whole(4, 37)
    for op in ["argmax", "argmin"]:
        case(op, name_of(t), [x], getattr(mx, op)(x))
        case(op + "_axis0", name_of(t), [x], getattr(mx, op)(x, axis=0))
    case("sort_axis0", name_of(t), [x], mx.sort(x, axis=0))
    case("sort", name_of(t), [x], mx.sort(x, axis=None))
    case("argsort_last", name_of(t), [x], mx.argsort(x, axis=-1))
    case("topk_sorted", name_of(t), [x], mx.sort(mx.topk(x, 5, axis=-1), axis=-1))
    case("partition_kth", name_of(t), [x], mx.partition(x, 7, axis=-1)[:, 7])
for t in FLOATS:
    x = real(3, 4, 33, dtype=t, low=-8, high=8)
    case("softmax_last", name_of(t), [x], mx.softmax(x, axis=-1, precise=True))
    case("softmax_axis1", name_of(t), [x], mx.softmax(x, axis=1, precise=True))
    case("cumsum_axis1", name_of(t), [x], mx.cumsum(x, axis=1))
    case("cumsum_reverse_exclusive", name_of(t), [x], mx.cumsum(x, axis=1, reverse=True, inclusive=False))
    case("cummax_axis1", name_of(t), [x], mx.cummax(x, axis=1))
x = whole(3, 4, low=1, high=4)
case("cumprod_axis1", "int32", [x], mx.cumprod(x, axis=1))

x = whole(2, 3, 4)
case("transpose", "int32", [x], mx.transpose(x))
case("transpose_201", "int32", [x], mx.transpose(x, (2, 0, 1)))
case("reshape_of_transpose", "int32", [x], mx.reshape(mx.transpose(x, (0, 2, 1)), (4, 6)))
case("moveaxis", "int32", [x], mx.moveaxis(x, 0, 2))
case("flatten", "int32", [x], mx.flatten(x, 1, 2))
case("unflatten", "int32", [x], mx.unflatten(x, 2, (2, -1)))
case("slice_strided", "int32", [x], x[:, ::2, 1:3])
case("slice_reversed", "int32", [x], x[:, ::-1, 3:0:-2])
u = whole(2, 1, 2)
y = mx.array(x)
y[:, 1:2, 1:3] = u
case("slice_update", "int32", [x, u], y)
y = mx.array(x)
y[:, ::2, :] = mx.array(5)
case("slice_update_strided", "int32", [x], y)
case("concatenate_axis1", "int32", [x, x[:, :1]], mx.concatenate([x, x[:, :1]], axis=1))
case("stack_axis1", "int32", [x, x + 1], mx.stack([x, x + 1], axis=1))
case("split_indices", "int32", [x], mx.split(x, [1, 3], axis=2))
case("repeat_axis1", "int32", [x], mx.repeat(x, 3, axis=1))
case("tile", "int32", [x], mx.tile(x, (2, 1, 1, 2)))
case("pad", "int32", [x], mx.pad(x, [(1, 0), (0, 2), (1, 1)], constant_values=7))
case("pad_edge", "int32", [x], mx.pad(x, [(1, 0), (0, 2), (1, 1)], mode="edge"))
case("roll", "int32", [x], mx.roll(x, 2, axis=2))
case("flip", "int32", [x], x[:, ::-1, :])
case("diagonal", "int32", [x], mx.diagonal(x, 1, 1, 2))
v = whole(4)
case("diag", "int32", [v], mx.diag(v, -1))
case("tril", "int32", [x], mx.tril(x, 1))
case("triu", "int32", [x], mx.triu(x, 1))
f = real(2, 3)
case("view_uint16", "float32", [f], f.view(mx.uint16))
case("broadcast_to", "int32", [v], mx.broadcast_to(v, (3, 4)))
case("linspace", "float32", [], mx.linspace(-1, 2, 7))
case("arange_step", "float32", [], mx.arange(1.0, 4.0, 0.3))
case("arange_int", "int32", [], mx.arange(9, 1, -3))
case("eye", "float32", [], mx.eye(3, 5, 1))

i = whole(2, 2, low=-3, high=3)
case("take_axis1", "int32", [x, i], mx.take(x, i, axis=1))
case("take_flat", "int32", [x, i], mx.take(x, i))
i = whole(2, 2, 4, low=-3, high=3)
case("take_along_axis1", "int32", [x, i], mx.take_along_axis(x, i, axis=1))
i = mx.array([[[0]], [[2]]])
val = whole(2, 1, 1)
case("put_along_axis1", "int32", [x, i, val], mx.put_along_axis(x, i, val, axis=1))
r, c = mx.array([0, 1, 1]), mx.array([2, 0, 2])
case("gather_rows", "int32", [x, r, c], mx.expand_dims(x[r, c], (1, 2)))
up = whole(3, 1, 1, 4)
case("scatter_add", "int32", [x, r, c, up], x.at[r, c].add(up.reshape(3, 4)))

for t in FLOATS:
    a, b = real(3, 5, 16, dtype=t), real(16, 7, dtype=t)
    case("matmul", name_of(t), [a, b], a @ b)
    a, b = real(2, 1, 3, 16, dtype=t), real(4, 16, 5, dtype=t)
    case("matmul", "batched_" + name_of(t), [a, b], a @ b)
    w = real(9, 16, dtype=t)
    case("matmul_transposed", name_of(t), [a, w], a @ w.T)
    c, a, b = real(7, dtype=t), real(3, 16, dtype=t), real(16, 7, dtype=t)
    case("addmm", name_of(t), [c, a, b], mx.addmm(c, a, b, 0.5, 2.0))
a, b = real(16), real(16)
case("matmul", "vectors", [a, b], a @ b)
a, b = real(3, 4), real(5, 4)
case("inner", "float32", [a, b], mx.inner(a, b))
case("outer", "float32", [a, b], mx.outer(a, b))
a, b = real(2, 3, 4), real(3, 4, 5)
case("tensordot2", "float32", [a, b], mx.tensordot(a, b, 2))
for t in FLOATS:
    for bits in [2, 3, 4, 5, 6, 8]:
        for group in ([32, 64] if bits in (3, 4) else [64]):
            w, x = real(5, 128, dtype=t), real(3, 128, dtype=t)
            q = mx.quantize(w, group_size=group, bits=bits)
            suffix = f"_{bits}_{group}"
            if t == mx.float32 or bits == 4:
                case("quantize" + suffix, name_of(t), [w], list(q))
            # MLX's own CPU kernels round after every step in 16-bit types. Here weights are rounded once and products are
            # summed in float32, so MLX computes these in float32.
            wide = mx.dequantize(q[0], q[1].astype(mx.float32), q[2].astype(mx.float32), group_size=group, bits=bits)
            dense = wide.astype(t)
            case("dequantize" + suffix, name_of(t), list(q), dense)
            y = x.astype(mx.float32) @ dense.astype(mx.float32).T
            case("quantized_matmul" + suffix, name_of(t), [x, *q], y.astype(t))
w, x = real(6, 64), real(3, 6)
q = mx.quantize(w, group_size=32, bits=4)
case("quantized_matmul_plain", "float32", [x, *q], mx.quantized_matmul(x, *q, transpose=False, group_size=32, bits=4))

for t in FLOATS:
    x, w, b = real(2, 3, 40, dtype=t), real(40, dtype=t), real(40, dtype=t)
    case("rms_norm", name_of(t), [x, w], mx.fast.rms_norm(x, w, 1e-5))
    case("rms_norm_plain", name_of(t), [x], mx.fast.rms_norm(x, None, 1e-5))
    case("layer_norm", name_of(t), [x, w, b], mx.fast.layer_norm(x, w, b, 1e-5))
    x = real(2, 3, 5, 16, dtype=t)
    case("rope", name_of(t), [x], mx.fast.rope(x, 16, traditional=False, base=10000.0, scale=1.0, offset=7))
    case("rope_traditional_part", name_of(t), [x], mx.fast.rope(x, 8, traditional=True, base=500.0, scale=0.5, offset=3))
    f, o = real(8, low=1, high=50), mx.array([3, 11])
    case("rope_freqs_offsets", name_of(t), [x, o, f],
         mx.fast.rope(x, 16, traditional=False, base=None, scale=1.0, offset=o, freqs=f))
    q, k, v = real(2, 4, 3, 16, dtype=t), real(2, 2, 9, 16, dtype=t), real(2, 2, 9, 16, dtype=t)
    case("attention", name_of(t), [q, k, v], mx.fast.scaled_dot_product_attention(q, k, v, scale=0.25))
    case("attention_causal", name_of(t), [q, k, v], mx.fast.scaled_dot_product_attention(q, k, v, scale=0.25, mask="causal"))
    m = mx.array(rng.integers(0, 2, (3, 9)).astype(bool))
    m = mx.logical_or(m, mx.arange(9) == 0)
    case("attention_mask", name_of(t), [q, k, v, m], mx.fast.scaled_dot_product_attention(q, k, v, scale=0.25, mask=m))
    s = real(4, dtype=t)
    case("attention_sinks", name_of(t), [q, k, v, s], mx.fast.scaled_dot_product_attention(q, k, v, scale=0.25, mask="causal", sinks=s))

key = mx.random.key(1234567890123)
case("random_split", "3", [key], mx.random.split(key, 3))
for t in FLOATS:
    case("random_uniform_" + name_of(t), "9", [key], mx.random.uniform(-1, 3, (9,), t, key))
    case("random_normal_" + name_of(t), "9", [key], mx.random.normal((9,), t, key=key))
case("random_gumbel", "9", [key], mx.random.gumbel((9,), key=key))
case("random_randint", "9", [key], mx.random.randint(-5, 50, (9,), key=key))
p = real(4, 6, low=0, high=1)
case("random_bernoulli", "4x6", [key, p], mx.random.bernoulli(p, (4, 6), key))
logits = real(5, 30, low=-3, high=3)
case("random_categorical", "last", [key, logits], mx.random.categorical(logits, key=key))
case("random_categorical_samples", "axis0", [key, logits], mx.random.categorical(logits, axis=0, num_samples=4, key=key))

mx.eval(tensors)
mx.save_safetensors("src/core/testdata/ops.safetensors", tensors)
