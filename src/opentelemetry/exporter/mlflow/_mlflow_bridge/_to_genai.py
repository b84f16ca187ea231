"""Converts a fluent span to the GenAI semantic conventions, for other backends.

Names and types are those of the conventions. Inputs and outputs are included only if
message content is captured on spans. Pure functions.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from opentelemetry.trace import SpanKind

from opentelemetry.exporter.mlflow._mapping import (
    SPAN_INPUTS,
    SPAN_OUTPUTS,
    SPAN_TYPE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import Event, ReadableSpan

_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


class _Operation(NamedTuple):
    """`name_attribute`: the attribute that takes the name of MLflow's span."""

    name: str
    name_attribute: str | None = None
    kind: SpanKind = SpanKind.INTERNAL


# https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/registry/attributes/gen-ai.md
_OPERATIONS = {
    "AGENT": _Operation("invoke_agent", "gen_ai.agent.name"),
    "CHAT_MODEL": _Operation("chat", kind=SpanKind.CLIENT),
    "EMBEDDING": _Operation("embeddings", kind=SpanKind.CLIENT),
    "LLM": _Operation("generate_content", kind=SpanKind.CLIENT),
    "RETRIEVER": _Operation("retrieval", kind=SpanKind.CLIENT),
    "TOOL": _Operation("execute_tool", "gen_ai.tool.name"),
    "WORKFLOW": _Operation("invoke_workflow", "gen_ai.workflow.name"),
}

_USAGE = {
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "gen_ai.usage.cache_read.input_tokens": "cache_read_input_tokens",
}


class GenaiSpan(NamedTuple):
    name: str
    kind: SpanKind
    attributes: dict[str, Any]
    events: list[Event]


def decode_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Decode attribute values, which MLflow writes as JSON.

    Objects and lists stay JSON because an OpenTelemetry attribute cannot hold them.
    """
    return {name: _decode_scalar(value) for name, value in (attributes or {}).items()}


def to_genai(span: ReadableSpan) -> GenaiSpan:
    mlflow_attributes = decode_attributes(span.attributes)
    with_content = is_content_captured()
    attributes = {
        name: value
        for name, value in mlflow_attributes.items()
        if not name.startswith("mlflow.")
    }
    name, kind = span.name, span.kind
    operation = _OPERATIONS.get(mlflow_attributes.get(SPAN_TYPE, ""))
    if operation is not None:
        attributes["gen_ai.operation.name"] = operation.name
        if operation.name_attribute:
            attributes.setdefault(operation.name_attribute, span.name)
        name, kind = f"{operation.name} {span.name}", operation.kind
        attributes |= _model_and_usage(mlflow_attributes)
        if with_content:
            attributes |= _content(operation.name, mlflow_attributes)
    if error_type := _error_type(span):
        attributes.setdefault("error.type", error_type)
    # MLflow records the chunks of a stream as events.
    events = [
        event for event in span.events if with_content or event.name == "exception"
    ]
    return GenaiSpan(name, kind, attributes, events)


def is_content_captured() -> bool:
    """Read the setting as instrumentations with opentelemetry-util-genai do."""
    return os.environ.get(_CAPTURE, "").strip().upper() in (
        "SPAN_ONLY",
        "SPAN_AND_EVENT",
    )


def _model_and_usage(mlflow_attributes: dict[str, Any]) -> dict[str, Any]:
    usage = _decode(mlflow_attributes.get("mlflow.chat.tokenUsage"))
    counts = cast("dict[str, Any]", usage) if isinstance(usage, dict) else {}
    attributes = {
        "gen_ai.request.model": mlflow_attributes.get("mlflow.llm.model"),
        "gen_ai.provider.name": mlflow_attributes.get("mlflow.llm.provider"),
        **{name: counts.get(key) for name, key in _USAGE.items()},
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _content(operation: str, mlflow_attributes: dict[str, Any]) -> dict[str, Any]:
    inputs = mlflow_attributes.get(SPAN_INPUTS)
    outputs = mlflow_attributes.get(SPAN_OUTPUTS)
    match operation:
        case "execute_tool":
            attributes = {
                "gen_ai.tool.call.arguments": inputs,
                "gen_ai.tool.call.result": outputs,
            }
        case "invoke_agent":
            attributes = {
                "gen_ai.input.messages": _messages("user", _single_argument(inputs)),
                "gen_ai.output.messages": _messages("assistant", outputs),
            }
        case _:
            attributes = {}
    return {name: value for name, value in attributes.items() if value is not None}


def _messages(role: str, content: Any) -> str | None:
    if content is None:
        return None
    text = (
        content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    )
    message: dict[str, Any] = {
        "role": role,
        "parts": [{"type": "text", "content": text}],
    }
    if role == "assistant":
        message["finish_reason"] = "stop"
    return json.dumps([message], ensure_ascii=False)


def _single_argument(inputs: Any) -> Any:
    """The value of the agent's argument if it has only one, which is the question."""
    value = _decode(inputs)
    arguments = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return next(iter(arguments.values())) if len(arguments) == 1 else inputs


def _error_type(span: ReadableSpan) -> str | None:
    if span.status.is_ok:
        return None
    types = [
        (event.attributes or {}).get("exception.type")
        for event in span.events
        if event.name == "exception"
    ]
    return next((str(name) for name in reversed(types) if name), "_OTHER")


def _decode_scalar(value: Any) -> Any:
    decoded = _decode(value)
    return decoded if isinstance(decoded, (str, bool, int, float)) else value


def _decode(value: Any) -> Any:
    try:
        return json.loads(value)
    except (RecursionError, TypeError, ValueError):
        return value
