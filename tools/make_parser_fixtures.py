#!/usr/bin/env python3
"""Vectors for the output parser: for each format, answers written in its syntax and what they mean.

What an answer means is fixed before it is written (a scenario); a renderer per format then writes it, from the formats' own descriptions. Where
mlx-lm has a parser for a format, it must read the same calls, or this script stops.
Needs: pip install mlx-lm (tools/requirements.txt).      Usage: make_parser_fixtures.py > src/text/testdata/output_vectors.jsonl
"""
import importlib
import json
import sys

TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {
        "city": {"type": "string"}, "days": {"type": "integer"}, "metric": {"type": "boolean"}, "limit": {"type": "number"},
        "note": {"type": ["string", "null"]}, "tags": {"type": "array"}, "where": {"type": "object"}}}}},
    {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}},
    {"type": "function", "function": {"name": "write-file", "parameters": {"type": "object", "properties": {
        "path": {"type": "string"}, "text": {"type": "string"}}}}},
]

# Whose parameters nobody knows.
BARE_TOOLS = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]

ONE = [("get_weather", {"city": "Paris"})]
SCENARIOS = {  # name: (reasoning, content before, calls)
    "one call": ("", "", ONE),
    "no arguments": ("", "", [("get_time", {})]),
    "two calls": ("", "", [("get_weather", {"city": "Rome", "days": 3}), ("get_time", {})]),
    "three calls": ("", "", [("get_time", {}), ("get_weather", {"days": 1}), ("get_weather", {"days": 2})]),
    "content before": ("", "Let me look.", ONE),
    "reasoning before": ("They want the weather.\nI call a tool.", "", ONE),
    "reasoning and content": ("Hm, (a < b) and [c]?", "One moment: ", ONE),
    "numbers and words": ("", "", [("get_weather", {"days": -7, "limit": 2.5, "metric": True, "note": None})]),
    "nested": ("", "", [("get_weather", {"tags": ["a", "b, c", ["d"]], "where": {"lat": 1.5, "box": {"x": [1, 2], "y": "z"}}})]),
    "commas and brackets": ("", "", [("get_weather", {"city": "a, b) [c] {d} e=f: (g"})]),
    "code": ("", "", [("write-file", {"path": "a/b.py", "text": "def f(x):\n    return {'k': x}  # done\n\nprint(f(1) < 2)"})]),
    "languages": ("", "", [("get_weather", {"city": "Zürich 東京 🙂 café"})]),
}
SOME_SYNTAXES_LACK = {"pythonic": {"code"}, "llama4_pythonic": {"code"}}  # names with a hyphen are not Python

dumps = lambda value: json.dumps(value, ensure_ascii=False)
plain = lambda value: value if isinstance(value, str) else dumps(value)


