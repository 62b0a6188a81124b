#!/usr/bin/env python3
"""Vectors for the output parser: answers with the mistakes that models make, through every format of a kind, and what is meant.

The meaning is fixed first (a call, its arguments, the text around it); a renderer per format writes it; a trouble then breaks the
text in one place. `repaired` says whether the call must say so. Needs nothing.
Usage: make_trouble_fixtures.py > src/text/testdata/output_troubles.jsonl
"""
import json

from make_parser_fixtures import THINK, gemma

TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {k: {"type": t} for k, t in parameters.items()}}}}
         for name, parameters in (("weather", {"city": "string", "days": "integer"}), ("save", {"path": "string", "text": "string", "mode": "string"}), ("ping", {}))]
SAVE = ("save", {"path": "a.md", "text": "hi"})
dumps = lambda value: json.dumps(value, ensure_ascii=False)


# ---- formats whose arguments are JSON: name and the arguments' text -> answer. `outer` ends the object around the arguments.
def objects(start, end, keys=("name", "arguments"), array=False, before="", outer="}"):
    return lambda n, a: start + ("[" if array else "") + "{" + before + f'"{keys[0]}": "{n}", "{keys[1]}": {a}{outer}' + ("]" if array else "") + end


SECTION = ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>", "<｜tool▁call▁end｜><｜tool▁calls▁end｜>")
JSON = {
    "hermes": objects("<tool_call>\n", "\n</tool_call>"), "glm47": objects("<tool_call>", "</tool_call>"), "longcat": objects("<longcat_tool_call>", "</longcat_tool_call>"),
    "cohere": objects("<|START_ACTION|>", "<|END_ACTION|>", ("tool_name", "parameters"), True, '"tool_call_id": "0", '),
    "command_r": objects("Action: ```json\n", "\n```", ("tool_name", "parameters"), True), "granite": objects("<|tool_call|>", "", array=True),
    "phi4": objects("<|tool_call|>", "<|/tool_call|>", array=True, before='"type": "function", "function": {', outer="}}"), "nemotron": objects("<TOOLCALL>", "</TOOLCALL>", array=True),
    "llama3_json": objects("<|python_tag|>", "", ("name", "parameters")), "llama3_json bare": objects("", "", ("name", "parameters")),
    "llama4_pythonic": objects("<|python_start|>", "<|python_end|>", ("name", "parameters")), "pythonic": objects("<|tool_call_start|>", "<|tool_call_end|>", array=True),
    "mistral": objects("[TOOL_CALLS]", "", array=True), "mistral args": lambda n, a: f"[TOOL_CALLS]{n}[ARGS]{a}",
    "kimi_k2": lambda n, a: f"<|tool_calls_section_begin|><|tool_call_begin|>functions.{n}:0<|tool_call_argument_begin|>{a}<|tool_call_end|><|tool_calls_section_end|>",
    "deepseek_v3": lambda n, a: f"{SECTION[0]}function<｜tool▁sep｜>{n}\n```json\n{a}\n```{SECTION[1]}", "deepseek_v3 short": lambda n, a: f"{SECTION[0]}{n}<｜tool▁sep｜>{a}{SECTION[1]}",
    "harmony": lambda n, a: f"<|channel|>commentary to=functions.{n} <|constrain|>json<|message|>{a}<|call|>",
}
# The arguments as a model wrote them, and what it meant (None: nobody can tell).
WRITTEN = {
    "raw control characters": ('{"path": "a.md", "text": "\tif x {\n\t\tgo\x01\r\n\t}"}', {"path": "a.md", "text": "\tif x {\n\t\tgo\x01\r\n\t}"}),
    "Python's quotes": ("{'path': 'a \"b\".md', 'text': \"it's\"}", {"path": 'a "b".md', "text": "it's"}),
    "Python's words": ('{"path": True, "text": None, "mode": [False]}', {"path": True, "text": None, "mode": [False]}),
    "an apostrophe escaped": (r'{"text": "it\'s", "path": "é\n"}', {"text": "it's", "path": "é\n"}),
    "a comma too many": ('{"path": "a.md", "text": ["x", ], }', {"path": "a.md", "text": ["x"]}),
    "an apostrophe that ends its string": ("{'text': 'it's'}", None),
    "a string without end": ('{"text": "a}', None),
    "an escape of no language": (r'{"text": "a\d"}', None),
    "a key without quotes": ('{text: "a"}', None),
    "a bracket of the wrong kind inside": ('{"text": ["a"}, "path": "b"}', None),
}


