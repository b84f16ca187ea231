"""The keyword arguments of a call, as telemetry. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from ._values import real, text, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._genai import InferenceInvocation

DEEPSEEK_REQUEST_THINKING_TYPE: Final = "deepseek.request.thinking.type"


def _stop_sequences(stop: object) -> list[str] | None:
    if isinstance(stop, str):
        return [stop]
    if isinstance(stop, Sequence):
        return [word for item in cast("Sequence[object]", stop) if (word := text(item))]
    return None


def _choice_count(n: object) -> int | None:
    return None if n == 1 else whole(n)


def _output_type(response_format: object) -> str | None:
    if isinstance(response_format, Mapping):
        kind: object = cast("Mapping[str, object]", response_format).get("type")
        return {"text": "text", "json_object": "json", "json_schema": "json"}.get(
            str(kind)
        )
    # `parse()` takes a model class, which the SDK sends as a JSON schema.
    return "json" if isinstance(response_format, type) else None


def _streams(stream: object) -> bool | None:
    return True if stream is True else None


# Argument of the SDK, or key of the body -> property of the invocation, and its reader.
# `max_completion_tokens` is not there: DeepSeek ignores it.
_ROWS: Final[tuple[tuple[str, str, Callable[[object], Any]], ...]] = (
    ("frequency_penalty", "frequency_penalty", real),
    ("max_tokens", "max_tokens", whole),
    ("n", "request_choice_count", _choice_count),
    ("presence_penalty", "presence_penalty", real),
    ("reasoning_effort", "reasoning_level", text),
    ("response_format", "output_type", _output_type),
    ("seed", "seed", whole),
    ("stop", "stop_sequences", _stop_sequences),
    ("stream", "request_stream", _streams),
    ("temperature", "temperature", real),
    ("top_p", "top_p", real),
)


def request_body(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sent: the SDK lays `extra_body` over its named arguments."""
    extra: object = arguments.get("extra_body")
    if not isinstance(extra, Mapping):
        return arguments
    return {**arguments, **cast("Mapping[str, Any]", extra)}


def record_request(body: Mapping[str, Any], invocation: InferenceInvocation) -> None:
    for argument, attribute, read in _ROWS:
        # The SDK's "not given" is an object of its own; no reader knows it.
        if argument in body and (value := read(body[argument])) is not None:
            setattr(invocation, attribute, value)
    thinking: object = body.get("thinking")
    if isinstance(thinking, Mapping) and (
        kind := text(cast("Mapping[str, object]", thinking).get("type"))
    ):
        invocation.attributes[DEEPSEEK_REQUEST_THINKING_TYPE] = kind
