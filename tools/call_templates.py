"""Chat templates that write tool calls, one or more for each format of text/output_format.h, in the manner of the models that
speak it: what they write, the output parser must read back. Those of template_styles.py serve where they have such a one."""
from template_styles import STYLES

TOOLS = """{%- if tools %}{{ '<tools>' }}{% for tool in tools %}{{ tool|tojson }}{% endfor %}{{ '</tools>\\n' }}{% endif %}"""


def turns(assistant, user="{{ '<|user|>' + m.content }}", tool="{{ '<|tool|>' + m.content }}", prompt="<|assistant|>", before=""):
    """A template whose messages are written by these parts; `m` is the message."""
    return (before + TOOLS + "{%- for m in messages %}{%- if m.role == 'assistant' %}{{- '" + prompt + "' }}" + assistant + "{%- elif m.role == 'tool' %}" + tool
            + "{%- else %}" + user + "{%- endif %}{%- endfor %}{%- if add_generation_prompt %}{{- '" + prompt + "' }}{%- endif %}")


CALLS = "{%- for call in m.tool_calls or [] %}{%- set f = call.function %}"
TEXT = "{%- if m.content %}{{- m.content }}{%- endif %}"


def think(start, end):
    return "{%- if m.reasoning_content %}{{- '" + start + "' + m.reasoning_content + '" + end + "' }}{%- endif %}"


def pairs(prefix):
    tag = lambda name: f"'<{prefix}{name}>'"
    return ("{%- for k, v in f.arguments.items() %}{{- " + tag("arg_key") + " + k + " + tag("/arg_key").replace(f"<{prefix}/", f"</{prefix}") + " + '\\n' + " + tag("arg_value")
            + " + (v if v is string else v|tojson) + " + tag("/arg_value").replace(f"<{prefix}/", f"</{prefix}") + " + '\\n' }}{%- endfor %}")


def braces(mark):
    """Gemma's way to write values, by a macro that calls itself."""
    return ("{%- macro value(v) %}{%- if v is string %}{{- '" + mark + "' + v + '" + mark + "' }}{%- elif v is mapping %}{{- '{' }}{%- for k, x in v.items() %}{{- k + ':' }}{{- value(x) }}"
            "{{- ',' if not loop.last }}{%- endfor %}{{- '}' }}{%- elif v is iterable %}{{- '[' }}{%- for x in v %}{{- value(x) }}{{- ',' if not loop.last }}{%- endfor %}{{- ']' }}"
            "{%- else %}{{- v|tojson }}{%- endif %}{%- endmacro %}")


PYTHON = ("{%- macro value(v) %}{%- if v is none or v is boolean %}{{- v|string }}{%- elif v is string or v is number %}{{- v|tojson }}{%- elif v is mapping %}{{- '{' }}"
          "{%- for k, x in v.items() %}{{- k|tojson + ': ' }}{{- value(x) }}{{- ', ' if not loop.last }}{%- endfor %}{{- '}' }}{%- else %}{{- '[' }}{%- for x in v %}{{- value(x) }}"
          "{{- ', ' if not loop.last }}{%- endfor %}{{- ']' }}{%- endif %}{%- endmacro %}")
PYTHON_CALL = "{{- f.name + '(' }}{%- for k, v in f.arguments.items() %}{{- k + '=' }}{{- value(v) }}{{- ', ' if not loop.last }}{%- endfor %}{{- ')' }}{{- ', ' if not loop.last }}"

V3 = ("{%- if m.tool_calls %}{{- '<｜tool▁calls▁begin｜>' }}" + CALLS + "{{- '\\n' if not loop.first }}{{- '<｜tool▁call▁begin｜>function<｜tool▁sep｜>' + f.name + '\\n```json\\n' + f.arguments|tojson"
      " + '\\n```<｜tool▁call▁end｜>' }}{%- endfor %}{{- '<｜tool▁calls▁end｜>' }}{%- endif %}{{- '<｜end▁of▁sentence｜>' }}")
V31 = ("{%- if m.tool_calls %}{{- '<｜tool▁calls▁begin｜>' }}" + CALLS + "{{- '<｜tool▁call▁begin｜>' + f.name + '<｜tool▁sep｜>' + f.arguments|tojson + '<｜tool▁call▁end｜>' }}{%- endfor %}"
       "{{- '<｜tool▁calls▁end｜>' }}{%- endif %}{{- '<｜end▁of▁sentence｜>' }}")
