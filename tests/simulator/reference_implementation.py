"""deepseek-recipe, DeepSeek's own request and response code, as the reference."""

from __future__ import annotations

import json

_MODEL_VERSIONS = {
    "deepseek-flash": "DeepseekV41Flash",
    "deepseek-v4-flash": "DeepseekV41Flash",
    "deepseek-v4-pro": "DeepseekV4Pro",
}
# A tokenizer without a vocabulary. The library needs one to count reasoning tokens.
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


def convert_request(deepseek_recipe, body):
    options = deepseek_recipe.ConversionOptions().with_reasoning_content_behavior(
        deepseek_recipe.ReasoningContentBehavior.Reject
    )
    options = _with_models(deepseek_recipe, options)
    request = deepseek_recipe.ChatCompletionRequest(json.dumps(body))
    return request.convert(options)


def _with_models(deepseek_recipe, options):
    for name, version in _MODEL_VERSIONS.items():
        model_version = getattr(deepseek_recipe.ModelVersion, version)
        options = options.with_model_alias(name, model_version)
    return options


def request_error(deepseek_recipe, body):
    """Returns kind and message of the library's error for `body`; None if valid."""
    try:
        convert_request(deepseek_recipe, body)
    except deepseek_recipe.ConversionError as error:
        return "rule", json.loads(error.body)["error"]["message"]
    except ValueError as error:
        return "type", str(error).removeprefix("invalid request body: ")
    return None


def encode_response(deepseek_recipe, body, model_output, finish_reason="Stop"):
    """Returns the events and the whole body for the texts of `model_output`."""
    request = convert_request(deepseek_recipe, body)
    request_type = deepseek_recipe.ChatCompletionRequest
    generator = request_type.chunk_generator(request, "ID", "m")
    response = deepseek_recipe.ChatCompletionResponse("ID", "m", 1, 10, 0)
    return _encode(
        deepseek_recipe, request, generator, response, (model_output, finish_reason)
    )


def encode_message(deepseek_recipe, body, model_output, finish_reason="Stop"):
    """As `encode_response`, in Anthropic's format."""
    options = _with_models(deepseek_recipe, deepseek_recipe.ConversionOptions())
    request_type = deepseek_recipe.MessagesRequest
    request = request_type(json.dumps(body)).convert(options)
    generator = request_type.chunk_generator(request, "ID", "m")
    response = deepseek_recipe.MessagesResponse("ID", "m", 1, 10, 0)
    return _encode(
        deepseek_recipe, request, generator, response, (model_output, finish_reason)
    )


def _encode(deepseek_recipe, request, generator, response, output):
    model_output, finish_reason = output
    tokenizer = deepseek_recipe.Tokenizer.from_str(json.dumps(_TOKENIZER))
    processor = deepseek_recipe.StreamProcessor(
        generator, request.parsing_options, tokenizer
    )
    usage = deepseek_recipe.PromptUsage(prompt_tokens=10, prompt_cache_hit_tokens=0)
    inference_chunk = deepseek_recipe.InferenceChunk
    chunks = processor.push(
        inference_chunk.ready(prompt_usage=usage, system_fingerprint="fp")
    )
    for text in model_output:
        if not processor.finished:
            chunks += processor.push(inference_chunk.text(text, 1))
    if not processor.finished:
        reason = getattr(deepseek_recipe.InferenceFinishReason, finish_reason)
        chunks += processor.push(inference_chunk.finish(reason))
    chunks += processor.finish()
    events = [json.loads(chunk.to_json()) for chunk in chunks]
    for chunk in chunks:
        response.accumulate(chunk)
    return events, json.loads(response.to_json())


def tool_call_markup(calls):
    """Returns the markup in which the V4.1 model writes tool calls.

    `calls` are pairs of a name and arguments.
    """
    mark = "\uff5cDSML\uff5c"
    lines = [f"\n\n<{mark} calls>"]
    for name, arguments in calls:
        lines.append(f'\n<{mark} invoke name="{name}">')
        for key, value in arguments.items():
            is_string = "true" if isinstance(value, str) else "false"
            text = value if isinstance(value, str) else json.dumps(value)
            lines.append(f'\n<{mark} parameter name="{key}" string="{is_string}">')
            lines += [text, f"</{mark} parameter>"]
        lines.append(f"\n</{mark} invoke>")
    return [*lines, f"\n</{mark} calls>"]
