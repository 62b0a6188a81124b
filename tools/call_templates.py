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
    ("function_gemma", turns(TEXT + CALLS + "{{- '<start_function_call>call:' + f.name + value(f.arguments) + '<end_function_call>' }}{%- endfor %}", before=braces("<escape>")), ""),
]