KIMI = ("{%- if m.tool_calls %}{{- '<|tool_calls_section_begin|>' }}" + CALLS + "{{- '<|tool_call_begin|>' + call.id + '<|tool_call_argument_begin|>' + f.arguments|tojson + '<|tool_call_end|>' }}"
        "{%- endfor %}{{- '<|tool_calls_section_end|>' }}{%- endif %}{{- '<|im_end|>' }}")
HARMONY = ("{%- if m.reasoning_content %}{{- '<|channel|>analysis<|message|>' + m.reasoning_content + '<|end|><|start|>assistant' }}{%- endif %}"
           "{%- if m.content %}{{- '<|channel|>final<|message|>' + m.content }}{{- '<|end|><|start|>assistant' if m.tool_calls }}{%- endif %}"
           + CALLS + "{{- ' to=functions.' + f.name + '<|channel|>commentary json<|message|>' + f.arguments|tojson + '<|call|>' }}{%- endfor %}")
OBJECTS = lambda name, arguments, rest="": ("{{- '[' }}" + CALLS + "{{- '{" + rest + "\"" + name + "\": ' + f.name|tojson + ', \"" + arguments + "\": ' + f.arguments|tojson + '}' }}"
                                            "{{- ', ' if not loop.last }}{%- endfor %}{{- ']' }}")
COHERE = "{%- if m.tool_calls %}{{- '<|START_ACTION|>' }}" + OBJECTS("tool_name", "parameters", "\"tool_call_id\": \"' + loop.index0|string + '\", ") + "{{- '<|END_ACTION|>' }}{%- endif %}"
PHI4 = ("{%- if m.tool_calls %}{{- '<|tool_call|>[' }}" + CALLS + "{{- {'type': 'function', 'function': {'name': f.name, 'arguments': f.arguments}}|tojson }}{{- ', ' if not loop.last }}{%- endfor %}"
        "{{- ']<|/tool_call|>' }}{%- endif %}{{- '<|end|>' }}")



def dsml(block, space=""):
    tag = lambda name: "<｜DSML｜" + space + name
    end = lambda name: "</｜DSML｜" + space + name + ">"
    return ("{%- if m.tool_calls %}{{- '" + tag(block) + ">\\n' }}" + CALLS + "{{- '" + tag("invoke") + " name=\"' + f.name + '\">\\n' }}{%- for k, v in f.arguments.items() %}{{- '" + tag("parameter")
            + " name=\"' + k + '\" string=\"' + ('true' if v is string else 'false') + '\">' + (v if v is string else v|tojson) + '" + end("parameter") + "\\n' }}{%- endfor %}{{- '" + end("invoke")
            + "\\n' }}{%- endfor %}{{- '" + end(block) + "' }}{%- endif %}{{- '<｜end▁of▁sentence｜>' }}")


def hy3(suffix):
    """Hy3 makes its marks with a suffix, which its template's text does not show in them."""
    marks = "".join("{%- set " + name + " = '<" + mark + "{}>'.format('" + suffix + "') %}" for name, mark in (
        ("think", "think"), ("unthink", "/think"), ("calls", "tool_calls"), ("uncalls", "/tool_calls"), ("one", "tool_call"), ("unone", "/tool_call"), ("sep", "tool_sep"), ("key", "arg_key"),
        ("unkey", "/arg_key"), ("val", "arg_value"), ("unval", "/arg_value")))
    if not suffix:
        marks = marks.replace("{}>'.format('')", ">'")
    return turns("{%- if m.reasoning_content %}{{- think + m.reasoning_content + unthink }}{%- endif %}" + TEXT + "{%- if m.tool_calls %}{{- calls + '\\n' }}" + CALLS + "{{- one + f.name + sep + '\\n' }}"
                 "{%- for k, v in f.arguments.items() %}{{- key + k + unkey + '\\n' + val + (v if v is string else v|tojson) + unval + '\\n' }}{%- endfor %}{{- unone + '\\n' }}{%- endfor %}{{- uncalls }}{%- endif %}",
                 before=marks)


MINICPM = (CALLS + "{{- '\\n' if m.content or not loop.first }}{{- '<function name=\"' ~ f.name ~ '\">' }}{%- for k, v in f.arguments.items() %}{{- '<param name=\"' ~ k ~ '\">' }}"
           "{%- if v is string and ('<' in v or '&' in v or '\\n' in v) %}{{- '<![CDATA[' + v + ']]>' }}{%- else %}{{- v }}{%- endif %}{{- '</param>' }}{%- endfor %}{{- '</function>' }}{%- endfor %}{{- '<|im_end|>' }}")
