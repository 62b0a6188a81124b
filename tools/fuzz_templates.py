#!/usr/bin/env python3
"""Random chat templates, rendered by transformers and by Hearth: equal text and spans, or both an error.

    python tools/fuzz_templates.py --renderer /tmp/render_templates --count 20000 --seed 1

The renderer is tools/render_templates.cpp. What cannot be compared is counted as skipped: addresses in the output,
integers beyond 64 bits, features that Hearth refuses by design (see SKIPPED).
"""
import argparse
import json
import random
import re
import signal
import subprocess
import sys

import template_oracle

ADDRESS = re.compile(r"0x[0-9a-f]{6,}|'0', 'x', '[0-9a-f]', '[0-9a-f]', |<function |<built-in method|<bound method|<class ", re.I)
SKIPPED = re.compile(r"64-bit|not supported|templates have no bytes|supported with the constant|too long|too big|nested too|complex")

STRINGS = ["", "a", "Hello", "user", "assistant", "  pad  ", "a,b,,c", "x\ny\n\nz", "Ünïcödé ßtraße", "日本語テキスト", "😀 emoji",
           "<b>&'\"</b>", "{}", "%s and %d", "CamelCase snake_case", "ΑΣΣ ΟΔΟΣ.", "tab\there", "12", "-3.5", "0x1f", " 7 ",
           "1_000", "inf", "a b  c   d", "ﬁn ǆ ŉ", "\u2028line", "end\r\nend", "{{ x }}", "'single'", "\"double\"", "back\\slash",
           "\u00a0nbsp\u3000", "\x7f\x00ctl", "ıİ"]
NAMES = ["x", "y", "z", "item", "ns", "content", "role", "i", "loop", "value", "key", "m"]
FREE = ["messages", "tools", "bos_token", "eos_token", "add_generation_prompt", "documents", "number", "real", "flag",
        "nothing", "text", "words", "table", "nested", "undefined_name", "mixed", "users", "unk"]
FILTERS0 = ["trim", "upper", "lower", "length", "string", "list", "first", "last", "join", "capitalize", "title", "int",
            "float", "tojson", "safe", "escape", "e", "default", "d", "sort", "unique", "reverse", "abs", "round", "sum", "min",
            "max", "items", "dictsort", "count", "wordcount", "striptags", "forceescape", "urlencode", "indent", "map",
            "select", "reject", "center", "truncate", "filesizeformat", "xmlattr", "string", "trim", "length", "tojson", "pprint",
            "wordwrap"]
TESTS0 = ["defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float", "boolean",
          "true", "false", "odd", "even", "lower", "upper", "callable", "escaped", "filter", "test"]
TESTS1 = ["eq", "ne", "lt", "gt", "le", "ge", "in", "equalto", "divisibleby", "==", "!=", "sameas_skip"]
METHODS0 = ["strip", "lstrip", "rstrip", "upper", "lower", "title", "capitalize", "swapcase", "split", "rsplit", "splitlines",
            "keys", "values", "items", "isdigit", "isalpha", "isupper", "islower", "isspace", "istitle", "isalnum", "casefold",
            "isnumeric", "isdecimal", "isidentifier", "isprintable", "isascii", "expandtabs", "copy", "bit_length", "is_integer",
            "append", "pop", "__len__", "clear"]
METHODS1 = ["startswith", "endswith", "split", "strip", "lstrip", "rstrip", "find", "count", "index", "rfind", "partition", "rpartition",
            "removeprefix", "removesuffix", "join", "get", "rsplit", "center", "ljust", "rjust", "zfill", "append", "update"]


