"""What went into a span and what came out, as MLflow's pages show it.

Each reader takes the attributes of a span and returns JSON, or None if there is nothing
to say; it raises TypeError or ValueError at what is not in the conventions' shape.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._mapping._chat import (
    chat_choices,
    chat_messages,
    system_messages,
)
from opentelemetry.exporter.mlflow._mapping._json import decode, encoding
from opentelemetry.exporter.mlflow._mapping._retrieval import retrieved
from opentelemetry.exporter.mlflow._mapping._tools import chat_tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.exporter.mlflow._mapping._chat import Json

_REQUEST = {
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "max_tokens": "gen_ai.request.max_tokens",
    "n": "gen_ai.request.choice.count",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "reasoning_effort": "gen_ai.request.reasoning.level",
    "seed": "gen_ai.request.seed",
    "stop": "gen_ai.request.stop_sequences",
    "stream": "gen_ai.request.stream",
    "temperature": "gen_ai.request.temperature",
    "top_k": "gen_ai.request.top_k",
    "top_p": "gen_ai.request.top_p",
}


def conversation(attributes: dict[str, Any]) -> str | None:
    messages = [
        *_parsed(attributes, "gen_ai.system_instructions", system_messages),
        *_parsed(attributes, "gen_ai.input.messages", chat_messages),
    ]
    if not messages:
        return None
    inputs = _said(attributes, {"model": "gen_ai.request.model"})
    inputs["messages"] = messages
    inputs |= _said(attributes, _REQUEST)
    return _encode(inputs)


def choices(attributes: dict[str, Any]) -> str | None:
    choices = _parsed(attributes, "gen_ai.output.messages", chat_choices)
    if not choices:
        return None
    reasons = attributes.get("gen_ai.response.finish_reasons")
    if isinstance(reasons, (list, tuple)):
        # What the provider said, where the messages have the convention's word.
        said = dict(enumerate(cast("list[Any]", reasons)))
        for choice in choices:
            choice["finish_reason"] = said.get(choice["index"], choice["finish_reason"])
    outputs = _said(
        attributes, {"id": "gen_ai.response.id", "model": "gen_ai.response.model"}
    )
    outputs["choices"] = choices
    return _encode(outputs)


def query(attributes: dict[str, Any]) -> str | None:
    query = attributes.get("gen_ai.retrieval.query.text")
    if query is None:
        return None
    top_k = _said(attributes, {"top_k": "gen_ai.retrieval.top_k"})
    return _encode({"query": query, **top_k})


def documents(attributes: dict[str, Any]) -> str | None:
    found = attributes.get("gen_ai.retrieval.documents")
    if found is None:
        return None
    return _encode(retrieved(decode(found) if isinstance(found, str) else found))


def tools(attributes: dict[str, Any]) -> str | None:
    tools = _parsed(attributes, "gen_ai.tool.definitions", chat_tools)
    return _encode(tools) if tools else None


def as_it_is(name: str) -> Callable[[dict[str, Any]], str | None]:
    def read(attributes: dict[str, Any]) -> str | None:
        value = attributes.get(name)
        return value if value is None or isinstance(value, str) else _encode(value)

    return read


_encode = encoding(allow_nan=False)


def _parsed(
    attributes: dict[str, Any], name: str, read: Callable[[Any], list[Json]]
) -> list[Json]:
    """What `read` makes of an attribute that is JSON, or the same unserialised."""
    value = attributes.get(name)
    if value is None:
        return []
    return read(decode(value) if isinstance(value, str) else value)


def _said(attributes: dict[str, Any], names: dict[str, str]) -> Json:
    found: Json = {}
    for key, name in names.items():
        if name not in attributes:  # as most are not
            continue
        value = attributes[name]
        if value is not None and not (isinstance(value, float) and not isfinite(value)):
            found[key] = value
    return found
