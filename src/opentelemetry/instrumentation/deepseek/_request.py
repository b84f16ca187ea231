"""The keyword arguments of a call, as telemetry. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from ._coerce import member, real, text, whole
from ._suppress import quietly

if TYPE_CHECKING:
    from collections.abc import Callable


def _stop_sequences(stop: object) -> list[str] | None:
    if isinstance(stop, str):
        return [stop]
    if isinstance(stop, Sequence):
        return [word for item in cast("Sequence[object]", stop) if (word := text(item))]
    return None


def _choice_count(n: object) -> int | None:
    count = whole(n)
    return None if count == 1 else count


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


def _thinking(thinking: object) -> str | None:
    return text(member(thinking, "type"))


def _effort(reasoning: object) -> str | None:
    return text(member(reasoning, "effort"))


def _format(text_options: object) -> str | None:
    return _output_type(member(text_options, "format"))


# One that cannot be read must not cost the others.
_reading_a_setting: Final = quietly("reading a request's setting")

# Argument of the SDK, or key of the body -> attribute, and how it is read.
Settings: TypeAlias = "tuple[tuple[str, str, Callable[[object], Any]], ...]"

# `max_completion_tokens` is not there: DeepSeek ignores it.
COMPLETIONS: Final[Settings] = (
    ("frequency_penalty", "gen_ai.request.frequency_penalty", real),
    ("max_tokens", "gen_ai.request.max_tokens", whole),
    ("n", "gen_ai.request.choice.count", _choice_count),
    ("presence_penalty", "gen_ai.request.presence_penalty", real),
    ("reasoning_effort", "gen_ai.request.reasoning.level", text),
    ("response_format", "gen_ai.output.type", _output_type),
    ("seed", "gen_ai.request.seed", whole),
    ("stop", "gen_ai.request.stop_sequences", _stop_sequences),
    ("stream", "gen_ai.request.stream", _streams),
    ("temperature", "gen_ai.request.temperature", real),
    ("thinking", "deepseek.request.thinking.type", _thinking),
    ("top_p", "gen_ai.request.top_p", real),
)
RESPONSES: Final[Settings] = (
    ("max_output_tokens", "gen_ai.request.max_tokens", whole),
    ("previous_response_id", "gen_ai.request.previous_response.id", text),
    ("reasoning", "gen_ai.request.reasoning.level", _effort),
    ("stream", "gen_ai.request.stream", _streams),
    ("temperature", "gen_ai.request.temperature", real),
    ("text", "gen_ai.output.type", _format),
    ("text_format", "gen_ai.output.type", _output_type),
    ("top_p", "gen_ai.request.top_p", real),
)


def request_body(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sent: the SDK lays `extra_body` over its named arguments."""
    extra: object = arguments.get("extra_body")
    if not isinstance(extra, Mapping):
        return arguments
    return {**arguments, **cast("Mapping[str, Any]", extra)}


def request_attributes(body: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for argument, attribute, read in settings:
        if argument in body:
            with _reading_a_setting:
                # The SDK's "not given" is an object of its own; no reader knows it.
                if (value := read(body[argument])) is not None:
                    found[attribute] = value
    return found