class Generator:
    def __init__(self, rng):
        self.rng = rng
        self.names = ["x", "y"]
        self.macros = []
        self.in_loop = 0
        self.wild = self.chance(0.25)  # corners of the grammar, most of which are errors

    def pick(self, items):
        return self.rng.choice(items)

    def chance(self, p):
        return self.rng.random() < p

    # --- expressions ---

    def string(self):
        text = self.pick(STRINGS)
        out = ""
        for c in text:
            if c == "\\":
                out += "\\\\"
            elif c == "'":
                out += "\\'"
            elif c == "\n":
                out += self.pick(["\\n", "\\n", "\n"])
            elif c == "\x00":
                out += "\\x00"
            elif ord(c) > 0x7f and self.chance(0.1):
                out += "\\u%04x" % ord(c) if ord(c) < 0x10000 else "\\U%08x" % ord(c)
            else:
                out += c
        if self.chance(0.02):
            out += self.pick(["\\q", "\\101", "\\é", "\\\n"])
        return "'" + out + "'"

    def integer(self):
        return self.pick(["0", "1", "2", "3", "-1", "5", "10", "7", "100", "1_0", "0x1F"])

    def real(self):
        return self.pick(["0.5", "1.0", "2.75", "1e3", "1e-7", "3.14159", "1e16", "123456789.125", "0.1"])

    def name(self):
        if self.names and self.chance(0.5):
            return self.pick(self.names)
        return self.pick(FREE)

    def text_expr(self, depth):
        return self.pick([self.string, lambda: "text", lambda: "bos_token", lambda: "messages[0].content",
                          lambda: "messages[-1]['role']", lambda: "(" + self.expr(depth + 1) + ")|string",
                          lambda: self.string() + " ~ " + self.expr(depth + 1)])()

    def list_expr(self, depth):
        return self.pick([lambda: "messages", lambda: "words", lambda: "mixed", lambda: "users", lambda: "tools",
                          lambda: "[" + ", ".join(self.expr(depth + 1) for _ in range(self.rng.randint(0, 3))) + "]",
                          lambda: "range(" + self.pick(["3", "0", "1, 4", "5, 0, -2", "number"]) + ")",
                          lambda: "(" + self.expr(depth + 1) + ", " + self.expr(depth + 1) + ")",
                          lambda: "messages|map(attribute='role')|list", lambda: "words[" + self.slice() + "]",
                          lambda: self.text_expr(depth + 1) + ".split(" + self.pick(["", "','", "' '", "'\\n', 1"]) + ")"])()

    def dict_expr(self, depth):
        return self.pick([lambda: "messages[0]", lambda: "table", lambda: "nested", lambda: "dict(a=1, b='x')",
                          lambda: "{" + ", ".join(self.string() + ": " + self.expr(depth + 1)
                                                  for _ in range(self.rng.randint(0, 3))) + "}",
                          lambda: "users[0]", lambda: "{1: 'one', 2.5: [1], none: true, (1, 2): 't'}"])()

    def slice(self):
        part = lambda: self.pick(["", "", "0", "1", "2", "-1", "-2", "5", "none", "number"])
        return self.pick([part() + ":" + part(), part() + ":" + part() + ":" + self.pick(["", "1", "2", "-1", "-2"]), "::-1", "1:"])

    def arguments(self, depth, count):
        return ", ".join(self.expr(depth + 1) for _ in range(count))

    def filter(self, depth):
        if self.chance(0.5):
            return self.pick(FILTERS0)
        s, e = self.string, lambda: self.expr(depth + 1)
        return self.pick([
            lambda: f"default({e()})", lambda: f"default({e()}, true)", lambda: f"d({e()}, boolean=true)",
            lambda: f"join({s()})", lambda: f"join({s()}, attribute='role')", lambda: f"replace({s()}, {s()})",
            lambda: f"replace({s()}, {s()}, 1)", lambda: f"trim({s()})", lambda: f"tojson(indent={self.pick(['0','1','2','none','4'])})",
            lambda: "tojson(ensure_ascii=true)", lambda: "tojson(sort_keys=true)", lambda: "tojson(separators=(',', ':'))",
            lambda: "tojson(indent=2, sort_keys=true, ensure_ascii=true)",
            lambda: "selectattr('role', 'equalto', 'user')|list", lambda: "selectattr('role')|list", lambda: "rejectattr('name')|list",
            lambda: "rejectattr('role', 'in', ['user', 'x'])|list", lambda: "select(" + self.pick(['"string"', '"odd"', '"gt", 2', '"defined"']) + ")|list",
            lambda: "reject('none')|list", lambda: "map(attribute='role')|list", lambda: f"map(attribute='name', default={s()})|join(',')",
            lambda: f"map('{self.pick(['upper', 'length', 'string', 'tojson', 'trim', 'int', 'nofilter'])}')|list",
            lambda: "map('replace', 'a', 'b')|list", lambda: "indent(" + self.pick(['2', '4, true', '2, blank=true', '"> "', 'width=1, first=true']) + ")",
            lambda: f"batch({self.pick(['1', '2', '3'])}{self.pick(['', ', none', ', 0'])})|list", lambda: f"slice({self.pick(['1', '2', '3'])}{self.pick(['', ', 9'])})|list",
            lambda: "round(" + self.pick(['1', '2', '0, "ceil"', '1, "floor"', '-1', 'method="ceil"']) + ")", lambda: f"int({self.pick(['5', '0, 16', '0, 2', 'default=none'])})",
            lambda: "float(2.5)", lambda: "sort(" + self.pick(['true', 'reverse=true', 'case_sensitive=true', 'attribute="name"', 'attribute="age,name"', 'false, true']) + ")",
            lambda: "unique(" + self.pick(['true', 'attribute="role"']) + ")|list", lambda: "dictsort(" + self.pick(['true', 'by="value"', 'reverse=true', 'false, "value"']) + ")",
            lambda: "groupby(" + self.pick(['"role"', '"age"', '"name", default="zz"', 'attribute="name"']) + ")",
            lambda: "groupby('role')|map(attribute='grouper')|join('|')", lambda: "groupby('role')|map('last')|map('length')|list",
            lambda: "truncate(" + self.pick(['5', '3, true', '10, false, "…"', '4, true, "", 0', 'length=9, leeway=0']) + ")", lambda: f"center({self.pick(['10', '3', '0', 'width=7'])})",
            lambda: "sum(" + self.pick(['attribute="age"', 'start=10', '"age", 1']) + ")", lambda: f"min(attribute='{self.pick(['age', 'name'])}')",
            lambda: f"attr('{self.pick(['role', 'upper', '__class__', 'items'])}')", lambda: f"format({e()})", lambda: f"wordwrap({self.pick(['5', '10', '3, false'])})",
            lambda: "filesizeformat(true)", lambda: "xmlattr(false)", lambda: f"round({self.pick(['0', '3'])}, 'common')", lambda: "nofilter", lambda: "first|string",
        ])()

    def test(self, depth):
        if self.chance(0.6):
            return self.pick(["", "not "]) + self.pick(TESTS0)
        return self.pick(["", "not "]) + self.pick(TESTS1[:-1]).replace("==", "eq").replace("!=", "ne") + "(" + self.expr(depth + 1) + ")"

    def expr(self, depth=0):
        if depth > 3 or self.chance(0.25):
            return self.pick([self.string, self.string, self.integer, self.real, self.name, self.name, self.name,
                              lambda: self.pick(["true", "false", "none", "True", "None", "[]", "{}", "()", "''"])])()
        e = lambda: self.expr(depth + 1)
        return self.pick([
            lambda: f"{e()} + {e()}", lambda: f"{e()} ~ {e()}", lambda: f"{e()} - {e()}", lambda: f"{e()} * {self.integer()}",
            lambda: f"({e()} {self.pick(['%', '/', '//'])} {self.pick([self.integer, self.real])()})",
            lambda: f"{self.integer()} ** {self.pick(['2', '0', '3', '0.5'])}",
            lambda: f"{self.text_expr(depth)} % {e()}", lambda: f"({e()})", lambda: f"-{self.pick([self.integer, self.real, self.name])()}",
            lambda: f"{e()} {self.pick(['==', '!=', '<', '>', '<=', '>='])} {e()}", lambda: f"{e()} {self.pick(['in', 'not in'])} {self.pick([self.list_expr, self.text_expr, self.dict_expr])(depth)}",
            lambda: f"1 < {e()} <= 5", lambda: f"{e()} and {e()}", lambda: f"{e()} or {e()}", lambda: f"not {e()}",
            lambda: f"{e()} if {e()} else {e()}", lambda: f"({e()} if {e()})",
            lambda: f"({e()})|{self.filter(depth)}", lambda: f"{self.name()}|{self.filter(depth)}", lambda: f"{self.text_expr(depth)}|{self.filter(depth)}",
            lambda: f"({self.list_expr(depth)})|{self.filter(depth)}", lambda: f"({self.dict_expr(depth)})|{self.filter(depth)}|{self.filter(depth)}",
            lambda: f"({e()}) is {self.test(depth)}", lambda: f"{self.name()} is {self.test(depth)}",
            lambda: f"{self.name()}.{self.pick(NAMES + ['role', 'content', 'name', 'items', 'index'])}",
            lambda: f"({self.list_expr(depth)})[{self.pick(['0', '1', '-1', '9', self.slice(), 'number'])}]",
            lambda: f"({self.text_expr(depth)})[{self.pick(['0', '-1', self.slice(), self.slice()])}]",
            lambda: f"({self.dict_expr(depth)})[{self.string()}]", lambda: f"({self.dict_expr(depth)}).{self.pick(['a', 'b', 'role', 'content', 'items', 'keys()', 'values()|list', 'items()', 'get(text, 3)'])}",
            lambda: f"({self.text_expr(depth)}).{self.pick(METHODS0)}()", lambda: f"({e()}).{self.pick(METHODS0)}()",
            lambda: f"({self.text_expr(depth)}).{self.pick(METHODS1)}({self.pick([self.string, self.string, self.integer])()})",
            lambda: f"({self.text_expr(depth)}).replace({self.string()}, {self.string()}{self.pick(['', ', 1'])})",
            lambda: "(" + self.pick(['"{}-{}"', '"{0}{1!r}"', '"{a:>8}|{a!s:^9}"', '"{:>10.3f}"', '"{:,}"', '"{:05d}"', '"{0.role}"', '"{0[0]}"', '"{:{w}}"', '"{{}}{}"', '"{:x}"', '"{:e}"', '"{:.2%}"', '"{:+}"', '"{:.3}"'])
            + f").format({e()}, {e()}, a={e()}, w=6)",
            lambda: f"'{self.pick(['%s', '%d', '%5.2f|', '%-8s|', '%05d', '%x', '%r', '%(a)s', '%s %s', '%%', '%+d', '%e', '%g', '%.3s', '%c', '%10s', '%i', '%o', '%a'])}' % {self.pick([e(), '(' + e() + ', ' + e() + ')', '{text: ' + e() + '}', 'number', 'real', '(1, 2)'])}",
            lambda: self.list_expr(depth), lambda: self.dict_expr(depth), lambda: self.text_expr(depth),
            lambda: f"loop.{self.pick(['index', 'index0', 'first', 'last', 'length', 'revindex', 'revindex0', 'previtem', 'nextitem', 'depth', 'cycle(1, 2)', 'changed(' + self.name() + ')'])}" if self.in_loop else self.name(),
            lambda: f"{self.pick(self.macros)}({self.arguments(depth, self.rng.randint(0, 3))}{self.pick(['', ', k=' + self.string()])})".replace("(, ", "(") if self.macros else e(),
            lambda: f"namespace(a={e()}).a", lambda: self.globals(depth), lambda: self.odd(depth) if self.wild else e(),
        ])()

    def globals(self, depth):
        """Calls of the environment's functions, and of macros with unpacked arguments."""
        e, s = lambda: self.expr(depth + 1), self.string
        return self.pick([
            lambda: f'''strftime_now({self.pick(["'%Y'", "'%d %b %Y'", "'%A, %B %-d'", "'%j %U %y %%'", "'%e|%m|%a'", e()])})''',
            lambda: f"dict({self.pick(['**table', '[(1, 2)], a=3', 'table, x=1', '{}', '[[1]]', e(), '**nested, b=2'])})",
            lambda: f"dict(table, **{{'k': {e()}}}).{self.pick(['k', 'items()|list', 'a'])}",
            lambda: f'''namespace({self.pick(['**table', "[('a', 1)]", 'table', '{}', 'none'])}).{self.pick(['a', 'Z', 'items', 'nope'])}''',
            lambda: f'''range({self.pick(['2, 9, 3', '-3', '10, 0, -3', '1, 2, 0', '1.5', 'true', "'3'"])})|{self.pick(['list', 'sum', 'length', 'last', 'join', 'reverse|list', 'batch(2)|list'])}''',
            lambda: f"range(5)[{self.pick(['1', '-1', '1:3', '::-2', '9'])}]", lambda: "lipsum(n=0)|length", lambda: f"cycler({s()}, 2).{self.pick(['next()', 'current', 'reset()', 'pos'])}",
            lambda: f"joiner({self.pick(['', s()])})()", lambda: f"{self.pick(self.macros)}(*{self.pick(['words', '[1, 2]', '()', '(1, 2, 3, 4)'])})" if self.macros else e(),
            lambda: f'''{self.pick(self.macros)}(**{self.pick(["{'p': 1}", "{'k': text}", '{}', 'table'])})''' if self.macros else e(),
            lambda: f"{self.pick(self.macros)}.{self.pick(['name', 'arguments', 'catch_kwargs', 'catch_varargs', 'caller', 'nope'])}" if self.macros else e(),
            lambda: f"raise_exception({s()})" if self.chance(0.2) else e(),
        ])()

    def constant(self, depth):
        """Mostly without variables: what jinja2 computes while it compiles, with what must not be compiled among it."""
        c = lambda: self.constant(depth + 1)
        if depth > 3 or self.chance(0.2):
            return self.pick([self.string, self.integer, self.real, lambda: "[1]", lambda: "{}", lambda: "none", lambda: "true", lambda: "''", lambda: "false",
                              lambda: self.pick(["x", "text", "messages", "x|nofilter", "text is notest", "'a'|nofilter", "'a'.nope", "{[1]: 2}", "{'a': 'b', (1, 2): [3]}"])])()
        return self.pick([
            lambda: f"{{{c()}: {c()}}}", lambda: f"{{{c()}: {c()}, {c()}: {c()}}}", lambda: f"[{c()}, {c()}]", lambda: f"({c()}, {c()})", lambda: f"{c()} ~ {c()}", lambda: f"({c()}) + ({c()})",
            lambda: f"({c()}) {self.pick(['-', '*', '/', '//', '%', '**'])} {self.pick(['2', '0', '1.5', '[1]', c()])}", lambda: f"({c()} or {c()})", lambda: f"({c()} and {c()})", lambda: f"not {c()}",
            lambda: f"-({c()})", lambda: f"({c()} if {c()} else {c()})", lambda: f"({c()} if {c()})", lambda: f"({c()}) {self.pick(['==', '!=', '<', '>=', 'in', 'not in'])} ({c()})",
            lambda: f"({c()})[{self.pick(['0', '-1', '1:', '::2', '1:2, 0', c(), c() + ':' + c()])}]", lambda: f"({c()}).{self.pick(['a', 'b', 'upper', '__class__', 'items', 'nope.nope'])}",
            lambda: f"({c()})|{self.pick(['upper', 'list', 'length', 'first', 'batch(2)', 'batch(2)|list', 'join(' + c() + ')', 'default(' + c() + ')', 'string', 'tojson', 'items', 'items|list', 'reverse', 'map(' + chr(39) + 'upper' + chr(39) + ')|list', 'replace(' + c() + ', ' + c() + ')', 'attr(' + chr(39) + 'a' + chr(39) + ')', 'unique|list', 'int', 'sort', 'safe', 'escape'])}",
            lambda: f"({c()}) is {self.pick(['string', 'defined', 'mapping', 'in(' + c() + ')', 'eq(' + c() + ')', 'divisibleby(' + c() + ')', 'filter', 'none', 'iterable'])}",
            lambda: f"({c()}).upper()", lambda: f"dict(a={c()})", lambda: f"({c()})|default(*{c()})", lambda: f"({c()})|default(**{c()})",
        ])()

    def odd(self, depth):
        """Corners of the grammar."""
        e, s = lambda: self.expr(depth + 1), self.string
        return self.pick([
            lambda: self.constant(0), lambda: self.constant(0), lambda: self.constant(0), lambda: f"({self.constant(0)} if flag else {self.constant(0)})",
            lambda: f"{s()} {s()}", lambda: f"{s()} {s()} {s()}", lambda: self.pick(["0o17", "0b101", "0xff", "1_000.5", "1e-3", "00", "1__0", "007", "1.e3", ".5", "9223372036854775807", "1E+2"]),
            lambda: f"+{e()}", lambda: f"--{self.integer()}", lambda: f"-{self.integer()} ** 2", lambda: f"2 ** -1 ** {self.integer()}", lambda: f"not not {e()}",
            lambda: f"{e()} if {e()} else {e()} if {e()} else {e()}", lambda: f"({e()}, )", lambda: f"{e()}, {e()}", lambda: f"[{e()}, {e()}, ]", lambda: f"{{{s()}: {e()}, }}",
            lambda: f"{{{self.pick(['1', '1.0', 'true', 'none', '()', '(1, [2])', '[1]'])}: {e()}}}", lambda: f"{e()} is not {self.test(depth).replace('not ', '')}",
            lambda: f"{e()} is {self.pick(['divisibleby 2', 'eq 3', 'in [1, 2]', 'sameas none', 'sameas true', 'mapping and true', 'string or false', 'odd is true'])}",
            lambda: f"{e()}|{self.pick(['default(1)|string', 'list|length > 1', 'length + 1', 'upper ~ 1', 'first.role', 'last[0]', 'trim[0]', 'tojson|length', 'string|list|join'])}",
            lambda: f'''messages[0].{self.pick(['role.upper()', 'content[:2]', "get('role')", 'get', 'keys()|list', '0', '__class__', 'update({})', "pop('role')", 'setdefault(1, 2)'])}''',
            lambda: f"({e()})[{e()}, {e()}]", lambda: f'''({self.list_expr(depth)})[{self.pick(["'role'", 'true', '1.0', 'none', '-99', '::0', '1:2, 3'])}]''',
            lambda: f'''{self.text_expr(depth)}.{self.pick(['format(*words)', 'format(**table)', 'join(words)', 'split(maxsplit=1)', 'encode()', 'replace(count=1)', "startswith(('a', 'b'))", "endswith(('x', ))", "translate({97: 'b'})", 'splitlines(true)', 'strip(none)', "count('a', 1, 3)", "find('', 99)", 'zfill(-1)', 'expandtabs(2)', "center(9, '*')"])}''',
            lambda: f"{self.text_expr(depth)} * {self.pick(['0', '-1', '3', 'true', '2.0'])}", lambda: f"[{e()}] * {self.pick(['0', '2', 'none'])}", lambda: f"{e()} in {e()} in {e()}",
            lambda: f"loop.{self.pick(['previtem.role', 'nextitem.content', 'nextitem is defined', 'cycle(*words)', 'changed(item.role)', 'index is odd', 'length - loop.index', 'first and loop.last', '__len__', 'nope'])}" if self.in_loop else e(),
            lambda: f"self.{self.pick(['b1()', 'b2', 'nope()', 'b3() ~ 1'])}", lambda: f"caller({self.pick(['', '1', 'u=2'])})", lambda: "varargs|length", lambda: "kwargs.items()|list",
        ])()

    # --- statements ---

    def tag(self, body):
        return self.pick(["{%", "{%", "{%-", "{%+", "{%-"]) + " " + body + " " + self.pick(["%}", "%}", "-%}", "%}"])

    def output(self):
        return self.pick(["{{", "{{-", "{{"]) + " " + self.expr() + " " + self.pick(["}}", "-}}", "}}"])

    def data(self):
        return self.pick(["", " ", "\n", "\n  ", "text", "<|im_start|>", "  \n\n", "a\r\nb", "\t", "{# c #}", "{#- c -#}\n", "{", "}}", "é\n",
                          "\r", "\r\n  ", "   \t", "\n\n\n", "\u00a0 ", "\u2028", "{ {", "%}", "#}", "\x0b\n", "{#\n#}", "{#-#}", "{#+ c +#}", "  {#- c #}  ", "{{'{{'}}"])

    def target(self):
        name = self.pick(NAMES[:3] + ["item", "content", "value", "key"])
        if name not in self.names:
            self.names.append(name)
        return name

    def statement(self, depth):
        t = self.tag
        body = lambda: self.body(depth + 1)

        def loop():
            names = list(self.names)
            target = self.target()
            if self.chance(0.2):
                target += ", " + self.target()
                iterable = self.pick(["table.items()", "table|items", "users|map(attribute='name')", "[(1, 2), ('a', 'b')]", "nested|dictsort"])
            else:
                iterable = self.pick([self.list_expr, self.list_expr, self.dict_expr, self.text_expr, self.expr])(2)
            test = " if " + self.expr(2) if self.chance(0.15) else ""
            self.in_loop += 1
            recursive = self.chance(0.08)
            inside = body()
            if recursive and self.chance(0.7):
                inside += "{{ loop(" + self.pick(["[]", "words[:1] if loop.depth < 3 else []"]) + ") }}"
            if self.chance(0.15):
                inside += t("if " + self.expr(2)) + t(self.pick(["break", "continue"])) + t("endif") + self.body(depth + 2)
            self.in_loop -= 1
            otherwise = t("else") + body() if self.chance(0.15) else ""
            if self.chance(0.8):
                self.names = names
            return t(f"for {target} in {iterable}{test}{' recursive' if recursive else ''}") + inside + otherwise + t("endfor")

        def macro():
            name = self.pick(["f", "g", "h"])
            names = list(self.names)
            self.names = names + ["p", "q", "k"]
            extra = self.pick(["", "", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}", "{{ caller is defined }}"])
            parameters = self.pick(["", "p", "p, q=1", "p=x, k='d'", "p, q, k=none", "k=2"])
            inside = self.body(depth + 1)
            self.names = names
            if name not in self.macros:
                self.macros.append(name)
            return t(f"macro {name}({parameters})") + inside + extra + t("endmacro")

        def condition():
            out = t("if " + self.expr(1)) + body()
            if self.chance(0.3):
                out += t("elif " + self.expr(1)) + body()
            if self.chance(0.4):
                out += t("else") + body()
            return out + t("endif")

        return self.pick([
            lambda: t(f"set {self.target()} = {self.expr()}"), lambda: t(f"set {self.target()} = {self.expr()}"),
            lambda: t(f"set {self.target()}, {self.target()} = {self.expr(2)}, {self.expr(2)}"),
            lambda: t(f"set {self.target()}{self.pick(['', '|upper', '|trim|length', '|replace(1, 2)'])}") + body() + t("endset"),
            lambda: t("set ns = namespace(" + self.pick(["", "a=1", "a='x', b=[]", "{'a': 2}"]) + ")"),
            lambda: t(f"set ns.{self.pick(['a', 'b', 'content', '_x'])} = {self.expr(1)}"), lambda: "{{ ns.a }}",
            loop, loop, loop, condition, condition, condition, macro,
            lambda: t(f"call {self.pick(['', '(u)', '(u, v=2)'])}{self.pick(self.macros)}({self.expr(3)})") + body() + t("endcall") if self.macros else self.output(),
            lambda: t(f"filter {self.pick(['upper', 'trim', 'replace(1, 2)', 'indent(2)', 'upper|lower'])}") + body() + t("endfilter"),
            lambda: t(f"with {self.target()} = {self.expr(2)}") + body() + t("endwith"),
            lambda: t("generation") + body() + t("endgeneration"),
            lambda: "{% raw %}" + self.pick(["{{ x }}", " {% if %} ", "\n"]) + "{% endraw %}",
            lambda: t("raw") .replace("+", "") + " {{ raw }} " + t("endraw"),
            lambda: t(f"autoescape {self.pick(['true', 'false', self.expr(3)])}") + body() + t("endautoescape"),
            lambda: t(self.pick(["include 'x'", "include 'x' ignore missing", "import 'x' as y", "from 'x' import y", "extends 'x'", "extends nothing", "do words", "trans", "debug", "nonsense",
                                 "set", "for x", "if", "endif", "else", "set x", "set 1 = 2", "set x.y.z = 1", "set a[0] = 1", "macro 1()", "call 1", "filter", "block", "raw x"])) if self.wild and self.chance(0.3) else self.output(),
            lambda: not self.wild and self.output() or t(f"set {self.pick(['(x, y)', 'x, (y, z)', '[x, y]', 'x, ns.a', 'loop', 'self', 'none'])} = {self.pick(['1, 2', '(1, (2, 3))', 'words', self.expr(2)])}"),
            lambda: t(f"for x, (y, z) in [(1, (2, 3))]") + body() + t("endfor"), lambda: t("for ns.a in words") + "{{ ns.a }}" + t("endfor") if self.wild else "",
            lambda: not self.wild and self.output() or t(f"macro {self.pick(['f', 'g'])}({self.pick(['p, p', 'p=1, q', 'caller', 'caller=none', 'p=q, q=p', 'p=[1, 2], k={}'])})") + body() + "{{ caller }}" + t("endmacro"),
            lambda: t(f"call(u, (v, w)) {self.pick(self.macros)}()") + body() + t("endcall") if self.macros else self.output(),
            lambda: t(f"with {self.pick(['x=1, y=x', 'x, y=1, 2', '', 'x=number, number=1'])}") + body() + t("endwith"),
            lambda: t("if nothing") + self.pick(["{{ ", "{% set x = ", "{% print ", "{% for x in "]) .replace("{{ ", "{{ " + self.constant(0) + " }}").replace("x = ", "x = " + self.constant(0) + " %}").replace("print ", "print " + self.constant(0) + " %}")
            .replace("x in ", "x in " + self.constant(0) + " %}{% endfor %}") + t("endif") if self.wild else self.output(),
            lambda: t(f"print {self.expr()}"), lambda: t(f"print {self.expr(2)}, {self.expr(2)}"), lambda: t("set x = raise_exception('no')") if self.chance(0.1) else "",
            lambda: t(f"block {self.pick(['b1', 'b2', 'b3'])}{self.pick(['', ' scoped'])}") + body() + t("endblock") if self.chance(0.3) else "",
            lambda: t(self.pick(["break", "continue"])) if self.in_loop or self.chance(0.02) else "",
        ])()

    def body(self, depth=0):
        parts = []
        for _ in range(self.pick([1, 1, 1, 2, 3, 5]) if depth == 0 else self.pick([1, 1, 2, 3])):
            parts.append(self.data())
            parts.append(self.statement(depth) if depth < 4 and self.chance(0.5) else self.output())
        parts.append(self.data())
        return "".join(parts)


VARIABLES = {
    "number": 3, "real": 2.5, "flag": True, "nothing": None, "text": "Some <text> with\nlines, and Ünicode 😀",
    "words": ["one", "Two", "three", "two"], "table": {"a": 1, "b": [1, 2.0, None], "c": {"d": "e"}, "Z": "z", "items": 5},
    "nested": {"b": 2, "A": 1, "c": 3}, "mixed": [1, "a", None, 2.5, [1, [2]], {"k": "v"}, True, ""],
    "users": [{"name": "bob", "age": 30, "role": "x"}, {"name": "Alice", "age": 25}, {"name": "carl", "age": 30, "role": "y"}],
    "unk": "ΑΣ \u0130",
}
MESSAGES = [
    [{"role": "user", "content": "Hi"}],
    [{"role": "system", "content": "Be nice."}, {"role": "user", "content": " Hi ü😀 "}, {"role": "assistant", "content": "Yes\n\nno"},
     {"role": "user", "content": "More <b>", "name": "n", "x": None}],
    [{"role": "user", "content": [{"type": "text", "text": "part"}, {"type": "image"}]},
     {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {"a": 1, "b": [True, None, 1e-7, "é\u2028"]}}}]},
     {"role": "tool", "content": "{\"t\": 1}", "tool_call_id": "1"}, {"role": "assistant", "content": "", "reasoning_content": "hm"}],
]
TOOLS = [None, [{"type": "function", "function": {"name": "get", "description": "Gets \"it\" <é>", "parameters": {
    "type": "object", "properties": {"a": {"type": "integer", "default": 1.0}, "b": {"type": ["string", "null"]}}, "required": ["a"]}}}]]