SEED = (CALLS + "{{- '\\n<seed:tool_call>\\n<function=' + f.name + '>\\n' }}{%- for k, v in f.arguments.items() %}{{- '<parameter=' + k + '>' + (v if v is string else v|string) + '</parameter>\\n' }}{%- endfor %}"
        "{{- '</function>\\n</seed:tool_call>' }}{%- endfor %}{{- '<seed:eos>' }}")
APERTUS = ("{%- if m.tool_calls %}{{- '<|tools_prefix|>[' }}" + CALLS + "{{- '{\"' + f.name + '\": ' + f.arguments|tojson + '}' }}{{- ', ' if not loop.last }}{%- endfor %}{{- ']<|tools_suffix|>' }}{%- endif %}")
XTML = ("{%- macro open(tag, attributes=[]) %}{{- '<|open|>' + tag }}{%- for a in attributes %}{{- ' ' + a[0] + '=\"' + a[1]|string|replace('&', '&amp;')|replace('\"', '&quot;') + '\"' }}{%- endfor %}{{- '<|sep|>' }}"
        "{%- endmacro %}{%- macro close(tag) %}{{- '<|close|>' + tag + '<|sep|>' }}{%- endmacro %}{%- macro kind(v) %}{%- if v is boolean %}boolean{%- elif v is none %}null{%- elif v is number %}number"
        "{%- elif v is string %}string{%- elif v is mapping %}object{%- else %}array{%- endif %}{%- endmacro %}")
KIMI3 = ("{%- if m.reasoning_content %}{{- open('think') + m.reasoning_content + close('think') }}{%- endif %}{{- open('response') + m.content + close('response') }}{%- if m.tool_calls %}{{- open('tools') }}" + CALLS
         + "{{- open('call', [('tool', f.name), ('index', loop.index)]) }}{%- for k, v in f.arguments.items() %}{{- open('argument', [('key', k), ('type', kind(v))]) + (v if v is string else v|tojson) + close('argument') }}"
         "{%- endfor %}{{- close('call') }}{%- endfor %}{{- close('tools') }}{%- endif %}{{- close('message') + '<|end_of_msg|>' }}")
NESTED = ("{%- set ns = ']<]minimax[>[' %}{%- macro nested(v, ns) %}{%- if v is mapping %}{%- for k, x in v.items() %}{{- ns + '<' + k + '>' + nested(x, ns) + ns + '</' + k + '>' }}{%- endfor %}"
          "{%- elif v is iterable and v is not string %}{%- for x in v %}{{- ns + '<item>' + nested(x, ns) + ns + '</item>' }}{%- endfor %}{%- elif v is boolean %}{{- v|tojson }}{%- elif v is not none %}{{- v }}{%- endif %}"
          "{%- endmacro %}")
MINIMAX3 = ("{%- if m.tool_calls %}{{- '\\n' + ns + '<tool_call>\\n' }}" + CALLS + "{{- ns + '<invoke name=\"' + f.name + '\">' }}{%- for k, v in f.arguments.items() %}{{- ns + '<' + k + '>' + nested(v, ns) + ns + '</' + k + '>' }}"
            "{%- endfor %}{{- ns + '</invoke>\\n' }}{%- endfor %}{{- ns + '</tool_call>' }}{%- endif %}{{- '[e~[' }}")
STEP3 = ("{%- if m.tool_calls %}{{- '<｜tool_calls_begin｜>' }}" + CALLS + "{{- '<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name=\"' + f.name + '\">' }}{%- for k, v in f.arguments.items() %}"
         "{{- '<steptml:parameter name=\"' + k + '\">' + (v if v is string else v|tojson) + '</steptml:parameter>' }}{%- endfor %}{{- '</steptml:invoke><｜tool_call_end｜>' }}{%- endfor %}{{- '<｜tool_calls_end｜>' }}{%- endif %}")
OLMO3 = ("{%- if m.tool_calls %}{{- '<function_calls>' }}" + CALLS + "{{- '\\n' if not loop.first }}{{- f.name + '(' }}{%- for k, v in f.arguments.items() %}{{- k + '=' + v|tojson }}{{- ', ' if not loop.last }}{%- endfor %}"
         "{{- ')' }}{%- endfor %}{{- '</function_calls>' }}{%- endif %}{{- '<|im_end|>' }}")