def json_troubles():
    for kind, write in JSON.items():
        for case, (written, meant) in WRITTEN.items():
            yield kind, case, write("save", written), [("save", meant)] if meant else [], meant is not None
        whole = write("save", '{"path": "a.md", "text": "hi"}')
        last = whole.rindex("}")
        if not kind.startswith("mistral args"):  # nothing marks its end
            yield kind, "a bracket missing", whole[:last] + whole[last + 1:], [SAVE], True
        if kind not in ("harmony", "mistral args") and "deepseek" not in kind and kind != "kimi_k2":
            yield kind, "all brackets missing", whole[:last - whole[:last + 1].count("}") + 1] + whole[last + 1:], [SAVE], True
        yield kind, "a name that nobody offered", write("erase", '{"path": "a.md"}'), [], False
    for end in ("", "\n", "}", "\n</tool", "}}\n", "]}}"):
        yield "hermes", "the answer ends", '<tool_call>\n{"name": "save", "arguments": {"path": "a.md", "text": "hi"' + end, [SAVE], end != "}}\n"
    for cut in ('"te', '"text": "h', '"text": 12', '"text": tr', ""):
        yield "hermes", "the answer is cut", '<tool_call>{"name": "save", "arguments": {"path": "a.md", ' + cut, [], False
    yield "hermes", "cut before the arguments", '<tool_call>{"name": "save"', [], False
    yield "hermes", "a bracket too many", '<tool_call>\n{"name": "save", "arguments": {"path": "a.md", "text": "hi"}}}\n</tool_call>', [SAVE], False
    yield "hermes", "a number before the end", '<tool_call>{"name": "weather", "arguments": {"days": 12</tool_call>', [("weather", {"days": 12})], True
    yield "hermes", "Python's words in a string", '<tool_call>{"name": "save", "arguments": "{\'path\': None}"}</tool_call>', [("save", {"path": None})], True
    yield "pythonic", "a bracket missing", '<|tool_call_start|>[save(path="a.md", text="hi"]<|tool_call_end|>', [SAVE], True
    yield "pythonic", "all brackets missing", '<|tool_call_start|>[save(path="a.md", text=["hi"<|tool_call_end|>', [("save", {"path": "a.md", "text": ["hi"]})], True
    yield "pythonic", "the answer ends", '<|tool_call_start|>[save(path="a.md", text="hi"', [SAVE], True
    yield "pythonic", "the answer is cut", '<|tool_call_start|>[weather(days=1', [], False
    yield "deepseek_v32", "Python's words", TAGGED["deepseek_v32"].whole("weather", [TAGGED["deepseek_v32"].value("days", "[True, 'a']").replace('"true"', '"false"')]), \
        [("weather", {"days": [True, "a"]})], True
    yield "gemma4", "a bracket missing", "<|tool_call>call:save{path:<|\"|>a.md<|\"|>,text:<|\"|>hi<|\"|><tool_call|>", [SAVE], True
    yield "function_gemma", "a bracket missing", "<start_function_call>call:save{path:<escape>a.md<escape>,text:<escape>hi<escape><end_function_call>", [SAVE], True


# ---- formats with a tag around each value
class Tags:
    def __init__(self, region, call, key, value_end, layout="\n"):
        self.region, self.call, self.key, self.value_end, self.layout = region, call, key, value_end, layout

    def value(self, key, value, close=None):
        close = self.value_end if close is None else close
        return self.key(key) + self.layout + value + (self.layout + close if close else "") + "\n"

    def whole(self, name, values, call_end=None, region_end=None):
        return self.region[0] + self.call[0](name) + "".join(values) + (self.call[1] if call_end is None else call_end) + (self.region[1] if region_end is None else region_end)