def requests(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        options = dict(VARIABLES)
        if rng.random() < 0.5:
            options["add_generation_prompt"] = rng.random() < 0.8
        yield {"template": Generator(rng).body(), "messages": rng.choice(MESSAGES), "tools": rng.choice(TOOLS), "options": options}


def only_digits_differ(text, ours):
    """Whether it is the digits of an address, which the template may have taken apart."""
    return len(text) == len(ours) and all(a == b or (b in "0" and a in "0123456789abcdef") for a, b in zip(text, ours))


class TooSlow(BaseException):  # which no handler of errors takes for one
    pass


def on_alarm(*_):
    raise TooSlow()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--renderer", required=True)
    arguments.add_argument("--count", type=int, default=20000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--show", type=int, default=5, help="differences to print")
    options = arguments.parse_args()
    signal.signal(signal.SIGALRM, on_alarm)
    renderer = subprocess.Popen([options.renderer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    equal = errors = skipped = different = 0
    for request in requests(options.count, options.seed):
        renderer.stdin.write(json.dumps(request) + "\n")
        renderer.stdin.flush()
        line = renderer.stdout.readline()
        if not line:
            print("the renderer died on", json.dumps(request))
            return 1
        ours = json.loads(line)
        signal.alarm(5)
        try:
            kind, text, spans = template_oracle.render(request["template"], request["messages"], request["tools"], request["options"])
        except TooSlow:
            skipped += 1
            continue
        finally:
            signal.alarm(0)
        if kind == "error" and "error" in ours:
            errors += 1
        elif kind == "text" and ours.get("text") == text and ours["spans"] == spans:
            equal += 1
        elif (kind == "text" and (ADDRESS.search(text) or only_digits_differ(text, ours.get("text", "")))) or SKIPPED.search(ours.get("error", "")):
            skipped += 1
        else:
            different += 1
            if different <= options.show:
                print("TEMPLATE", repr(request["template"]), "\nEXPECTED", kind, repr(text), spans, "\nOURS", ours)
                print("MESSAGES", MESSAGES.index(request["messages"]), "TOOLS", request["tools"] is not None, "\n")
    print(f"{equal} equal, {errors} both errors, {skipped} skipped, {different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