IN_TOOL_CALLS = "{%- if m.tool_calls %}{{- '\\n<tool_calls>' }}" + OBJECTS("name", "arguments") + "{{- '</tool_calls>' }}{%- endif %}"
RECIPIENTS = ("{%- if m.content %}{{- 'all\\n' + m.content }}{%- endif %}" + CALLS + "{{- '>>>' if m.content or not loop.first }}{{- f.name + '\\n' + f.arguments|tojson }}{%- endfor %}{{- '<|eot_id|>' }}")

# (format, template, what ends the assistant's turn)
TEMPLATES = [(name_of_format, STYLES[style], end) for name_of_format, style, end in (
    ("hermes", "qwen2_5", "<|im_end|>"), ("qwen3_coder", "qwen3_coder", "<|im_end|>"), ("glm47", "glm4", ""), ("minimax_m2", "minimax_m2", "[e~["),
    ("mistral", "mistral_v3", "</s>"), ("mistral", "mistral_v7", "</s>"), ("llama3_json", "llama3_1_tools", "<|eot_id|>"), ("llama4_pythonic", "llama4_pythonic", "<|eot|>"))] + [
    ("hermes", turns(think("<think>\\n", "\\n</think>\\n\\n") + TEXT + CALLS + "{{- '\\n<tool_call>\\n{\"name\": \"' + f.name + '\", \"arguments\": ' + f.arguments|tojson + '}\\n</tool_call>' }}{%- endfor %}"
                     "{{- '<|im_end|>\\n' }}", prompt="<|im_start|>assistant\\n"), "<|im_end|>"),
    ("glm47", turns(think("\\n<think>", "</think>\\n") + TEXT + CALLS + "{{- '\\n<tool_call>' + f.name + '\\n' }}" + pairs("") + "{{- '</tool_call>' }}{%- endfor %}"), ""),
    ("longcat", turns(think("<longcat_think>", "</longcat_think>") + TEXT + CALLS + "{{- '<longcat_tool_call>' + f.name + '\\n' }}" + pairs("longcat_") + "{{- '</longcat_tool_call>\\n' }}{%- endfor %}"), ""),
    ("deepseek_v3", turns(think("<think>", "</think>") + TEXT + V3, prompt="<｜Assistant｜>"), "<｜end▁of▁sentence｜>"),
    ("deepseek_v3", turns(think("<think>", "</think>") + TEXT + V31, prompt="<｜Assistant｜>"), "<｜end▁of▁sentence｜>"),
    ("kimi_k2", turns(think("<think>", "</think>") + TEXT + KIMI, prompt="<|im_assistant|>assistant<|im_middle|>"), "<|im_end|>"),
    ("harmony", turns(HARMONY, prompt="<|start|>assistant"), "<|call|>"),
    ("cohere", turns(think("<|START_THINKING|>", "<|END_THINKING|>") + "{%- if m.content %}{{- '<|START_RESPONSE|>' + m.content + '<|END_RESPONSE|>' }}{%- endif %}" + COHERE), ""),
    ("command_r", turns(TEXT + "{%- if m.tool_calls %}{{- 'Action: ```json\\n' }}" + OBJECTS("tool_name", "parameters") + "{{- '\\n```' }}{%- endif %}"), ""),
    ("granite", turns(TEXT + "{%- if m.tool_calls %}{{- '<|tool_call|>' }}" + OBJECTS("name", "arguments") + "{%- endif %}{{- '<|end_of_text|>' }}"), "<|end_of_text|>"),
    ("phi4", turns(think("<think>", "</think>") + TEXT + PHI4), "<|end|>"),
    ("nemotron", turns(think("<think>", "</think>") + TEXT + "{%- if m.tool_calls %}{{- '<TOOLCALL>' }}" + OBJECTS("name", "arguments") + "{{- '</TOOLCALL>' }}{%- endif %}"), ""),
    ("pythonic", turns(TEXT + "{%- if m.tool_calls %}{{- '<|tool_call_start|>[' }}" + CALLS + PYTHON_CALL + "{%- endfor %}{{- ']<|tool_call_end|>' }}{%- endif %}", before=PYTHON), ""),
    ("gemma4", turns(TEXT + CALLS + "{{- '<|tool_call>call:' + f.name + value(f.arguments) + '<tool_call|>' }}{%- endfor %}", before=braces("<|\"|>")), ""),
    ("deepseek_v4", turns(think("<think>", "</think>") + TEXT + dsml("tool_calls"), prompt="<｜Assistant｜>"), "<｜end▁of▁sentence｜>"),
    ("deepseek_v41", turns(think("<think>", "</think>") + TEXT + dsml("calls", " "), prompt="<｜Assistant｜>"), "<｜end▁of▁sentence｜>"),
    ("minicpm5", turns(think("<think>\\n", "\\n</think>\\n\\n") + TEXT + MINICPM, prompt="<|im_start|>assistant\\n"), "<|im_end|>"),
    ("xlam", turns("{%- if m.tool_calls %}" + OBJECTS("name", "arguments") + "{%- else %}" + TEXT + "{%- endif %}{{- '<|im_end|>' }}",
                   before="{{- 'When using tools, make calls in a single JSON array: [{\"name\": \"tool_call_name\", \"arguments\": {}}]\\n' }}"), "<|im_end|>"),
    ("tool_calls", turns(TEXT + IN_TOOL_CALLS), ""),
    ("apriel", turns(think("Here are my reasoning steps:\\n", "\\n[BEGIN FINAL RESPONSE]\\n") + TEXT + IN_TOOL_CALLS + "{{- '\\n<|end|>' }}", prompt="<|begin_assistant|>\\n"), "\n<|end|>"),
    ("hunyuan", turns(think("<think>\\n", "\\n</think>\\n") + "{%- if m.content %}{{- '<answer>\\n' + m.content + '\\n</answer>' }}{%- endif %}" + IN_TOOL_CALLS + "{{- '<|eos|>' }}", user="{{ m.content + '<|extra_0|>' }}", prompt=""),
     "<|eos|>"),
    ("hy_v3", hy3(""), ""),
    ("hy_v3_opensource", hy3(":opensource"), ""),
    ("functionary_v31", turns(TEXT + CALLS + "{{- '<function=' + f.name + '>' + f.arguments|tojson + '</function>' }}{%- endfor %}{{- '<|eom_id|>' }}"), "<|eom_id|>"),
    ("functionary_v32", turns(RECIPIENTS, prompt="<|start_header_id|>assistant<|end_header_id|>\\n\\n>>>", before="{{- 'Write to >>>all or to >>>NAME.\\n' }}"), "<|eot_id|>"),
    ("seed_oss", turns(think("<seed:think>", "</seed:think>") + TEXT + SEED, prompt="<seed:bos>assistant\\n"), "<seed:eos>"),
    ("apertus", turns(think("<|inner_prefix|>", "<|inner_suffix|>") + TEXT + APERTUS + "{{- '<|assistant_end|>' }}", prompt="<|assistant_start|>"), "<|assistant_end|>"),
    ("kimi_k3", turns(KIMI3, prompt="<|open|>message role=\"assistant\"<|sep|>", before=XTML), "<|close|>message<|sep|><|end_of_msg|>"),
    ("minimax_m3", turns(think("<mm:think>", "</mm:think>") + TEXT + MINIMAX3, prompt="]~b]ai\\n", before=NESTED), "[e~["),
    ("step3", turns(think("<think>\\n", "\\n</think>\\n") + TEXT + STEP3), ""),
    ("olmo3", turns(think("<think>", "</think>") + TEXT + OLMO3, prompt="<|im_start|>assistant\\n"), "<|im_end|>"),
    ("gigachat3", turns(TEXT + CALLS + "{{- '<|function_call|>{\"name\": \"' + f.name + '\", \"arguments\": ' + f.arguments|tojson + '}' }}{%- endfor %}{{- '<|message_sep|>' }}"), "<|message_sep|>"),
    ("internlm2", turns(TEXT + CALLS + "{{- '<|action_start|><|plugin|>\\n{\"name\": \"' + f.name + '\", \"parameters\": ' + f.arguments|tojson + '}<|action_end|>\\n' }}{%- endfor %}{{- '<|im_end|>' }}"), "<|im_end|>"),
    ("function_gemma", turns(TEXT + CALLS + "{{- '<start_function_call>call:' + f.name + value(f.arguments) + '<end_function_call>' }}{%- endfor %}", before=braces("<escape>")), ""),
]
