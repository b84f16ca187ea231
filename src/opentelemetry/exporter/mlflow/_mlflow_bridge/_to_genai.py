"""What other backends see of a span of MLflow's: GenAI conventions ← MLflow.

Names and types are those of the conventions; what went in and came out stands there
only where message content is captured on spans. Pure.
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
    """`named`: the attribute for the name that stands on MLflow's span."""

    name: str
    named: str | None = None
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


class GenaiForm(NamedTuple):
    name: str
    kind: SpanKind
    attributes: dict[str, Any]
    events: list[Event]


def decoded(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """MLflow keeps every value as JSON; what OpenTelemetry cannot hold stays so."""
    return {name: _plain(value) for name, value in (attributes or {}).items()}


def genai_form(span: ReadableSpan) -> GenaiForm:
    told = decoded(span.attributes)
    captured = captures_content()
    attributes = {
        name: value for name, value in told.items() if not name.startswith("mlflow.")
    }
    name, kind = span.name, span.kind
    if (operation := _OPERATIONS.get(told.get(SPAN_TYPE, ""))) is not None:
        attributes["gen_ai.operation.name"] = operation.name
        if operation.named:
            attributes.setdefault(operation.named, span.name)
        name, kind = f"{operation.name} {span.name}", operation.kind
        attributes |= _model_and_usage(told)
        if captured:
            attributes |= _content(operation.name, told)
    if failure := _failure(span):
        attributes.setdefault("error.type", failure)
    # MLflow keeps the pieces of a stream as events.
    events = [event for event in span.events if captured or event.name == "exception"]
    return GenaiForm(name, kind, attributes, events)


def captures_content() -> bool:
    """As every instrumentation that uses opentelemetry-util-genai reads it."""
    return os.environ.get(_CAPTURE, "").strip().upper() in (
        "SPAN_ONLY",
        "SPAN_AND_EVENT",
    )


def _model_and_usage(told: dict[str, Any]) -> dict[str, Any]:
    usage = _loaded(told.get("mlflow.chat.tokenUsage"))
    counts = cast("dict[str, Any]", usage) if isinstance(usage, dict) else {}
    found = {
        "gen_ai.request.model": told.get("mlflow.llm.model"),
        "gen_ai.provider.name": told.get("mlflow.llm.provider"),
        **{name: counts.get(key) for name, key in _USAGE.items()},
    }
    return {name: value for name, value in found.items() if value is not None}


def _content(operation: str, told: dict[str, Any]) -> dict[str, Any]:
    given, came = told.get(SPAN_INPUTS), told.get(SPAN_OUTPUTS)
    match operation:
        case "execute_tool":
            found = {
                "gen_ai.tool.call.arguments": given,
                "gen_ai.tool.call.result": came,
            }
        case "invoke_agent":
            found = {
                "gen_ai.input.messages": _message("user", _only_value(given)),
                "gen_ai.output.messages": _message("assistant", came),
            }
        case _:
            found = {}
    return {name: value for name, value in found.items() if value is not None}


def _message(role: str, said: Any) -> str | None:
    if said is None:
        return None
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    message: dict[str, Any] = {
        "role": role,
        "parts": [{"type": "text", "content": text}],
    }
    if role == "assistant":
        message["finish_reason"] = "stop"
    return json.dumps([message], ensure_ascii=False)


def _only_value(given: Any) -> Any:
    """The question, where it is the one argument of the agent."""
    loaded = _loaded(given)
    arguments = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    return next(iter(arguments.values())) if len(arguments) == 1 else given


def _failure(span: ReadableSpan) -> str | None:
    if span.status.is_ok:
        return None
    types = [
        (event.attributes or {}).get("exception.type")
        for event in span.events
        if event.name == "exception"
    ]
    return next((str(found) for found in reversed(types) if found), "_OTHER")


def _plain(value: Any) -> Any:
    loaded = _loaded(value)
    return loaded if isinstance(loaded, (str, bool, int, float)) else value


def _loaded(value: Any) -> Any:
    try:
        return json.loads(value)
    except (RecursionError, TypeError, ValueError):
        return value
