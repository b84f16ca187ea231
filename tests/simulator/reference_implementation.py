"""DeepSeek's own request and response code, asked the same as the simulator."""

from __future__ import annotations

import json

_MODELS = {
    "deepseek-flash": "DeepseekV41Flash",
    "deepseek-v4-flash": "DeepseekV41Flash",
    "deepseek-v4-pro": "DeepseekV4Pro",
}
# A tokenizer that knows no word: it is only there so that reasoning is counted.
_TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {
        "type": "Split",
        "pattern": {"Regex": " ?[A-Za-z]{1,8}|."},
        "behavior": "Isolated",
        "invert": False,
    },
    "post_processor": None,
    "decoder": {"type": "Fuse"},
    "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"},
}


def converted(recipe, body):
    options = recipe.ConversionOptions().with_reasoning_content_behavior(
        recipe.ReasoningContentBehavior.Reject
    )
    for name, version in _MODELS.items():
        options = options.with_model_alias(name, getattr(recipe.ModelVersion, version))
    return recipe.ChatCompletionRequest(json.dumps(body)).convert(options)


def complaint(recipe, body):
    """Why the library refuses `body`: the kind of the error, and the words."""
    try:
        converted(recipe, body)
    except recipe.ConversionError as error:
        return "rule", json.loads(error.body)["error"]["message"]
    except ValueError as error:
        return "type", str(error).removeprefix("invalid request body: ")
    return None


def answers(recipe, body, written, finish="Stop"):
    """Chunks and whole body for an answer that the model wrote as `written`."""
    request = converted(recipe, body)
    generator = recipe.ChatCompletionRequest.chunk_generator(request, "ID", "m")
    tokenizer = recipe.Tokenizer.from_str(json.dumps(_TOKENIZER))
    processor = recipe.StreamProcessor(generator, request.parsing_options, tokenizer)
    usage = recipe.PromptUsage(prompt_tokens=10, prompt_cache_hit_tokens=0)
    chunk = recipe.InferenceChunk
    chunks = processor.push(chunk.ready(prompt_usage=usage, system_fingerprint="fp"))
    for piece in written:
        if not processor.finished:
            chunks += processor.push(chunk.text(piece, 1))
    if not processor.finished:
        reason = getattr(recipe.InferenceFinishReason, finish)
        chunks += processor.push(chunk.finish(reason))
    chunks += processor.finish()
    whole = recipe.ChatCompletionResponse("ID", "m", 1, 10, 0)
    events = [json.loads(one.to_json()) for one in chunks]
    for one in chunks:
        whole.accumulate(one)
    return events, json.loads(whole.to_json())


def called(calls):
    """Tool calls in the markup that the V4.1 model writes: name, arguments."""
    mark = "\uff5cDSML\uff5c"
    lines = [f"\n\n<{mark} calls>"]
    for name, arguments in calls:
        lines.append(f'\n<{mark} invoke name="{name}">')
        for key, value in arguments.items():
            kind = "true" if isinstance(value, str) else "false"
            text = value if isinstance(value, str) else json.dumps(value)
            lines.append(f'\n<{mark} parameter name="{key}" string="{kind}">')
            lines += [text, f"</{mark} parameter>"]
        lines.append(f"\n</{mark} invoke>")
    return [*lines, f"\n</{mark} calls>"]
