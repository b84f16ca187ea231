"""Model calls: their HTTP traffic, their spans and what MLflow's page shows of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Final

    from mlflow.entities import Span, Trace

    from examples.simulator import Exchange

    from ._mlflow_page import SpanPanel
    from ._program_run import ProgramRun


_OPERATIONS: Final = ("chat", "text_completion")


@dataclass(frozen=True)
class ModelCall:
    exchange: Exchange
    span: Span
    panel: SpanPanel

    @property
    def question(self) -> str:
        request = self.exchange.request_json
        if "prompt" in request:
            return str(request["prompt"])
        return next(
            m["content"] for m in reversed(request["messages"]) if m["role"] == "user"
        )

    @property
    def response(self) -> ResponseMessage:
        return ResponseMessage.read(self.exchange)


@dataclass(frozen=True)
class ResponseMessage:
    """The message of a response, assembled from its chunks if it was streamed.

    A tool call is a pair of its name and its arguments.
    """

    text: str
    reasoning: str
    tool_calls: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, exchange: Exchange) -> ResponseMessage:
        if exchange.status != 200:
            return cls("", "", ())
        body = exchange.response_body.decode()
        lines = [line[6:] for line in body.splitlines() if line.startswith("data: {")]
        fields: dict[str, str] = {}
        tool_calls: dict[int, list[str]] = {}
        for chunk in map(json.loads, lines or [body]):
            for choice in chunk["choices"]:
                message = choice.get("delta") or choice.get("message") or choice
                for key in ("content", "text", "reasoning_content"):
                    fields[key] = fields.get(key, "") + (message.get(key) or "")
                for call in message.get("tool_calls") or ():
                    tool = tool_calls.setdefault(call["index"], ["", ""])
                    tool[0] += call["function"].get("name") or ""
                    tool[1] += call["function"].get("arguments") or ""
        return cls(
            fields.get("content") or fields.get("text", ""),
            fields.get("reasoning_content", ""),
            tuple((name, arguments) for name, arguments in tool_calls.values()),
        )


@dataclass(frozen=True)
class RunResult:
    run: ProgramRun
    calls: list[ModelCall]
    # The number of traces that a search for the span type finds; None if MLflow has no
    # such search.
    found_by_type: int | None

    @property
    def traces(self) -> list[Trace]:
        return self.run.traces

    def calls_of(self, trace: Trace) -> list[ModelCall]:
        return [c for c in self.calls if c.span.trace_id == trace.info.trace_id]


def model_calls(traces: list[Trace]) -> list[Span]:
    """Returns the spans of model calls, in order of their start."""
    spans = [
        span for trace in traces for span in trace.data.spans if _is_model_call(span)
    ]
    return sorted(spans, key=lambda span: span.start_time_ns)


def _is_model_call(span: Span) -> bool:
    """Older versions of MLflow give spans of OTLP no type."""
    operation = span.get_attribute("gen_ai.operation.name")
    return span.span_type in {"CHAT_MODEL", "LLM"} or operation in _OPERATIONS


def without_markup(text: str) -> str:
    """Removes what Markdown adds or drops: emphasis, white space, line numbers."""
    return re.sub(r"(?m)^\d+|[\s*\\\"]+", "", text)


def trace_previews(trace: Trace) -> tuple[str, str]:
    """Returns those of the request and of the response.

    MLflow 3.1 has none. Its page shows a text of the metadata without the quotes.
    """
    metadata = trace.info.trace_metadata
    previews = (trace.info.request_preview, trace.info.response_preview)
    if not any(previews):
        keys = ("mlflow.traceInputs", "mlflow.traceOutputs")
        previews = tuple(_without_quotes(metadata.get(key, "")) for key in keys)
    request, response = previews
    return request or "", response or ""


def _without_quotes(text: str) -> str:
    is_text = text.startswith('"') and text.endswith('"')
    return str(json.loads(text)) if is_text else text


def trace_usage(trace: Trace) -> dict[str, int]:
    return _totals(trace, "token_usage", "mlflow.trace.tokenUsage")


def trace_cost(trace: Trace) -> dict[str, float]:
    return _totals(trace, "cost", "mlflow.trace.cost")


def _totals(trace: Trace, field: str, key: str) -> dict[str, Any]:
    """Returns a field of TraceInfo; where MLflow is older, what the metadata has."""
    stored = trace.info.trace_metadata.get(key, "{}")
    return dict(getattr(trace.info, field, None) or json.loads(stored))


def span_content(span: Span) -> str:
    """Returns all attributes and events of the span, as JSON."""
    attributes: dict[str, Any] = span.attributes
    events = [event.attributes for event in span.events]
    return json.dumps([attributes, events], ensure_ascii=False, default=str)
