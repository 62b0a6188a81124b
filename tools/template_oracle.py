"""What transformers makes of a chat template: the oracle for tools/make_template_fixtures.py and fuzz_templates.py."""
import logging

from transformers.utils import chat_template_utils as hf

logging.disable(logging.WARNING)

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def render(source, messages, tools=None, options=None):
    """("text", text, byte spans) or ("error", message, None), as PreTrainedTokenizerBase.apply_chat_template does it."""
    options = dict(options or {})
    try:
        if not messages:
            raise ValueError("empty conversation")
        conversation = [{k: v for k, v in message.items() if v is not None} for message in messages]
        continued = options.pop("continue_final_message", False)
        generate = options.pop("add_generation_prompt", False)
        if continued and generate:
            raise ValueError("exclusive")
        rendered, spans = hf.render_jinja_template(
            conversations=[conversation], tools=tools, documents=options.pop("documents", None),
            chat_template=source, return_assistant_tokens_mask=not continued, continue_final_message=continued,
            add_generation_prompt=generate, **{**TOKENS, **options})
        text = rendered[0]
        byte_spans = [[len(text[:a].encode()), len(text[:b].encode())] for a, b in (spans[0] if spans else [])]
        return "text", text, byte_spans
    except RecursionError as error:
        return "error", f"RecursionError: {error}"[:200], None
    except Exception as error:  # every kind of failure counts as one
        return "error", f"{type(error).__name__}: {error}"[:200], None