def gemma(value, mark):
    if isinstance(value, str):
        return mark + value + mark
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}:{gemma(v, mark)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(gemma(v, mark) for v in value) + "]"
    return dumps(value)


def pythonic(calls):
    return "[" + ", ".join(f"{n}({', '.join(f'{k}={v!r}' for k, v in a.items())})" for n, a in calls) + "]"


def xml(calls, call, parameter, joint=""):
    return joint.join(call(n, "".join(parameter(k, v) for k, v in a.items())) for n, a in calls)


def dsml(calls, block, space=""):
    """DeepSeek's: the block's name changed with V4, and V4.1 put a space before the names of all tags."""
    tag = lambda name: f"<｜DSML｜{space}{name}"
    body = xml(calls, lambda n, p: f'{tag("invoke")} name="{n}">\n{p}{tag("invoke").replace("<", "</")}>\n',
               lambda k, v: f'{tag("parameter")} name="{k}" string="{"true" if isinstance(v, str) else "false"}">{plain(v)}{tag("parameter").replace("<", "</")}>\n')
    return f"{tag(block)}>\n{body}{tag(block).replace('<', '</')}>"


def nested(value):
    """MiniMax M3's: arrays and objects as elements, a mark before every tag; null is nothing."""
    if isinstance(value, (list, dict)):
        entries = value.items() if isinstance(value, dict) else [("item", v) for v in value]
        return "".join(f"{NS}<{k}>{nested(v)}{NS}</{k}>" for k, v in entries)
    return "" if value is None else plain(value)


NS = "]<]minimax[>["


def hy3(calls, suffix):
    tag = lambda name, close="": f"<{close}{name}{suffix}>"
    pair = lambda k, v: f"{tag('arg_key')}{k}{tag('arg_key', '/')}\n{tag('arg_value')}{plain(v)}{tag('arg_value', '/')}\n"
    return tag("tool_calls") + "\n" + xml(calls, lambda n, p: f"{tag('tool_call')}{n}{tag('tool_sep')}\n{p}{tag('tool_call', '/')}\n", pair) + tag("tool_calls", "/")


def xtml(calls):
    kind = lambda v: {bool: "boolean", type(None): "null", str: "string", dict: "object", list: "array"}.get(type(v), "number")
    inner = "".join(f'<|open|>call tool="{n}" index="{i + 1}"<|sep|>' + "".join(f'<|open|>argument key="{k}" type="{kind(v)}"<|sep|>{plain(v)}<|close|>argument<|sep|>' for k, v in a.items())
                    + "<|close|>call<|sep|>" for i, (n, a) in enumerate(calls))
    return f"<|open|>tools<|sep|>{inner}<|close|>tools<|sep|>"


cdata = lambda v: f"<![CDATA[{v}]]>" if isinstance(v, str) and any(c in v for c in "<&\n") else str(v)
objects = lambda calls, name="name", arguments="arguments": dumps([{name: n, arguments: a} for n, a in calls])
SYNTAX = {
    "hermes": lambda calls: "\n".join(f"<tool_call>\n{dumps({'name': n, 'arguments': a})}\n</tool_call>" for n, a in calls),
    "qwen3_coder": lambda calls: "\n".join("<tool_call>\n" + xml([c], lambda n, p: f"<function={n}>\n{p}</function>", lambda k, v: f"<parameter={k}>\n{plain(v)}\n</parameter>\n")
                                           + "\n</tool_call>" for c in calls),
    "glm47": lambda calls: "\n".join(f"<tool_call>{n}\n" + "".join(f"<arg_key>{k}</arg_key>\n<arg_value>{plain(v)}</arg_value>\n" for k, v in a.items()) + "</tool_call>" for n, a in calls),
    "longcat": lambda calls: "\n".join(f"<longcat_tool_call>{n}\n" + "".join(f"<longcat_arg_key>{k}</longcat_arg_key>\n<longcat_arg_value>{plain(v)}</longcat_arg_value>\n"
                                       for k, v in a.items()) + "</longcat_tool_call>" for n, a in calls),
    "minimax_m2": lambda calls: "<minimax:tool_call>\n" + xml(calls, lambda n, p: f'<invoke name="{n}">\n{p}</invoke>\n', lambda k, v: f'<parameter name="{k}">{plain(v)}</parameter>\n')
                                + "</minimax:tool_call>",
    "deepseek_v32": lambda calls: dsml(calls, "function_calls"),
    "deepseek_v4": lambda calls: dsml(calls, "tool_calls"),
    "deepseek_v41": lambda calls: dsml(calls, "calls", " "),
    "deepseek_v3": lambda calls: "<｜tool▁calls▁begin｜>" + "\n".join(f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{n}\n```json\n{dumps(a)}\n```<｜tool▁call▁end｜>" for n, a in calls)
                                 + "<｜tool▁calls▁end｜>",
    "deepseek_v31": lambda calls: "<｜tool▁calls▁begin｜>" + "".join(f"<｜tool▁call▁begin｜>{n}<｜tool▁sep｜>{dumps(a)}<｜tool▁call▁end｜>" for n, a in calls) + "<｜tool▁calls▁end｜>",
    "kimi_k2": lambda calls: "<|tool_calls_section_begin|>" + "".join(f"<|tool_call_begin|>functions.{n}:{i}<|tool_call_argument_begin|>{dumps(a)}<|tool_call_end|>"
                             for i, (n, a) in enumerate(calls)) + "<|tool_calls_section_end|>",
    "mistral": lambda calls: "".join(f"[TOOL_CALLS]{n}[ARGS]{dumps(a)}" for n, a in calls),
    "mistral_json": lambda calls: "[TOOL_CALLS]" + dumps([{"name": n, "arguments": a, "id": f"abc{i:06d}"} for i, (n, a) in enumerate(calls)]),
    "pythonic": lambda calls: f"<|tool_call_start|>{pythonic(calls)}<|tool_call_end|>",
    "llama4_pythonic": pythonic,
    "llama3_json": lambda calls: "; ".join(dumps({"name": n, "parameters": a}) for n, a in calls),
    "cohere": lambda calls: "<|START_ACTION|>" + dumps([{"tool_call_id": str(i), "tool_name": n, "parameters": a} for i, (n, a) in enumerate(calls)]) + "<|END_ACTION|>",
    "command_r": lambda calls: "Action: ```json\n" + json.dumps([{"tool_name": n, "parameters": a} for n, a in calls], ensure_ascii=False, indent=4) + "\n```",
    "granite": lambda calls: "<|tool_call|>" + objects(calls),
    "phi4": lambda calls: "<|tool_call|>" + dumps([{"type": "function", "function": {"name": n, "arguments": a}} for n, a in calls]) + "<|/tool_call|>",
    "nemotron": lambda calls: "<TOOLCALL>" + objects(calls) + "</TOOLCALL>",
    "gemma4": lambda calls: "".join(f"<|tool_call>call:{n}{gemma(a, chr(60) + '|' + chr(34) + '|>')}<tool_call|>" for n, a in calls),
    "minicpm5": lambda calls: xml(calls, lambda n, p: f'<function name="{n}">{p}</function>', lambda k, v: f'<param name="{k}">{cdata(v)}</param>', "\n"),
    "xlam": objects,
    "tool_calls": lambda calls: "<tool_calls>[\n    " + ",\n    ".join(dumps({"name": n, "arguments": a}) for n, a in calls) + "\n]</tool_calls>",
    "apriel": lambda calls: "<tool_calls>" + objects(calls) + "</tool_calls>",
    "hunyuan": lambda calls: "<tool_calls>" + objects(calls) + "</tool_calls>",
    "hy_v3": lambda calls: hy3(calls, ""),
    "hy_v3_opensource": lambda calls: hy3(calls, ":opensource"),
    "functionary_v31": lambda calls: "".join(f"<function={n}>{dumps(a)}</function>" for n, a in calls),
    "seed_oss": lambda calls: "".join("\n<seed:tool_call>\n" + xml([c], lambda n, p: f"<function={n}>\n{p}</function>", lambda k, v: f"<parameter={k}>{v}</parameter>\n")
                                      + "\n</seed:tool_call>" for c in calls).lstrip(),
    "apertus": lambda calls: "<|tools_prefix|>" + dumps([{n: a} for n, a in calls]) + "<|tools_suffix|>",
    "kimi_k3": xtml,
    "minimax_m3": lambda calls: f"{NS}<tool_call>\n" + xml(calls, lambda n, p: f'{NS}<invoke name="{n}">{p}{NS}</invoke>\n', lambda k, v: f"{NS}<{k}>{nested(v)}{NS}</{k}>") + f"{NS}</tool_call>",
    "step3": lambda calls: "<｜tool_calls_begin｜>" + xml(calls, lambda n, p: f'<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="{n}">{p}</steptml:invoke><｜tool_call_end｜>',
                                                          lambda k, v: f'<steptml:parameter name="{k}">{plain(v)}</steptml:parameter>') + "<｜tool_calls_end｜>",
    "olmo3": lambda calls: "<function_calls>\n" + "\n".join(f"{n}({', '.join(f'{k}={dumps(v)}' for k, v in a.items())})" for n, a in calls) + "\n</function_calls>",
    "gigachat3": lambda calls: "".join("<|function_call|>" + dumps({"name": n, "arguments": a}) for n, a in calls),
    "internlm2": lambda calls: "\n".join("<|action_start|><|plugin|>\n" + dumps({"name": n, "parameters": a}) + "<|action_end|>" for n, a in calls),
    "function_gemma": lambda calls: "".join(f"<start_function_call>call:{n}{gemma(a, '<escape>')}<end_function_call>" for n, a in calls),
}
THINK = {"longcat": ("<longcat_think>", "</longcat_think>"), "mistral": ("[THINK]", "[/THINK]"), "mistral_json": ("[THINK]", "[/THINK]"),
         "cohere": ("<|START_THINKING|>", "<|END_THINKING|>"), "gemma4": ("<|channel>thought", "<channel|>"),
         "minimax_m3": ("<mm:think>", "</mm:think>"), "kimi_k3": ("<|open|>think<|sep|>", "<|close|>think<|sep|>"), "seed_oss": ("<seed:think>", "</seed:think>"),
         "apertus": ("<|inner_prefix|>", "<|inner_suffix|>"), "apriel": ("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
         "hy_v3_opensource": ("<think:opensource>", "</think:opensource>"), "functionary_v31": None, "gigachat3": None,
         "function_gemma": None, "command_r": None, "llama3_json": None, "llama4_pythonic": None}
FORMAT_OF = {"deepseek_v31": "deepseek_v3", "mistral_json": "mistral"}
MLX_LM = {"hermes": "json_tools", "qwen3_coder": "qwen3_coder", "glm47": "glm47", "longcat": "longcat", "minimax_m2": "minimax_m2", "kimi_k2": "kimi_k2",
          "mistral": "mistral", "mistral_json": "mistral", "pythonic": "pythonic", "gemma4": "gemma4", "kimi_k3": "kimi_k3", "minicpm5": "minicpm5"}
# Answers that are no calls: (text, what is content, how many malformed calls). The text is never lost.
BROKEN = {
    "hermes": ['<tool_call>\n{"name": "f", "arguments": {"a": 1', '<tool_call>{"name": 1}</tool_call>', "<tool_call>{'name': 'it's'}</tool_call> after",
               '<tool_call>{"name": "f", "arguments": [1]}</tool_call>', '<tool_call>{"arguments": {}}</tool_call>', "<tool_call></tool_call>"],
    "qwen3_coder": ["<tool_call>\n<function=f>\n<parameter=a>\n1", "<tool_call>\n<function=>\n</function>\n</tool_call>", "<tool_call>\n<oops>\n</tool_call>"],
    "glm47": ["<tool_call>f\n<arg_key>a</arg_key>\n<oops>\n</tool_call>", "<tool_call>f\n<arg_key>a"],
    "longcat": ["<longcat_tool_call>f\n<longcat_arg_key>a</longcat_arg_key>oops</longcat_tool_call>"],
    "minimax_m2": ['<minimax:tool_call>\n<invoke name="f">\n<parameter name="a">1', "<minimax:tool_call>oops</minimax:tool_call>"],
    "deepseek_v32": ['<｜DSML｜function_calls>\n<｜DSML｜invoke name="f">\n<｜DSML｜parameter name="a">1</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>'],
    "deepseek_v3": ["<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{oops}<｜tool▁call▁end｜><｜tool▁calls▁end｜>", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>"],
    "kimi_k2": ["<|tool_calls_section_begin|><|tool_call_begin|>f<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>"],
    "mistral": ["[TOOL_CALLS]f[ARGS]{oops", "[TOOL_CALLS]", '[TOOL_CALLS][{"name": "f", "arguments": {"a": 1'],
    "pythonic": ["<|tool_call_start|>[f(1)]<|tool_call_end|>", "<|tool_call_start|>[f(a=open('x'))]<|tool_call_end|>", "<|tool_call_start|>[f(a='x"],
    "cohere": ["<|START_ACTION|>oops<|END_ACTION|>"],
    "nemotron": ["<TOOLCALL>oops</TOOLCALL>", '<TOOLCALL>[{"name": "f"'],
    "command_r": ["Action: ```json\noops\n```"],
    "granite": ["<|tool_call|>oops"],
    "phi4": ['<|tool_call|>[{"type": "function", "function": {"arguments": {}}}]<|/tool_call|>'],
    "gemma4": ["<|tool_call>call:f{a<tool_call|>", "<|tool_call>f{}<tool_call|>"],
    "function_gemma": ["<start_function_call>call:f{a:<escape>x"],
    "deepseek_v4": ['<｜DSML｜tool_calls>\n<｜DSML｜invoke name="f">\n<｜DSML｜parameter name="a" string="false">{oops</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>'],
    "minicpm5": ['<function name="f"><param name="a">1', '<function name=""></function>', '<function name="f">oops</function>', '<function name="f"><param name="a"><![CDATA[</param></function>'],
    "tool_calls": ["<tool_calls>oops</tool_calls>", "<tool_calls></tool_calls>"],
    "hy_v3": ["<tool_calls>\n<tool_call>f<tool_sep>\n<arg_key>a</arg_key>\noops</tool_call>\n</tool_calls>", "<tool_calls>oops</tool_calls>"],
    "functionary_v31": ['<function=f>{"a": 1', "<function=f>{oops}", '<function=>{}'],
    "seed_oss": ["<seed:tool_call>\n<function=f>\n<parameter=a>1", "<seed:tool_call>\n<oops>\n</seed:tool_call>"],
    "apertus": ["<|tools_prefix|>[oops]<|tools_suffix|>", '<|tools_prefix|>[{"f": 1}]<|tools_suffix|>', "<|tools_prefix|>[{}]<|tools_suffix|>", '<|tools_prefix|>[{"": {}}]<|tools_suffix|>'],
    "kimi_k3": ["<|open|>tools<|sep|>oops<|close|>tools<|sep|>", '<|open|>tools<|sep|><|open|>call index="1"<|sep|><|close|>call<|sep|><|close|>tools<|sep|>', '<|open|>tools<|sep|><|open|>call tool="f" index="1"<|sep|>',
                '<|open|>tools<|sep|><|open|>call tool="f" index="1"<|sep|><|open|>argument key="a" type="number"<|sep|>oops<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|>'],
    "minimax_m3": [f"{NS}<tool_call>oops{NS}</tool_call>", f"{NS}<tool_call>{NS}</tool_call>", f'{NS}<tool_call>{NS}<invoke name="f">{NS}<a>1', f'{NS}<tool_call>{NS}<invoke name="f">oops{NS}</invoke>{NS}</tool_call>',
                   f'{NS}<tool_call>{NS}<invoke name="f">{NS}</a>{NS}</invoke>{NS}</tool_call>'],
    "step3": ["<｜tool_calls_begin｜>oops<｜tool_calls_end｜>"],
    "olmo3": ["<function_calls>\nf(1)\n</function_calls>", "<function_calls></function_calls>"],
    "gigachat3": ["<|function_call|>oops"],
    "internlm2": ["<|action_start|><|plugin|>oops<|action_end|>"],
}
# Plain answers that look a little like calls or thoughts: all of it is content.
PLAIN = ["", "Hello.", "a < b and [c] (d) {e}", "ends like a marker <", "ends like a marker <tool", "ends like one [TOOL_CAL", "{", "[", "[1, 2, 3]", "[see](http://x)",
         '{"answer": 42, "name": "Bob"}', '{"name": "nobody", "parameters": {"a": 1}}', "```json\n{}\n```", "</tool_call>", "functools.reduce(f, x)", "\n\n  spaced out \n"]


def check_with_mlx_lm(kind, text, calls):
    parser = importlib.import_module("mlx_lm.tool_parsers." + MLX_LM[kind])
    found, rest = [], text
    while (at := rest.find(parser.tool_call_start)) >= 0:
        rest = rest[at + len(parser.tool_call_start):]
        end = rest.find(parser.tool_call_end) if parser.tool_call_end else (rest + parser.tool_call_start).find(parser.tool_call_start)
        parsed = parser.parse_tool_call(rest[:end], TOOLS)
        found += parsed if isinstance(parsed, list) else [parsed]
        rest = rest[end:]
    expected = [{"name": n, "arguments": a} for n, a in calls]
    found = [{"name": f["name"], "arguments": f["arguments"]} for f in found]
    if found != expected:
        sys.exit(f"mlx-lm reads {kind} otherwise:\n{text}\n{found}\n{expected}")


def vectors():
    for kind, write in SYNTAX.items():
        think = THINK.get(kind, ("<think>", "</think>"))
        for scenario, (reasoning, before, calls) in SCENARIOS.items():
            if scenario in SOME_SYNTAXES_LACK.get(kind, ()) or (reasoning and not think):
                continue
            if before and kind in ("llama3_json", "llama4_pythonic", "xlam"):
                continue  # calls without markers are recognised at the beginning of an answer only
            body = write(calls)
            if kind in MLX_LM and not (kind == "longcat" and any(not a for _, a in calls)):  # it fails on calls without arguments
                check_with_mlx_lm(kind, body, calls)
            text = (think[0] + reasoning + think[1] if reasoning else "") + before + body
            ids = {"kimi_k2": [f"functions.{n}:{i}" for i, (n, _) in enumerate(calls)], "cohere": [str(i) for i in range(len(calls))],
                   "mistral_json": [f"abc{i:06d}" for i in range(len(calls))]}.get(kind)
            yield {"format": FORMAT_OF.get(kind, kind), "case": f"{kind}: {scenario}", "text": text, "reasoning": reasoning, "content": before,
                   "calls": [{"name": n, "arguments": a} for n, a in calls], "ids": ids, "malformed": 0}
        if think:
            for text, reasoning, content in [(f"{think[0]}a{think[1]}b", "a", "b"), (f"x{think[0]}a{think[1]}b{think[0]}c{think[1]}d", "ac", "xbd"), (f"{think[0]}never closed <", "never closed <", "")]:
                yield {"format": FORMAT_OF.get(kind, kind), "case": f"{kind}: thinking", "text": text, "reasoning": reasoning, "content": content, "calls": [], "malformed": 0}
        for text in BROKEN.get(kind, ()):
            yield {"format": FORMAT_OF.get(kind, kind), "case": f"{kind}: broken", "text": text, "reasoning": "", "content": text, "calls": [], "malformed": 1}
        for text in PLAIN:
            yield {"format": FORMAT_OF.get(kind, kind), "case": f"{kind}: plain", "text": text, "reasoning": "", "content": text, "calls": [], "malformed": 0}
    yield from harmony()
    yield from functionary()
    yield from particular()


def harmony():
    message = lambda head, body, end: f"<|start|>assistant{head}<|message|>{body}{end}"
    for scenario, (reasoning, before, calls) in SCENARIOS.items():
        parts = [message("<|channel|>analysis", reasoning, "<|end|>")] if reasoning else []
        parts += [message("<|channel|>commentary", before, "<|end|>")] if before else []
        parts += [message(f"<|channel|>commentary to=functions.{n} <|constrain|>json", dumps(a), "<|call|>") for n, a in calls]
        text = "".join(parts).removeprefix("<|start|>assistant")
        yield {"format": "harmony", "case": f"harmony: {scenario}", "text": text, "reasoning": reasoning, "content": before,
               "calls": [{"name": n, "arguments": a} for n, a in calls], "malformed": 0}
    rest = {"format": "harmony", "calls": [], "malformed": 0}
    yield rest | {"case": "harmony: final", "text": "<|channel|>analysis<|message|>Think.<|end|><|start|>assistant<|channel|>final<|message|>Hi < there<|return|>", "reasoning": "Think.", "content": "Hi < there"}
    yield rest | {"case": "harmony: recipient first", "text": ' to=functions.f<|channel|>commentary json<|message|>{"a": 1}', "reasoning": "", "content": "", "calls": [{"name": "f", "arguments": {"a": 1}}]}
    broken = "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{oops"
    yield rest | {"case": "harmony: broken", "text": broken + "<|call|>", "reasoning": "", "content": broken, "malformed": 1}
    for text in PLAIN:
        yield rest | {"case": "harmony: plain", "text": text, "reasoning": "", "content": text}


def functionary():
    rest = {"format": "functionary_v32", "reasoning": "", "calls": [], "malformed": 0}
    for scenario, (reasoning, before, calls) in SCENARIOS.items():
        if reasoning:
            continue
        text = ">>>".join((["all\n" + before] if before else []) + [f"{n}\n{dumps(a)}" for n, a in calls])
        for start in ("", ">>>"):  # the prompt ends in the first one
            yield rest | {"case": f"functionary_v32: {scenario}", "text": start + text, "content": before, "calls": [{"name": n, "arguments": a} for n, a in calls]}
    yield rest | {"case": "functionary_v32: a doctest", "text": "all\n>>> f(1)\n2\n>>>g\n", "content": ">>> f(1)\n2\n>>>g\n"}
    yield rest | {"case": "functionary_v32: text after a call", "text": "get_time\n{}\n>>>all\nDone.", "content": "Done.", "calls": [{"name": "get_time", "arguments": {}}]}
    yield rest | {"case": "functionary_v32: a first line of one word", "text": "get_time\nis a tool.", "content": "get_time\nis a tool."}
    for broken in ("get_time\n{oops", 'get_time\n{"a": 1'):
        yield rest | {"case": "functionary_v32: broken", "text": broken, "content": broken, "malformed": 1}
    for text in PLAIN:
        yield rest | {"case": "functionary_v32: plain", "text": text, "content": text}


def particular():
    call = lambda n, **a: {"name": n, "arguments": a}
    rest = {"reasoning": "", "content": "", "malformed": 0}
    yield rest | {"format": "hermes", "case": "arguments before the name", "text": '<tool_call>{"arguments": {"a": 1}, "name": "f"}</tool_call>', "calls": [call("f", a=1)]}
    yield rest | {"format": "hermes", "case": "arguments as a string", "text": '<tool_call>{"name": "f", "arguments": "{\\"a\\": 1}"}</tool_call>', "calls": [call("f", a=1)]}
    yield rest | {"format": "hermes", "case": "arguments null", "text": '<tool_call>{"name": "f", "arguments": null}</tool_call>', "calls": [call("f")]}
    yield rest | {"format": "hermes", "case": "an array", "text": '<tool_call>[{"name": "f", "arguments": {}}, {"name": "g", "arguments": {"b": [2]}}]</tool_call>', "calls": [call("f"), call("g", b=[2])]}
    yield rest | {"format": "hermes", "case": "several in one tag", "text": '<tool_call>{"name": "f", "arguments": {}}\n{"name": "g", "arguments": {}}</tool_call>', "calls": [call("f"), call("g")]}
    yield rest | {"format": "hermes", "case": "no end marker", "text": '<tool_call>{"name": "f", "arguments": {}}', "calls": [call("f")]}
    yield rest | {"format": "hermes", "case": "text after", "text": '<tool_call>{"name": "f", "arguments": {}}</tool_call>\n\nDone.', "calls": [call("f")], "content": "\n\nDone."}
    yield rest | {"format": "hermes", "case": "bad, then good", "text": '<tool_call>{oops}</tool_call><tool_call>{"name": "f", "arguments": {}}</tool_call>', "calls": [call("f")],
                  "content": "<tool_call>{oops}</tool_call>", "malformed": 1}
    yield rest | {"format": "hermes", "case": "unclosed, then good", "text": '<tool_call>{oops <tool_call>{"name": "f", "arguments": {}}</tool_call>', "calls": [call("f")],
                  "content": "<tool_call>{oops ", "malformed": 1}
    yield rest | {"format": "hermes", "case": "a marker inside a string", "text": '<tool_call>{"name": "f", "arguments": {"a": "</tool_call> <think>"}}</tool_call>', "calls": [call("f", a="</tool_call> <think>")]}
    yield rest | {"format": "hermes", "case": "from thinking to a call", "text": '<think>hm<tool_call>{"name": "f", "arguments": {}}</tool_call>', "reasoning": "hm", "calls": [call("f")]}
    yield rest | {"format": "qwen3_coder", "case": "a date stays text", "text": "<tool_call>\n<function=get_weather>\n<parameter=city>\n2024-01-31\n</parameter>\n<parameter=days>\n5.0\n</parameter>\n</function>\n</tool_call>",
                  "calls": [call("get_weather", city="2024-01-31", days=5)]}
    yield rest | {"format": "qwen3_coder", "case": "a list in Python's words", "text": "<tool_call>\n<function=get_weather>\n<parameter=tags>\n['a', None, True]\n</parameter>\n</function>\n</tool_call>",
                  "calls": [call("get_weather", tags=["a", None, True])]}
    yield rest | {"format": "qwen3_coder", "case": "an integer that is none", "text": "<tool_call>\n<function=get_weather>\n<parameter=days>\nsoon\n</parameter>\n</function>\n</tool_call>", "calls": [call("get_weather", days="soon")]}
    long = "0123456789 <para\n" * 40
    yield rest | {"format": "qwen3_coder", "case": "a long text", "text": f"<tool_call>\n<function=write-file>\n<parameter=text>\n{long}\n</parameter>\n</function>\n</tool_call>", "calls": [call("write-file", text=long)]}
    yield rest | {"format": "mistral", "case": "with an id", "text": '[TOOL_CALLS]f[CALL_ID]abc123def[ARGS]{"a": 1}', "calls": [call("f", a=1)], "ids": ["abc123def"]}
    yield rest | {"format": "pythonic", "case": "JSON's words", "text": "<|tool_call_start|>[f(a=true, b={'x': null}, c=(1, 2), d=\"it's, ok\")]<|tool_call_end|>", "calls": [call("f", a=True, b={"x": None}, c=[1, 2], d="it's, ok")]}
    yield rest | {"format": "phi4", "case": "functools", "text": 'functools[{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}]', "calls": [call("f", a=1), call("g")]}
    yield rest | {"format": "llama3_json", "case": "python tag", "text": '<|python_tag|>{"name": "f", "parameters": {"a": 1}}<|eom_id|>', "calls": [call("f", a=1)]}
    yield rest | {"format": "llama3_json", "case": "type and function", "text": '{"type": "function", "name": "get_time", "parameters": {}}', "calls": [call("get_time")]}
    yield rest | {"format": "function_gemma", "case": "a bare word", "text": "<start_function_call>call:get_weather{city:Paris}<end_function_call>", "calls": [call("get_weather", city="Paris")]}
    yield rest | {"format": "minicpm5", "case": "entities", "text": "<function name='get_weather'><param name='city'>a &lt; b &amp;amp; c</param></function>", "calls": [call("get_weather", city="a < b &amp; c")]}
    yield rest | {"format": "minicpm5", "case": "a closing tag in CDATA", "text": '<function name="write-file">\n<param name="text"> <![CDATA[\n</param>\n]]> </param>\n</function>', "calls": [call("write-file", text="\n</param>\n")]}
    yield rest | {"format": "kimi_k3", "case": "an object for all arguments", "text": '<|open|>response<|sep|>So:<|close|>response<|sep|><|open|>tools<|sep|><|open|>call tool="f" index="1"<|sep|><|open|>json type="object"<|sep|>'
                  '{"a": [1]}<|close|>json<|sep|><|close|>call<|sep|><|close|>tools<|sep|><|close|>message<|sep|><|end_of_msg|>', "calls": [call("f", a=[1])], "content": "So:"}
    yield rest | {"format": "kimi_k3", "case": "names with quotes", "text": '<|open|>tools<|sep|>\n<|open|>call tool="f" index="1"<|sep|>\n<|open|>argument key="a&quot;&amp;" type="string"<|sep|>' + long
                  + '<|close|>argument<|sep|>\n<|close|>call<|sep|>\n<|close|>tools<|sep|>', "calls": [{"name": "f", "arguments": {'a"&': long}}]}
    yield rest | {"format": "kimi_k3", "case": "forgotten ends", "text": '<|open|>tools<|sep|><|open|>call tool="f" index="1"<|sep|><|open|>call tool="g" index="2"<|sep|><|close|>tools<|sep|>', "calls": [call("f"), call("g")]}
    yield rest | {"format": "minimax_m3", "case": "forgotten ends", "text": f'{NS}<tool_call>{NS}<invoke name="get_weather">{NS}<city>Rome{NS}<days>3{NS}</invoke>{NS}<invoke name="get_time">{NS}</tool_call>',
                  "calls": [call("get_weather", city="Rome", days=3), call("get_time")]}
    yield rest | {"format": "minimax_m3", "case": "spaces", "text": f'{NS} <tool_call>', "calls": [], "content": f"{NS} <tool_call>"}
    yield rest | {"format": "minimax_m3", "case": "text stays exact", "text": f'{NS}<tool_call>{NS}<invoke name="write-file">{NS}<text> a\n{NS}</text>{NS}<path>007{NS}</path>{NS}</invoke>{NS}</tool_call>',
                  "calls": [call("write-file", text=" a\n", path="007")]}
    yield rest | {"format": "minimax_m3", "case": "arguments named like tags", "text": f'{NS}<tool_call>{NS}<invoke name="f">{NS}<invoke>1{NS}</invoke>{NS}<tool_call>{NS}<item>2{NS}</item>{NS}</tool_call>{NS}</invoke>{NS}</tool_call>',
                  "calls": [call("f", invoke=1, tool_call=[2])]}
    yield rest | {"format": "minimax_m3", "case": "no thinking", "text": "</mm:think>Hello", "calls": [], "content": "Hello"}
    yield rest | {"format": "command_r", "case": "the fence on a line of its own", "text": 'Action:\n```json\n[{"tool_name": "f", "parameters": {"a": 1}}]```', "calls": [call("f", a=1)]}
    yield rest | {"format": "apertus", "case": "one object", "text": '<|tools_prefix|>{"f": null}<|tools_suffix|>', "calls": [call("f")]}
    yield rest | {"format": "hunyuan", "case": "answer marks", "text": "<think>\nt\n</think>\n<answer>\nHello\n</answer>", "reasoning": "\nt\n", "content": "\nHello", "calls": []}
    yield rest | {"format": "apriel", "case": "with an id", "text": '\n<tool_calls>[{"name": "f", "arguments": {"a": 1}, "id": "x1"}]</tool_calls>', "content": "\n", "calls": [call("f", a=1)]}
    yield rest | {"format": "tool_calls", "case": "one a line", "text": '<tool_calls>\n{"name": "f", "arguments": {}}\n{"name": "g", "arguments": {}}\n</tool_calls>', "calls": [call("f"), call("g")]}
    yield rest | {"format": "cohere", "case": "response marks", "text": "<|START_THINKING|>t<|END_THINKING|><|START_RESPONSE|>Hello<|END_RESPONSE|>", "reasoning": "t", "content": "Hello", "calls": []}


if __name__ == "__main__":
    print(json.dumps({"tools": TOOLS + BARE_TOOLS}))
    for vector in vectors():
        print(json.dumps(vector, ensure_ascii=False))
