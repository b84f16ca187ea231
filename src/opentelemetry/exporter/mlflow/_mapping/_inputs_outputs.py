"""The inputs and outputs of a span, in the shapes that MLflow's pages show.

Each reader takes the attributes of a span and returns a value for JSON, or None if the
span has none. It raises TypeError or ValueError if an attribute does not have the shape
of the conventions.
"""

from __future__ import annotations

from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._mapping._chat import (
    UnknownShapeError,
    chat_choices,
    chat_messages,
    system_messages,
)
from opentelemetry.exporter.mlflow._mapping._json import decode, make_encoder
from opentelemetry.exporter.mlflow._mapping._retrieval import retrieved_documents
from opentelemetry.exporter.mlflow._mapping._tools import chat_tools
from opentelemetry.exporter.mlflow._mapping._truncated_json import (
    complete_json,
    decode_truncated,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.exporter.mlflow._mapping._chat import Json

_REQUEST_ATTRIBUTES = {
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


def chat_request(attributes: dict[str, Any]) -> Json | None:
    messages = [
        *_parse(attributes, "gen_ai.system_instructions", system_messages),
        *_parse(attributes, "gen_ai.input.messages", chat_messages),
    ]
    if not messages:
        return None
    request = _select(attributes, {"model": "gen_ai.request.model"})
    request["messages"] = messages
    request |= _select(attributes, _REQUEST_ATTRIBUTES)
    return request


def chat_response(attributes: dict[str, Any]) -> Json | None:
    choices = _parse(attributes, "gen_ai.output.messages", chat_choices)
    if not choices:
        return None
    finish_reasons = attributes.get("gen_ai.response.finish_reasons")
    if isinstance(finish_reasons, (list, tuple)):
        # These are the provider's values. The messages have those of the conventions.
        by_index = dict(enumerate(cast("list[Any]", finish_reasons)))
        for choice in choices:
            choice["finish_reason"] = by_index.get(
                choice["index"], choice["finish_reason"]
            )
    response = _select(
        attributes, {"id": "gen_ai.response.id", "model": "gen_ai.response.model"}
    )
    response["choices"] = choices
    return response


def retrieval_query(attributes: dict[str, Any]) -> Json | None:
    query = attributes.get("gen_ai.retrieval.query.text")
    if query is None:
        return None
    return {"query": query, **_select(attributes, {"top_k": "gen_ai.retrieval.top_k"})}


def documents(attributes: dict[str, Any]) -> list[Json] | None:
    value = attributes.get("gen_ai.retrieval.documents")
    if value is None:
        return None
    return _convert(value, retrieved_documents)


def tools(attributes: dict[str, Any]) -> list[Json] | None:
    return _parse(attributes, "gen_ai.tool.definitions", chat_tools) or None


def attribute(name: str) -> Callable[[dict[str, Any]], Any]:
    """Return a reader of an attribute; it completes JSON that was cut."""

    def read(attributes: dict[str, Any]) -> Any:
        value = attributes.get(name)
        return complete_json(value) or value

    return read


def truncated_attribute(*names: str) -> Callable[[dict[str, Any]], Any]:
    """Return a reader of the first attribute that is JSON and was cut."""

    def truncated(attributes: dict[str, Any]) -> Any:
        for name in names:
            if value := complete_json(attributes.get(name)):
                return value
        return None

    return truncated


_encode = make_encoder(allow_nan=False)


def encode_json(value: Any) -> str:
    """A string is JSON already. Raises ValueError for NaN and Infinity."""
    return value if isinstance(value, str) else _encode(value)


def _parse(
    attributes: dict[str, Any], name: str, convert: Callable[[Any], list[Json]]
) -> list[Json]:
    """Converts an attribute that is JSON, or the same value not serialized."""
    value = attributes.get(name)
    return [] if value is None else _convert(value, convert)


def _convert(value: Any, convert: Callable[[Any], list[Json]]) -> list[Json]:
    if not isinstance(value, str):
        return convert(value)
    try:
        items = decode(value)
    except ValueError:
        items = decode_truncated(value)
        if isinstance(items, dict):
            raise UnknownShapeError from None
        # The last item may be incomplete.
        for complete_items in (items, items[:-1]):
            with suppress(UnknownShapeError):
                if converted := convert(complete_items):
                    return converted
        raise UnknownShapeError from None
    return convert(items)


def _select(attributes: dict[str, Any], names: dict[str, str]) -> Json:
    selected: Json = {}
    for key, name in names.items():
        if name not in attributes:  # true for most names
            continue
        value = attributes[name]
        if value is not None and not (isinstance(value, float) and not isfinite(value)):
            selected[key] = value
    return selected