PAIRS = lambda p: Tags((f"<{p}tool_call>", f"</{p}tool_call>"), (lambda n: n + "\n", ""), lambda k: f"<{p}arg_key>{k}</{p}arg_key>\n<{p}arg_value>", f"</{p}arg_value>", "")
TAGGED = {
    "qwen3_coder": Tags(("<tool_call>\n", "</tool_call>"), (lambda n: f"<function={n}>\n", "</function>\n"), lambda k: f"<parameter={k}>", "</parameter>"),
    "minimax_m2": Tags(("<minimax:tool_call>\n", "</minimax:tool_call>"), (lambda n: f'<invoke name="{n}">\n', "</invoke>\n"), lambda k: f'<parameter name="{k}">', "</parameter>", ""),
    "deepseek_v32": Tags(("<｜DSML｜function_calls>\n", "</｜DSML｜function_calls>"), (lambda n: f'<｜DSML｜invoke name="{n}">\n', "</｜DSML｜invoke>\n"),
                         lambda k: f'<｜DSML｜parameter name="{k}" string="true">', "</｜DSML｜parameter>", ""),
    "glm47": PAIRS(""), "longcat": PAIRS("longcat_"),
}


def tagged_troubles():
    for kind, t in TAGGED.items():
        path, text = t.value("path", "a.md"), t.value("text", "hi")
        case = lambda name, answer, calls=(SAVE,), repaired=True: (kind, name, answer, list(calls), repaired)
        one = lambda value: [("save", {"text": value})]
        yield case("the first close missing", t.whole("save", [t.value("path", "a.md", ""), text]))
        yield case("the last close missing", t.whole("save", [path, t.value("text", "hi", "")]))
        yield case("both missing", t.whole("save", [t.value("path", "a.md", ""), t.value("text", "hi", "")]))
        yield case("a close of another name", t.whole("save", [t.value("path", "a.md", "</path>"), t.value("text", "hi", "</text>")]))
        yield case("a close of no known name", t.whole("save", [path, t.value("text", "hi", "</value>")]))
        yield case("a close without >", t.whole("save", [t.value("path", "a.md", t.value_end[:-1]), t.value("text", "hi", t.value_end[:-1])]))
        if t.call[1]:
            yield case("a name without >", t.whole("save", [path, text]).replace('save">', 'save"').replace("save>", "save"))
            yield case("a parameter without >", t.whole("save", [path.replace(t.key("path"), t.key("path")[:-1] + "\n"), text]))
            yield case("no end of the call", t.whole("save", [path, text], ""))
            yield case("no end of the call, nor of the value", t.whole("save", [path, t.value("text", "hi", "")], ""))
            yield case("a bare call", t.call[0]("save") + path + text + t.call[1], repaired=False)
            yield case("a bare call with the region's end", t.whole("save", [path, text])[len(t.region[0]):], repaired=False)
            yield case("a bare call that nobody offered", t.call[0]("erase") + path + t.call[1], [], False)
        else:
            yield case("a key's close without >", t.whole("save", [path, text]).replace(t.key("text").split("\n")[0], t.key("text").split("\n")[0][:-1]))
            yield case("a key's close missing", t.whole("save", [path, text.replace("text" + t.key("x").split("\n")[0][t.key("x").index("x") + 1:], "text")]))
        yield case("no end of the region", t.whole("save", [path, text], None, ""), repaired=False)
        yield case("the answer ends behind a value", t.whole("save", [path, text], "", ""), repaired=bool(t.call[1]))
        yield case("the answer is cut in a value", t.region[0] + t.call[0]("save") + t.key("path") + t.layout + "a.m", [], False)
        yield case("two readings: a close inside, the last missing", t.whole("save", [t.value("text", f"a {t.value_end} b", "")]), [], False)
        for inside in (f"ends with {t.value_end} here", f"x\n{t.value_end}\ny", f"{t.region[1].strip()} stands here", f"a\n{t.region[1].strip()}\nb", f"{t.region[0]}", "<b>bold</b>", "a < b && c </b",
                       t.value_end[:-1], "as in " + t.key("other") + "inline", "<" * 50, f"{t.value_end}{t.value_end}", "</text> is a tag"):
            if inside.endswith("\n"):
                inside += "end"
            yield case(f"a mark inside: {inside}", t.whole("save", [t.value("text", inside)]), one(inside), False)
        yield case("a long text with marks", t.whole("save", [t.value("text", f"line {t.value_end} é\n" * 20 + "end")]), one(f"line {t.value_end} é\n" * 20 + "end"), False)
        yield case("tags balanced, the close missing", t.whole("save", [t.value("text", "<b>hi</b>", "")]), one("<b>hi</b>"), True)
        yield case("a parameter that the tool has not, on a line of its own", t.whole("save", [t.value("path", "a.md", ""), t.value("flavour", "x")]), [("save", {"path": "a.md", "flavour": "x"})])
        yield kind, "a name that nobody offered", t.whole("erase", [path]), [], False


