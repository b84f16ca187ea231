"""What MLflow reads ← what the GenAI conventions write, for the attributes of a span.

Only what an MLflow server (3.14 and later) does not do itself, or does in a way that
its pages cannot show. The server goes on to read token counts, models, provider, tool
arguments and results where they stand. Nothing here knows of other spans.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from opentelemetry.exporter.mlflow._chat import (
    chat_choices,
    chat_messages,
    chat_tools,
    system_messages,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.exporter.mlflow._chat import Json

SPAN_TYPE = "mlflow.spanType"
SPAN_INPUTS = "mlflow.spanInputs"
SPAN_OUTPUTS = "mlflow.spanOutputs"
SESSION = "session.id"

Attributes = dict[str, Any]
Reader = Callable[[Attributes], Any]

# https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/registry/attributes/gen-ai.md
_TYPES = {
    "chat": "CHAT_MODEL",
    "create_agent": "AGENT",
    "embeddings": "EMBEDDING",
    "execute_tool": "TOOL",
    "generate_content": "LLM",
    "invoke_agent": "AGENT",
    "invoke_workflow": "WORKFLOW",
    "retrieval": "RETRIEVER",
    "text_completion": "LLM",
}

# MLflow writes the first on spans of others while it traces to OTLP itself, and the
# second is its word for a span without a type.
_NO_TYPES = ("null", "UNKNOWN")

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

# MLflow refuses a whole request for one session with a longer name.
_LONGEST_IDENTITY = 250


class Row(NamedTuple):
    """One correspondence: `name` in MLflow ← what `read` finds, if it finds any.

    `instead` are attributes whose content the value holds: MLflow would store and show
    it a second time. `along` is said of every such value.
    """

    name: str
    read: Reader
    instead: tuple[str, ...] = ()
    along: tuple[tuple[str, str], ...] = ()


def _span_type(attributes: Attributes) -> str | None:
    operation = attributes.get("gen_ai.operation.name")
    return _TYPES.get(operation) if isinstance(operation, str) else None


def _inputs(attributes: Attributes) -> str | None:
    messages = [
        *_parsed(attributes, "gen_ai.system_instructions", system_messages),
        *_parsed(attributes, "gen_ai.input.messages", chat_messages),
    ]
    if not messages:
        return None
    return _dumped(
        {
            **_said(attributes, {"model": "gen_ai.request.model"}),
            "messages": messages,
            **_said(attributes, _REQUEST),
        }
    )


def _outputs(attributes: Attributes) -> str | None:
    choices = _parsed(attributes, "gen_ai.output.messages", chat_choices)
    if not choices:
        return None
    reasons = attributes.get("gen_ai.response.finish_reasons")
    if isinstance(reasons, (list, tuple)):
        # What the provider said, where the messages have the convention's word.
        said = dict(enumerate(cast("list[Any]", reasons)))
        for choice in choices:
            choice["finish_reason"] = said.get(choice["index"], choice["finish_reason"])
    return _dumped(
        {
            **_said(
                attributes,
                {"id": "gen_ai.response.id", "model": "gen_ai.response.model"},
            ),
            "choices": choices,
        }
    )


def _tools(attributes: Attributes) -> str | None:
    tools = _parsed(attributes, "gen_ai.tool.definitions", chat_tools)
    return _dumped(tools) if tools else None


def _identity(*names: str) -> Reader:
    def read(attributes: Attributes) -> str | None:
        found = next((attributes[name] for name in names if attributes.get(name)), None)
        return None if found is None else str(found)[:_LONGEST_IDENTITY]

    return read


_OPENAI = (("mlflow.message.format", "openai"),)

ROWS = (
    Row(SPAN_TYPE, _span_type),
    Row(
        SPAN_INPUTS,
        _inputs,
        instead=("gen_ai.system_instructions", "gen_ai.input.messages"),
        along=_OPENAI,
    ),
    Row(SPAN_OUTPUTS, _outputs, instead=("gen_ai.output.messages",), along=_OPENAI),
    Row("mlflow.chat.tools", _tools, instead=("gen_ai.tool.definitions",)),
    Row(SESSION, _identity(SESSION, "gen_ai.conversation.id")),
    Row("user.id", _identity("user.id", "enduser.id", "enduser.pseudo.id")),
)


def mlflow_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The attributes of a span as MLflow shows them best; what was given is unchanged.

    Every attribute is kept, but for the message attributes whose content moves to
    `mlflow.spanInputs`, `mlflow.spanOutputs` and `mlflow.chat.tools` (JSON strings in
    OpenAI's shape). An `mlflow.*` attribute that is there already goes before ours. A
    value that is not what the conventions say stays as it is. Never raises; applied
    twice it is the same as once.
    """
    mapped = dict(attributes or {})
    if mapped.get(SPAN_TYPE) in _NO_TYPES:
        del mapped[SPAN_TYPE]
    for row in ROWS:
        if row.name.startswith("mlflow.") and row.name in mapped:
            continue
        try:
            value = row.read(mapped)
        except (RecursionError, TypeError, ValueError):
            continue
        if value is None:
            continue
        mapped[row.name] = value
        for name in row.instead:
            mapped.pop(name, None)
        for name, constant in row.along:
            mapped.setdefault(name, constant)
    return mapped


def _parsed(
    attributes: Attributes, name: str, read: Callable[[Any], list[Json]]
) -> list[Json]:
    """What `read` makes of an attribute that is JSON, or the same unserialised."""
    value = attributes.get(name)
    if value is None:
        return []
    if isinstance(value, str):
        # MLflow's pages cannot parse the NaN and Infinity that Python writes.
        value = json.loads(value, parse_constant=str)
    return read(value)


def _said(attributes: Attributes, names: dict[str, str]) -> Json:
    found = {key: attributes.get(name) for key, name in names.items()}
    return {
        key: value
        for key, value in found.items()
        if value is not None and not (isinstance(value, float) and not isfinite(value))
    }


def _dumped(value: Any) -> str:
    """As JSON. A lone surrogate, which no request can carry, becomes `?`."""
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8")
