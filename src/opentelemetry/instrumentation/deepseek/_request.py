"""Converts the keyword arguments of a call into request attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from ._coerce import as_float, as_int, as_text, field_of
from ._suppress import suppress_errors

if TYPE_CHECKING:
    from collections.abc import Callable


def _stop_sequences(stop: object) -> list[str] | None:
    if isinstance(stop, str):
        return [stop]
    if isinstance(stop, Sequence):
        return [
            text for item in cast("Sequence[object]", stop) if (text := as_text(item))
        ]
    return None


def _choice_count(n: object) -> int | None:
    count = as_int(n)
    return None if count == 1 else count


def _output_type(response_format: object) -> str | None:
    if isinstance(response_format, Mapping):
        kind: object = cast("Mapping[str, object]", response_format).get("type")
        return {"text": "text", "json_object": "json", "json_schema": "json"}.get(
            str(kind)
        )
    # `parse()` takes a model class, which the SDK sends as a JSON schema.
    return "json" if isinstance(response_format, type) else None


def _true_or_none(stream: object) -> bool | None:
    return True if stream is True else None


def _thinking_type(thinking: object) -> str | None:
    return as_text(field_of(thinking, "type"))


def _reasoning_effort(reasoning: object) -> str | None:
    return as_text(field_of(reasoning, "effort"))


def _text_format(text: object) -> str | None:
    return _output_type(field_of(text, "format"))


def _conversation_id(open_telemetry: object) -> str | None:
    return as_text(field_of(open_telemetry, "conversation_id"))


# An argument that cannot be read must not cost the other attributes.
_suppress_argument_errors: Final = suppress_errors("reading a request argument")

# Each row: an argument of the SDK or key of the body, its attribute, and the function
# that converts its value.
RequestFields: TypeAlias = "tuple[tuple[str, str, Callable[[object], Any]], ...]"

# `max_completion_tokens` is missing because DeepSeek ignores it. `top_k` is an argument
# of gateways and of servers of the open models.
COMPLETIONS_FIELDS: Final[RequestFields] = (
    ("frequency_penalty", "gen_ai.request.frequency_penalty", as_float),
    ("max_tokens", "gen_ai.request.max_tokens", as_int),
    ("n", "gen_ai.request.choice.count", _choice_count),
    ("presence_penalty", "gen_ai.request.presence_penalty", as_float),
    ("reasoning_effort", "gen_ai.request.reasoning.level", as_text),
    ("response_format", "gen_ai.output.type", _output_type),
    ("seed", "gen_ai.request.seed", as_int),
    ("stop", "gen_ai.request.stop_sequences", _stop_sequences),
    ("stream", "gen_ai.request.stream", _true_or_none),
    ("temperature", "gen_ai.request.temperature", as_float),
    ("thinking", "deepseek.request.thinking.type", _thinking_type),
    ("top_k", "gen_ai.request.top_k", as_int),
    ("top_p", "gen_ai.request.top_p", as_float),
)
RESPONSES_FIELDS: Final[RequestFields] = (
    ("max_output_tokens", "gen_ai.request.max_tokens", as_int),
    ("previous_response_id", "gen_ai.request.previous_response.id", as_text),
    ("reasoning", "gen_ai.request.reasoning.level", _reasoning_effort),
    ("stream", "gen_ai.request.stream", _true_or_none),
    ("temperature", "gen_ai.request.temperature", as_float),
    ("text", "gen_ai.output.type", _text_format),
    ("text_format", "gen_ai.output.type", _output_type),
    ("top_k", "gen_ai.request.top_k", as_int),
    ("top_p", "gen_ai.request.top_p", as_float),
)


# Of Anthropic's API. `open_telemetry` is an option of its client.
MESSAGES_FIELDS: Final[RequestFields] = (
    ("max_tokens", "gen_ai.request.max_tokens", as_int),
    ("open_telemetry", "gen_ai.conversation.id", _conversation_id),
    ("output_config", "gen_ai.request.reasoning.level", _reasoning_effort),
    ("output_config", "gen_ai.output.type", _text_format),
    ("output_format", "gen_ai.output.type", _output_type),
    ("stop_sequences", "gen_ai.request.stop_sequences", _stop_sequences),
    ("stream", "gen_ai.request.stream", _true_or_none),
    ("temperature", "gen_ai.request.temperature", as_float),
    ("thinking", "deepseek.request.thinking.type", _thinking_type),
    ("top_k", "gen_ai.request.top_k", as_int),
    ("top_p", "gen_ai.request.top_p", as_float),
)


def request_body(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the fields of the body that the SDK sends.

    The SDK merges `extra_body` over its named arguments.
    """
    extra_body: object = arguments.get("extra_body")
    if not isinstance(extra_body, Mapping):
        return arguments
    return {**arguments, **cast("Mapping[str, Any]", extra_body)}


def request_attributes(
    body: Mapping[str, Any], fields: RequestFields
) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for argument, attribute, convert in fields:
        if argument in body:
            with _suppress_argument_errors:
                # The SDK's "not given" is an object that no function here converts.
                if (value := convert(body[argument])) is not None:
                    attributes[attribute] = value
    return attributes