# ---- thinking, tools that are not there, and calls without their marks: (format, case, text, reasoning, content, calls, repaired)
STARTS = {"hermes": "<tool_call>", "qwen3_coder": "<tool_call>", "glm47": "<tool_call>", "longcat": "<longcat_tool_call>", "minimax_m2": "<minimax:tool_call>", "deepseek_v32": "<｜DSML｜function_calls>",
          "deepseek_v3": "<｜tool▁calls▁begin｜>", "kimi_k2": "<|tool_calls_section_begin|>", "mistral": "[TOOL_CALLS]", "cohere": "<|START_ACTION|>", "phi4": "<|tool_call|>", "granite": "<|tool_call|>",
          "nemotron": "<TOOLCALL>", "pythonic": "<|tool_call_start|>", "gemma4": "<|tool_call>"}
CALLS_WHILE_THINKING = {"hermes", "qwen3_coder", "kimi_k2"}


def written(kind):
    if kind in TAGGED:
        return TAGGED[kind].whole("save", [TAGGED[kind].value("path", "a.md"), TAGGED[kind].value("text", "hi")])
    if kind == "gemma4":
        return "<|tool_call>call:save" + gemma(SAVE[1], '<|"|>') + "<tool_call|>"
    return JSON[kind]("save", dumps(SAVE[1]))


def thinking():
    for kind, start in STARTS.items():
        think = THINK.get(kind, ("<think>", "</think>"))
        call, inside = written(kind), kind in CALLS_WHILE_THINKING
        for thought in (f"Some use {start} or <function=...>.", f"{start}", f"{start}{start}", f"It begins with {start}\n{{\"name\": \"save\", \"arg", f"{start}\n<", f"{start} [x](y) {{'a'"):
            yield kind, "thinking about marks", think[0] + thought + think[1] + "Answer", thought, "Answer", [], False
            yield kind, "thinking about marks, then a call", think[0] + thought + think[1] + call, thought, "", [SAVE], False
        yield kind, "a call drafted", f"{think[0]}I could {call} here.{think[1]}Done.", "I could  here." if inside else f"I could {call} here.", "Done.", [SAVE] if inside else [], False
        erase = call.replace("save", "erase")
        yield kind, "a call drafted that nobody offered", f"{think[0]}I could {erase} here.{think[1]}Done.", f"I could {erase} here.", "Done.", [], False
        yield kind, "thinking never ends", f"{think[0]}so {start}", f"so {start}", "", [], False
    yield "hermes", "a broken call drafted", "<think>{'a'} <tool_call>{'name': 'save', 'arguments': {}}</tool_call></think>x", "{'a'} <tool_call>{'name': 'save', 'arguments': {}}</tool_call>", "x", [], False


def unmarked():
    call = '{"name": "save", "arguments": {"path": "a.md", "text": "hi"}}'
    ping = '{"name": "ping", "arguments": {}}'
    for kind in ("hermes", "llama3_json", "llama4_pythonic"):
        for before, after in (("", ""), ("I will look.\n", ""), ("I will look. ", ""), ("[1] {x} ", " and [2]."), ('{"a": 1}\n', "\nDone."), ("```python\nx = {}\n```\n", "")):
            yield kind, "text around an object", before + call + after, "", before + after, [SAVE], False
        yield kind, "two objects", f"{call}\n{ping}", "", "", [SAVE, ("ping", {})], False
        yield kind, "an object broken, one reading", "So: " + call.replace('"', "'").replace("}}", "}"), "", "So: ", [SAVE], True
        for text in ('{"name": "erase", "arguments": {"path": "a.md"}}', '{"name": "save"}', '{"name": "save", "arguments": {"path": "a.md"}, "colour": 1}'.replace('"name"', '"nom"'),
                     f'{{"calls": [{call}]}}', f'[{{"example": {call}}}]', '{"type": "object", "properties": {}}', "f(x) = {x | x > 0}", "{{{{", '[{"', '{"name": "save", "arguments": ', "```\n{", "[[[", "``` {"):
            yield kind, "JSON that is no call", text, "", text, [], False
    for kind in ("hermes", "llama3_json"):
        yield kind, "a fence", f"Like this:\n```json\n{call}\n```\nDone.", "", "Like this:\n\nDone.", [SAVE], False
        yield kind, "a fence without a word", f"```\n{call}\n```", "", "", [SAVE], False
        yield kind, "two in a fence", f"```json\n[{call}, {ping}]\n```", "", "", [SAVE, ("ping", {})], False
        for text in ("```json\n{\"a\": 1}\n```\nand `x`", f"```python\nprint({call})\n```", "```json\n```json\n```", "a ``` b", "```json", f"```json\n{call.replace('save', 'erase')}\n```"):
            yield kind, "a fence that holds no call", text, "", text, [], False
    yield "hermes", "tools tags", f"<tools>\n{call}\n</tools>", "", "", [SAVE], False
    yield "hermes", "tools tags in prose", "The <tools> list </tools> and <tools>{}</tools>.", "", "The <tools> list </tools> and <tools>{}</tools>.", [], False
    yield "llama4_pythonic", "text before a list", 'I look.\n[save(path="a.md", text="hi")]', "", "I look.\n", [SAVE], False
    yield "llama4_pythonic", "text around a list", 'See [1]: [save(path="a.md", text="hi")] [erase(x=1)]', "", "See [1]:  [erase(x=1)]", [SAVE], False
    for kind, once in (("mistral", '[{"name": "save", "arguments": {"path": "a.md", "text": "hi"}}]'), ("mistral", 'save[ARGS]{"path": "a.md", "text": "hi"}')):
        yield kind, "the mark twice", "[TOOL_CALLS][TOOL_CALLS]" + once, "", "", [SAVE], False
        yield kind, "two marks, two calls", "[TOOL_CALLS]" + once + "[TOOL_CALLS]" + once, "", "", [SAVE, SAVE], False
    yield "mistral", "no mark before the arguments", 'So: [TOOL_CALLS]save{"path": "a.md", "text": "hi"}', "", "So: ", [SAVE], False
    yield "mistral", "no mark before arguments that are none", "[TOOL_CALLS]save{oops", "", "[TOOL_CALLS]save{oops", [], False
    for kind, start in STARTS.items():
        yield kind, "the mark twice", start + "\n" + written(kind), "", "", [SAVE], False
        end = {"hermes": "</tool_call>", "qwen3_coder": "</tool_call>", "glm47": "</tool_call>", "nemotron": "</TOOLCALL>"}.get(kind)
        if end:
            yield kind, "the end mark twice", written(kind) + "\n" + end + "\nDone.", "", "\nDone.", [SAVE], False
            yield kind, "the end mark missing between calls", written(kind).removesuffix(end) + written(kind), "", "", [SAVE, SAVE], False
    yield "hermes", "a string without end, then a call", f'<tool_call>{{"name": "save", "arguments": {{"path": "a}}}}\n</tool_call>\n<tool_call>\n{call}\n</tool_call>', "", \
        '<tool_call>{"name": "save", "arguments": {"path": "a}}\n</tool_call>\n', [SAVE], False


def all_vectors():
    for kind, case, text, calls, repaired in [*json_troubles(), *tagged_troubles()]:
        yield kind, case, text, "", "" if calls else text.removesuffix("<|call|>"), calls, repaired
    yield from thinking()
    yield from unmarked()


if __name__ == "__main__":
    print(json.dumps({"tools": TOOLS}))
    for kind, case, text, reasoning, content, calls, repaired in all_vectors():
        row = {"format": kind.split()[0], "case": case, "text": text, "reasoning": reasoning, "content": content, "calls": [{"name": n, "arguments": a} for n, a in calls], "repaired": repaired}
        print(json.dumps({k: v for k, v in row.items() if v}, ensure_ascii=False, separators=(",", ":")))
